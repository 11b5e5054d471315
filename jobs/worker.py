"""The process that has a task in hand: its name in the ledger, and whether it is gone."""

from __future__ import annotations

import os
import secrets
import socket

import psutil

from .task import Task

ANOTHER_PROCESS_SECONDS = 60.0
"""A process that started this much later than the worker it shares an id with is another one."""


def name_worker() -> str:
    """Host, process id, the process's start in seconds since 1970, and a name of its own, between slashes."""
    started = int(psutil.Process().create_time())
    return f"{socket.gethostname()}/{os.getpid()}/{started}/{secrets.token_hex(4)}"


def left_behind(task: Task, worker: str) -> bool:
    """Whether the process that had the task in hand is gone. One on another machine is taken to live."""
    host, process, started, _ = task.worker.split("/")
    if task.worker == worker or host != socket.gethostname():
        return False
    if process == worker.split("/")[1]:
        return True
    try:
        return bool(psutil.Process(int(process)).create_time() > float(started) + ANOTHER_PROCESS_SECONDS)
    except psutil.NoSuchProcess:
        return True
