"""HTTP on real sockets: what surely never left, what may have arrived, and what is never sent along."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kling_pack.jobs import http
from kling_pack.jobs.http import AnswerLostError, DownloadError, Http, NotSentError, Origin
from kling_pack.providers.base import Call

KEY = {"Authorization": "Bearer sk-live-9f8e7d6c5b4a"}
CREATE = Call("POST", "/create", {"prompt": "a lighthouse"})
StartLine = Callable[[Callable[[socket.socket, bytes], None]], Any]


def answer(
    body: bytes, head: str = "", status: str = "200 OK", length: int | None = None
) -> Callable[[socket.socket, bytes], None]:
    """Answers with these bytes; `length` is what is announced."""
    announced = len(body) if length is None else length
    start = f"HTTP/1.1 {status}\r\nContent-Length: {announced}\r\nConnection: close\r\n{head}\r\n".encode()
    return lambda connection, _: connection.sendall(start + body)


def reset(connection: socket.socket, _: bytes = b"") -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


# What surely had no effect may be sent again.


def test_a_refused_connection_sent_nothing() -> None:
    with pytest.raises(NotSentError):
        Http().send(CREATE, f"http://127.0.0.1:{unused_port()}", KEY)


def test_an_unknown_host_sent_nothing() -> None:
    with pytest.raises(NotSentError):
        Http().send(CREATE, "http://no-such-host.invalid", KEY)


def test_a_connection_that_is_not_made_in_time_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.2)
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = []
    for _ in range(4):  # a listener that accepts nobody and has no room to queue
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(full.getsockname())
    with pytest.raises(NotSentError, match="ConnectTimeout"):
        Http().send(CREATE, f"http://127.0.0.1:{full.getsockname()[1]}", KEY)
    for one in (*waiting, full):
        one.close()


@pytest.mark.parametrize("base", ["htp://127.0.0.1", "http://127.0.0.1:port", "http://"])
def test_an_address_that_is_none_sent_nothing(base: str) -> None:
    with pytest.raises(NotSentError):
        Http().send(CREATE, base, KEY)


def test_a_header_that_cannot_be_sent_sent_nothing(line: StartLine) -> None:
    server = line(answer(b"{}"))
    with pytest.raises(NotSentError):
        Http().send(CREATE, server.url, {"Authorization": "Bearer a\nb"})
    assert server.heard == []


def test_a_certificate_that_nobody_trusts_sent_nothing(tmp_path: Path, line: StartLine) -> None:
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem"), "-subj", "/CN=127.0.0.1"]
    subprocess.run([*made, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as plain:
        import threading

        def serve() -> None:
            connection, _ = plain.accept()
            with connection, pytest.raises(OSError):
                context.wrap_socket(connection, server_side=True)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(NotSentError, match="SSLError"):
            Http().send(CREATE, f"https://127.0.0.1:{plain.getsockname()[1]}", KEY)
        thread.join(5)


# What may have arrived is never sent again on its own.


def test_a_connection_that_breaks_before_the_answer_may_have_had_an_effect(line: StartLine) -> None:
    server = line(reset)
    with pytest.raises(AnswerLostError):
        Http().send(CREATE, server.url, KEY)
    assert b'{"prompt": "a lighthouse"}' in server.heard[0]


def test_a_connection_that_breaks_within_the_answer_may_have_had_an_effect(line: StartLine) -> None:
    server = line(answer(b'{"id": ', length=50))
    with pytest.raises(AnswerLostError):
        Http().send(CREATE, server.url, KEY)


def test_an_answer_cut_between_chunks_is_lost(line: StartLine) -> None:
    def cut(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"id\r\n')

    with pytest.raises(AnswerLostError):
        Http().send(CREATE, line(cut).url, KEY)


def test_an_answer_that_does_not_come_in_time_is_lost(line: StartLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.1)

    def hang(connection: socket.socket, _: bytes) -> None:
        connection.recv(1)  # until the client gives up

    with pytest.raises(AnswerLostError, match="ReadTimeout"):
        Http().send(CREATE, line(hang).url, KEY)


def test_an_answer_that_is_no_http_is_lost(line: StartLine) -> None:
    with pytest.raises(AnswerLostError):
        Http().send(CREATE, line(lambda connection, _: connection.sendall(b"SSH-2.0-x\r\n\r\n")).url, KEY)


def test_an_endless_answer_is_given_up(line: StartLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 100_000)
    with pytest.raises(AnswerLostError):
        Http().send(CREATE, line(answer(b" " * 100_001)).url, KEY)


def test_a_small_answer_that_unpacks_to_a_huge_one_is_given_up(
    line: StartLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LARGEST_ANSWER", 100_000)
    packed = gzip.compress(b" " * 5_000_000)
    with pytest.raises(AnswerLostError):
        Http().send(CREATE, line(answer(packed, head="Content-Encoding: gzip\r\n")).url, KEY)


# What an answer is, and what goes along.


def test_an_answer_of_any_status_is_an_answer(line: StartLine) -> None:
    reply = Http().send(CREATE, line(answer(b"{}", head="Retry-After: 3\r\n", status="429 Slow Down")).url, KEY)
    assert (reply.status, reply.body, reply.retry_after) == (429, b"{}", "3")


def test_a_packed_answer_is_unpacked(line: StartLine) -> None:
    reply = Http().send(CREATE, line(answer(gzip.compress(b"[1]"), head="Content-Encoding: gzip\r\n")).url, KEY)
    assert reply.json() == [1]


def test_a_redirect_is_an_answer_and_not_followed(line: StartLine) -> None:
    other = line(answer(b"{}"))
    reply = Http().send(CREATE, line(answer(b"", head=f"Location: {other.url}/\r\n", status="307 Moved")).url, KEY)
    assert reply.status == 307
    assert other.heard == []


def test_the_key_goes_below_the_base_url_and_nowhere_else(line: StartLine) -> None:
    provider, storage = line(answer(b"{}")), line(answer(b""))
    Http().send(CREATE, provider.url + "/v1", KEY)
    put = Call("PUT", f"{storage.url}/bucket/a.png?sig=1", headers={"Content-Type": "image/png"})
    assert Http().send(put, provider.url + "/v1", KEY, b"PNG").ok
    assert provider.heard[0].startswith(b"POST /v1/create ") and b"sk-live" in provider.heard[0]
    assert b"sk-live" not in storage.heard[0] and b"authorization" not in storage.heard[0].lower()
    assert storage.heard[0].endswith(b"\r\n\r\nPNG") and b"Content-Type: image/png" in storage.heard[0]


def test_a_login_in_netrc_never_takes_the_place_of_the_key(
    line: StartLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server = line(answer(b"{}"))
    Http().send(CREATE, server.url, KEY)
    Http().send(Call("PUT", f"{server.url}/a.png"), server.url, KEY, b"PNG")
    assert b"Bearer sk-live" in server.heard[0]
    assert b"Authorization" not in server.heard[1]


# Downloads.


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "results" / "2026-01" / "a.download"


def nothing_left(target: Path) -> bool:
    return not target.exists() and not list(target.parent.glob("*.part"))


def test_a_download_is_whole_and_carries_no_key(line: StartLine, target: Path) -> None:
    server = line(answer(b"PNG" * 1000))
    Http().download(f"{server.url}/a.png?token=1", target, Origin.of(server.url))
    assert target.read_bytes() == b"PNG" * 1000
    assert not list(target.parent.glob("*.part"))
    assert b"authorization" not in server.heard[0].lower() and b"x-api-key" not in server.heard[0].lower()


def test_plain_http_is_taken_from_the_provider_itself_alone(line: StartLine, target: Path) -> None:
    server = line(answer(b"PNG"))
    trusted = Origin.of(server.url)
    for link in (
        f"http://localhost:{server.port}/a",
        "http://127.0.0.1:1/a",
        "http://169.254.169.254/a",
        "file:///etc/passwd",
    ):
        with pytest.raises(DownloadError):
            Http().download(link, target, trusted)
    assert server.heard == [] and nothing_left(target)


def test_a_redirect_is_not_followed(line: StartLine, target: Path) -> None:
    inside = line(answer(b"secret"))
    outside = line(answer(b"", head=f"Location: {inside.url}/\r\n", status="302 Found"))
    with pytest.raises(DownloadError, match="HTTP 302"):
        Http().download(f"{outside.url}/a", target, Origin.of(outside.url))
    assert inside.heard == [] and nothing_left(target)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_error_is_no_picture_and_says_its_status(line: StartLine, target: Path, status: int) -> None:
    server = line(answer(b"<xml>", status=f"{status} No"))
    with pytest.raises(DownloadError) as raised:
        Http().download(f"{server.url}/a", target, Origin.of(server.url))
    assert raised.value.status == status and nothing_left(target)


def test_a_body_that_ends_early_is_refused(line: StartLine, target: Path) -> None:
    server = line(answer(b"half", length=8))
    with pytest.raises(DownloadError):
        Http().download(f"{server.url}/a", target, Origin.of(server.url))
    assert nothing_left(target)


def test_a_download_that_stalls_is_given_up(line: StartLine, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "STALL_SECONDS", 0.1)

    def stall(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf")
        connection.recv(1)

    server = line(stall)
    with pytest.raises(DownloadError):
        Http().download(f"{server.url}/a", target, Origin.of(server.url))
    assert nothing_left(target)


def test_a_huge_picture_is_refused(line: StartLine, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST_PICTURE", 1000)
    server = line(answer(b"x" * 1001))
    with pytest.raises(DownloadError, match="more than 1000"):
        Http().download(f"{server.url}/a", target, Origin.of(server.url))
    assert nothing_left(target)


def test_a_link_that_is_none_is_refused(target: Path) -> None:
    for link in ("", "http://", "https://host:port/a", "no link"):
        with pytest.raises(DownloadError):
            Http().download(link, target, Origin.of("https://api.example/v1"))


def test_no_error_tells_a_signed_link(target: Path) -> None:
    with pytest.raises(DownloadError) as raised:
        Http().download(f"http://127.0.0.1:{unused_port()}/a?token=abc123", target, Origin.of("http://127.0.0.1:1"))
    assert "abc123" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://API.example/v1", Origin("https", "api.example", 443)),
        ("http://api.example:8080", Origin("http", "api.example", 8080)),
        ("http://api.example", Origin("http", "api.example", 80)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: Origin) -> None:
    assert Origin.of(url) == origin


@pytest.mark.parametrize("url", ["", "api.example", "https://", "https://a:b"])
def test_an_address_without_an_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        Origin.of(url)
