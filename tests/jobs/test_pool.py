"""Threads that never stand in the way of the interpreter's end."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from kling_pack.jobs.pool import Pool

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def test_work_runs_elsewhere_and_its_answer_comes_back() -> None:
    pool = Pool("test", 2)
    name = pool.submit(lambda: threading.current_thread().name).result(5)
    assert name.startswith("test-")
    pool.shutdown()


def test_exceptions_come_back_too() -> None:
    pool = Pool("test", 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(5)
    assert pool.submit(lambda: "goes on").result(5) == "goes on"
    pool.shutdown()


def test_never_more_threads_than_its_size() -> None:
    pool, gate, most, lock, now = Pool("test", 3), threading.Event(), 0, threading.Lock(), 0

    def work() -> None:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        gate.wait(5)
        with lock:
            now -= 1

    futures = [pool.submit(work) for _ in range(12)]
    gate.set()
    for future in futures:
        future.result(5)
    assert 1 <= most <= 3
    pool.shutdown()


def test_an_idle_thread_is_used_again() -> None:
    pool = Pool("test", 8)
    names = set()
    for _ in range(5):
        names.add(pool.submit(lambda: threading.current_thread().name).result(5))
        pool.submit(lambda: None).result(5)
    assert len(names) <= 3
    pool.shutdown()


def test_work_that_was_cancelled_in_the_queue_never_runs() -> None:
    pool, gate, ran = Pool("test", 1), threading.Event(), []
    first = pool.submit(gate.wait, 5)
    second: Future[None] = pool.submit(ran.append, 1)
    assert second.cancel()
    gate.set()
    assert first.result(5)
    assert pool.submit(lambda: "after").result(5) == "after"
    assert ran == []
    pool.shutdown()


def test_shutting_down_ends_what_is_queued_and_takes_nothing_more() -> None:
    pool = Pool("test", 1)
    last = pool.submit(lambda: "done")
    pool.shutdown()
    assert last.result(5) == "done"
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(lambda: None)


def test_hung_work_does_not_keep_the_interpreter_from_ending() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r})\n"
        "from pack import load_pack; load_pack()\n"
        "import threading\n"
        "from kling_pack.jobs.pool import Pool\n"
        "Pool('hung', 1).submit(threading.Event().wait)\n"
        "print('ends')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "ends\n"
