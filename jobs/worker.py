"""A worker's name in the ledger: host, process, when that began, and a word of its own, between slashes."""

from __future__ import annotations

import os
import secrets
import socket

import psutil

ANOTHER_PROCESS_SECONDS = 60.0
"""A process that started this much later than the worker it shares an id with is another one."""


def name_worker() -> str:
    """A name for this engine, which no other one ever had."""
    started = int(psutil.Process().create_time())
    return f"{socket.gethostname()}/{os.getpid()}/{started}/{secrets.token_hex(4)}"


def is_gone(worker: str, mine: str) -> bool:
    """Whether a worker of this machine is surely dead. False for one of another machine, and for this one."""
    host, _, rest = worker.partition("/")
    process, started = ([*rest.split("/"), "", ""])[:2]
    if worker == mine or host != mine.partition("/")[0] or not process.isdecimal() or not started.isdecimal():
        return False
    if process == mine.split("/")[1]:
        return started != mine.split("/")[2]
    try:
        began = psutil.Process(int(process)).create_time()
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
    return bool(began > int(started) + ANOTHER_PROCESS_SECONDS)
