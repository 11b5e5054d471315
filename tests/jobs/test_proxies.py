"""Proxies and certificates as who knows `requests` expects them, through a real proxy."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from proxy import Proxy
from tls import Authority

from kling_pack.jobs.http import AnswerLostError, DownloadError, Http, NotSentError
from kling_pack.jobs.links import Guard, Origin
from kling_pack.providers.base import Call

KEY = {"Authorization": "Bearer sk-live-9f8e7d6c5b4a"}
CREATE = Call("POST", "/create", {"prompt": "a lighthouse"})
API = Origin.of("https://api.example/v1")
StartLine = Callable[..., Any]


def says(body: bytes) -> Callable[[socket.socket, bytes], None]:
    return lambda connection, _: connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)
    )


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with Proxy(tmp_path_factory.mktemp("proxy")) as running:
        yield running


@pytest.fixture
def secure(line: StartLine, trusts: Authority) -> Any:
    """A provider that speaks TLS, by a certificate that REQUESTS_CA_BUNDLE names."""
    return line(says(b"{}"), trusts.serves("127.0.0.1"))


def test_https_goes_by_HTTPS_PROXY(proxy: Proxy, secure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    before = proxy.passed_on
    assert Http().send(CREATE, secure.url, KEY).ok
    assert proxy.passed_on == before + 1
    assert secure.heard[0].startswith(b"POST /create ") and b"sk-live" in secure.heard[0]


def test_http_goes_by_HTTP_PROXY(
    proxy: Proxy, line: StartLine, trusts: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    before, server = proxy.passed_on, line(says(b"{}"))
    assert Http().send(CREATE, server.url, KEY).ok
    assert proxy.passed_on == before + 1 and b"a lighthouse" in server.heard[0]


def test_what_NO_PROXY_names_goes_directly(proxy: Proxy, secure: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "elsewhere.example,127.0.0.1")
    before = proxy.passed_on
    assert Http().send(CREATE, secure.url, KEY).ok
    assert proxy.passed_on == before


def test_behind_a_proxy_the_certificate_still_counts(
    proxy: Proxy, secure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(NotSentError):
        Http().send(CREATE, secure.url, KEY)
    assert secure.heard == []


def test_a_login_in_the_proxys_address_opens_it(secure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(tmp_path, login="someone:word") as guarded:
        monkeypatch.setenv("HTTPS_PROXY", guarded.url.replace("//", "//someone:word@"))
        assert Http().send(CREATE, secure.url, KEY).ok
    assert b"someone" not in secure.heard[0] and b"Proxy-Authorization" not in secure.heard[0]


# What a proxy can do to a paid request.


def test_a_proxy_that_wants_another_login_sent_nothing(
    secure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(tmp_path, login="someone:word") as guarded:
        monkeypatch.setenv("HTTPS_PROXY", guarded.url)
        with pytest.raises(NotSentError, match="ProxyError"):
            Http().send(CREATE, secure.url, KEY)
    assert secure.heard == []


def test_a_proxy_that_is_not_there_sent_nothing(secure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Proxy(tmp_path) as gone:
        monkeypatch.setenv("HTTPS_PROXY", gone.url)
    with pytest.raises(NotSentError, match="ProxyError"):
        Http().send(CREATE, secure.url, KEY)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 403 No\r\n\r\n", b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", b"", b"no HTTP\r\n\r\n"]
)
def test_a_proxy_that_opens_no_tunnel_sent_nothing(
    line: StartLine, secure: Any, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    closed = line(lambda connection, _: connection.sendall(answer))
    monkeypatch.setenv("HTTPS_PROXY", closed.url)
    with pytest.raises(NotSentError):
        Http().send(CREATE, secure.url, KEY)
    assert closed.heard[0].startswith(b"CONNECT 127.0.0.1:") and b"sk-live" not in closed.heard[0]


def test_a_proxy_that_dies_after_the_request_left_leaves_it_uncertain(
    line: StartLine, trusts: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(tmp_path) as dying:
        monkeypatch.setenv("HTTPS_PROXY", dying.url)

        def kill(connection: socket.socket, _: bytes) -> None:
            dying.__exit__(None, None, None)

        provider = line(kill, trusts.serves("127.0.0.1"))
        with pytest.raises(AnswerLostError):
            Http().send(CREATE, provider.url, KEY)
    assert b"a lighthouse" in provider.heard[0]


def test_a_plain_proxy_that_dies_with_the_request_leaves_it_uncertain(
    line: StartLine, trusts: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = line(lambda connection, _: connection.close())
    monkeypatch.setenv("HTTP_PROXY", dying.url)
    with pytest.raises(AnswerLostError):
        Http().send(CREATE, "http://api.example/v1", KEY)
    assert b"a lighthouse" in dying.heard[0]


# Result links behind a proxy, which resolves them.


def test_a_public_link_is_fetched_by_the_proxy(
    proxy: Proxy, line: StartLine, trusts: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = line(says(b"PNG"), trusts.serves("localhost"))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    before = proxy.passed_on
    # To the proxy alone, this name is loopback.
    Http(Guard(lambda host, port: ["93.184.215.14"])).download(
        f"https://localhost:{server.port}/a", tmp_path / "a", API
    )
    assert (tmp_path / "a").read_bytes() == b"PNG" and proxy.passed_on == before + 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "169.254.169.254", "localhost", "0x7f.1"])
def test_the_proxy_is_not_asked_for_private_ones(
    proxy: Proxy, trusts: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    before = proxy.passed_on
    with pytest.raises(DownloadError, match="the link leads to"):
        Http().download(f"https://{host}:1/a", tmp_path / "a", API)
    assert proxy.passed_on == before
