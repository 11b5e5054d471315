"""Files of the sandbox's home: JSON records and bytes, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any


def write_bytes(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    part.write_bytes(data)
    os.replace(part, path)


def write_json(path: Path, record: dict[str, Any]) -> None:
    write_bytes(path, json.dumps(record, ensure_ascii=False).encode())


def read_json(path: Path) -> dict[str, Any] | None:
    """None when the file is gone or was never there."""
    try:
        record: dict[str, Any] = json.loads(path.read_bytes())
        return record
    except FileNotFoundError:
        return None


class Pictures:
    """Input pictures by the SHA-256 of their bytes; equal ones are kept once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self.folder / digest
        if path.exists():
            path.touch()
        else:
            write_bytes(path, data)
        return digest

    def read(self, digest: str) -> bytes:
        return (self.folder / digest).read_bytes()

    def clean(self, before: float, in_use: set[str]) -> None:
        """Drops what no task reads and nobody sent since ``before`` (epoch seconds)."""
        for path in self.folder.glob("*"):
            if path.name not in in_use and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
