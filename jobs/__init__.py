"""How work is carried out: settings, HTTP, the ledger, and the engine that waits on its own thread."""
