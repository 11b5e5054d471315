"""The pack's version: the ledger writes it beside each task, and `pyproject.toml` says the same."""

VERSION = "0.1.0"
