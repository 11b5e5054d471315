"""A request that knows whether it has left, and can be cut off; what it sends is in test_http.py."""

from __future__ import annotations

import logging
import socket
import threading

import pytest

from kling_pack.jobs.connections import Exchange, Lines


def test_until_it_is_known_a_request_counts_as_sent() -> None:
    assert Exchange(1).sent


def test_what_takes_too_long_is_cut_off() -> None:
    near, far = socket.socketpair()
    with near, far, Exchange(0.05) as exchange:
        exchange.uses(near)
        assert near.recv(1) == b""
        assert exchange.late and "not over after 0 seconds" in exchange.reason


def test_what_is_late_before_it_has_a_socket_is_cut_off_at_once() -> None:
    near, far = socket.socketpair()
    with near, far, Exchange(0) as exchange:
        while not exchange.late:
            threading.Event().wait(0.001)
        exchange.uses(near)
        assert near.recv(1) == b""


def test_what_is_over_in_time_is_not_cut_off() -> None:
    near, far = socket.socketpair()
    with near, far:
        with Exchange(0.05) as exchange:
            exchange.uses(near)
        far.sendall(b"x")
        threading.Event().wait(0.1)
        assert near.recv(1) == b"x" and not exchange.late


def test_what_others_log_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    Lines()
    log = logging.getLogger("urllib3.connectionpool")
    log.debug("%s", "/a?theirs=1")
    with Exchange(1):
        log.debug("%s", "/a?ours=1")
    assert "/a?theirs=1" in caplog.text and "ours=1" not in caplog.text
