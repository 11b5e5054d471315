"""HTTP on real sockets: what surely never left, what may have arrived, and what is never sent along."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tls import Authority

from kling_pack.jobs import http
from kling_pack.jobs.http import AnswerLostError, DownloadError, Http, NotSentError
from kling_pack.jobs.links import Guard, Origin
from kling_pack.providers.base import Call

KEY = {"Authorization": "Bearer sk-live-9f8e7d6c5b4a"}
CREATE = Call("POST", "/create", {"prompt": "a lighthouse"})
StartLine = Callable[..., Any]
PUBLIC = "93.184.215.14"


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


def test_a_certificate_that_nobody_trusts_sent_nothing(line: StartLine, authority: Authority) -> None:
    server = line(answer(b"{}"), authority.serves("127.0.0.1"))
    with pytest.raises(NotSentError, match="SSLError"):
        Http().send(CREATE, server.url, KEY)
    assert server.heard == []


def test_a_certificate_of_another_name_sent_nothing(line: StartLine, trusts: Authority) -> None:
    server = line(answer(b"{}"), trusts.serves("pictures.example"))
    with pytest.raises(NotSentError, match="SSLError"):
        Http().send(CREATE, server.url, KEY)
    assert server.heard == []


def test_a_certificate_that_the_user_trusts_is_taken(line: StartLine, trusts: Authority) -> None:
    assert Http().send(CREATE, line(answer(b"{}"), trusts.serves("127.0.0.1")).url, KEY).ok


def test_a_server_that_hangs_up_before_it_is_known_sent_nothing(line: StartLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        thread = threading.Thread(target=lambda: reset(plain.accept()[0]))
        thread.start()
        with pytest.raises(NotSentError):
            Http().send(CREATE, f"https://127.0.0.1:{plain.getsockname()[1]}", KEY)
        thread.join(5)


def test_a_large_body_may_take_longer_than_connecting(line: StartLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_SECONDS", 0.05)
    begun = threading.Event()

    def accept_late(server: socket.socket) -> None:
        connection, _ = server.accept()
        begun.wait(5)
        with connection:
            last = b""
            while last[-3:] != b"END":
                piece = connection.recv(1 << 20)
                assert piece
                last = last[-3:] + piece
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept_late, args=(server,))
        thread.start()
        threading.Timer(0.3, begun.set).start()
        call = Call("PUT", f"http://127.0.0.1:{server.getsockname()[1]}/a.png")
        assert Http().send(call, call.url, {}, b"x" * 20_000_000 + b"END").ok
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
    packed = gzip.compress(b" " * 5_000_000, mtime=0)
    with pytest.raises(AnswerLostError):
        Http().send(CREATE, line(answer(packed, head="Content-Encoding: gzip\r\n")).url, KEY)


def test_a_large_answer_packed_in_a_way_nobody_asked_for_is_given_up(line: StartLine) -> None:
    with pytest.raises(AnswerLostError, match="packed"):
        Http().send(CREATE, line(answer(b"\x1b", head="Content-Encoding: br\r\n")).url, KEY)


@pytest.mark.parametrize("cut", [b"", gzip.compress(b" " * 1000, mtime=0)[:-9], b"no gzip at all"])
def test_a_packed_answer_that_is_broken_is_lost(line: StartLine, cut: bytes) -> None:
    if cut:
        with pytest.raises(AnswerLostError):
            Http().send(CREATE, line(answer(cut, head="Content-Encoding: gzip\r\n")).url, KEY)
    else:
        assert Http().send(CREATE, line(answer(cut, head="Content-Encoding: gzip\r\n")).url, KEY).body == b""


@pytest.mark.parametrize("trickle", [b"X-More: 1\r\n", b"\r\n" + b" " * 1000])
def test_an_answer_that_comes_drop_by_drop_is_given_up(
    line: StartLine, monkeypatch: pytest.MonkeyPatch, trickle: bytes
) -> None:
    monkeypatch.setattr(http, "LONGEST_EXCHANGE", 0.3)

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for place in range(1000):
            connection.sendall(trickle[place % len(trickle) :][:1])
            if threading.Event().wait(0.02):
                return

    with pytest.raises(AnswerLostError, match="not over after"):
        Http().send(CREATE, line(drip).url, KEY)


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
    assert Http().send(put, storage.url + "/v1", KEY, b"PNG").ok
    assert provider.heard[0].startswith(b"POST /v1/create ") and b"sk-live" in provider.heard[0]
    assert b"sk-live" not in storage.heard[0] and b"authorization" not in storage.heard[0].lower()
    assert storage.heard[0].endswith(b"\r\n\r\nPNG") and b"Content-Type: image/png" in storage.heard[0]


def test_an_upload_goes_to_public_https_or_to_the_provider_itself(line: StartLine) -> None:
    provider, storage = line(answer(b"{}")), line(answer(b""))
    for link in (f"{storage.url}/a.png", "https://127.0.0.1:1/a", "https://169.254.169.254/a", "https://a b/c"):
        with pytest.raises(NotSentError):
            Http().send(Call("PUT", link), provider.url, KEY, b"PNG")
    assert storage.heard == []


def test_no_cookie_is_kept(line: StartLine) -> None:
    server, sender = line(answer(b"{}", head="Set-Cookie: who=me\r\n")), Http()
    for _ in range(2):
        sender.send(CREATE, server.url, KEY)
    assert b"cookie" not in server.heard[1].lower()


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
        f"http://127.0.0.1:1\\@127.0.0.1:{server.port}/a",
        f"http://user@127.0.0.1:1#@127.0.0.1:{server.port}/a",
    ):
        with pytest.raises(DownloadError):
            Http().download(link, target, trusted)
    assert server.heard == [] and nothing_left(target)


def abroad(server: Any, *answers: list[str]) -> tuple[Guard, list[str]]:
    """A guard for whom every name is at PUBLIC, or at `answers` one after the other; `server` plays the internet."""
    told, dialled = list(answers), []

    def dial(address: str, port: int, seconds: float | None) -> socket.socket:
        dialled.append(address)
        return socket.create_connection(("127.0.0.1", server.port), seconds)

    return Guard(lambda host, port: told.pop(0) if told else [PUBLIC], dial), dialled


ELSEWHERE = Origin.of("https://api.example/v1")


def test_a_public_link_is_fetched_from_the_judged_address_under_its_own_name(
    line: StartLine, trusts: Authority, target: Path
) -> None:
    server = line(answer(b"PNG"), trusts.serves("pictures.example"))
    guard, dialled = abroad(server, [PUBLIC], ["127.0.0.1"])
    Http(guard).download("https://pictures.example/a.png?sig=1", target, ELSEWHERE)
    assert target.read_bytes() == b"PNG" and dialled == [PUBLIC]
    assert b"Host: pictures.example\r\n" in server.heard[0]
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1"):  # the same name, private the next time
        Http(guard).download("https://pictures.example/a.png?sig=1", target, ELSEWHERE)
    assert dialled == [PUBLIC] and len(server.heard) == 1


def test_a_public_link_needs_a_certificate_of_its_own_name(line: StartLine, trusts: Authority, target: Path) -> None:
    guard, dialled = abroad(server := line(answer(b"PNG"), trusts.serves("elsewhere.example", PUBLIC)))
    with pytest.raises(DownloadError, match="SSLError"):
        Http(guard).download("https://pictures.example/a.png", target, ELSEWHERE)
    assert dialled == [PUBLIC] and server.heard == [] and nothing_left(target)


@pytest.mark.parametrize(
    "onward",
    [
        "http://pictures.example/b",
        "https://127.0.0.1/b",
        "https://[::1]/b",
        "https://user@pictures.example/b",
        "//10.0.0.1/b",
        "file:///etc/passwd",
        "https://a b/c",
        "https://127.0.0.1\\@pictures.example/",
    ],
)
def test_a_redirect_leads_nowhere_a_link_may_not(line: StartLine, trusts: Authority, target: Path, onward: str) -> None:
    moved = answer(b"", head=f"Location: {onward}\r\n", status="302 Found")
    server = line(moved, trusts.serves("pictures.example", "127.0.0.1"))
    guard, _ = abroad(server, [PUBLIC], [urlsplit(onward).hostname or PUBLIC])
    with pytest.raises(DownloadError):
        Http(guard).download("https://pictures.example/a", target, ELSEWHERE)
    assert len(server.heard) == 1 and nothing_left(target)


def test_redirects_are_followed_five_times(line: StartLine, trusts: Authority, target: Path) -> None:
    def one_less(connection: socket.socket, asked: bytes) -> None:
        left = int(asked.split()[1].strip(b"/"))
        act = answer(b"", head=f"Location: /{left - 1}\r\n", status="302 Found") if left else answer(b"PNG")
        act(connection, asked)

    server = line(one_less, trusts.serves("pictures.example"))
    guard, _ = abroad(server)
    Http(guard).download("https://pictures.example/5", target, ELSEWHERE)
    assert target.read_bytes() == b"PNG"
    with pytest.raises(DownloadError, match="more than 5 times"):
        Http(guard).download("https://pictures.example/6", target, ELSEWHERE)


def test_a_redirect_may_lead_to_the_provider_itself(line: StartLine, trusts: Authority, target: Path) -> None:
    provider = line(answer(b"PNG"))
    moved = answer(b"", head=f"Location: {provider.url}/b\r\n", status="307 Found")
    guard, _ = abroad(line(moved, trusts.serves("pictures.example")))
    Http(guard).download("https://pictures.example/a", target, Origin.of(provider.url))
    assert target.read_bytes() == b"PNG"


@pytest.mark.slow
def test_a_download_that_comes_drop_by_drop_is_given_up(
    line: StartLine, trusts: Authority, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "LONGEST_EXCHANGE", 0.3)

    def drip(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not threading.Event().wait(0.02):
            connection.sendall(b"x")

    guard, _ = abroad(line(drip, trusts.serves("pictures.example")))
    with pytest.raises(DownloadError, match="not over after"):
        Http(guard).download("https://pictures.example/a", target, ELSEWHERE)
    assert nothing_left(target)


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
    with pytest.raises(DownloadError, match="more than 1000 bytes"):
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


def test_no_debug_log_tells_a_signed_link(line: StartLine, target: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    server = line(answer(b"PNG"))
    Http().download(f"{server.url}/a.png?signature=abc123", target, Origin.of(server.url))
    assert "/a.png?[hidden]" in caplog.text and "abc123" not in caplog.text
