"""The S3 client: wanted only where a setting names a bucket, and quoted nowhere. tests/services has a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from socket import socket
from typing import Any

import pytest
from pydantic import SecretStr

from kling_pack.errors import SetupError
from kling_pack.jobs import bucket
from kling_pack.jobs.bucket import Bucket, BucketAddress, BucketError, open_bucket, require_client

from .conftest import Line

SECRET = "planted-secret-of-the-bucket"
ADDRESS = BucketAddress("KLING_UPLOAD_URL", "kling", "in", SecretStr("AKIAPLANTED"), SecretStr(SECRET))


def test_without_the_extra_a_person_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    require_client("KLING_UPLOAD_URL")
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(SetupError) as told:
        require_client("KLING_UPLOAD_URL")
    for part in ("KLING_UPLOAD_URL", "pip install obstore", "nothing was paid"):
        assert part in str(told.value)


@pytest.mark.slow
def test_the_client_is_loaded_for_a_bucket_and_not_before() -> None:
    code = (
        "import sys; from pack import load_pack; load_pack(); import kling_pack.jobs.engine; "
        "assert 'obstore' not in sys.modules"
    )
    path = f"import sys; sys.path[:0] = {sys.path!r}; "
    subprocess.run([sys.executable, "-c", path + code], check=True)


def test_an_address_is_told_without_its_keys() -> None:
    assert str(ADDRESS) == "s3://kling/in (KLING_UPLOAD_URL)"
    assert "PLANTED" not in repr(ADDRESS).upper() and SECRET not in f"{ADDRESS!r}"


def test_a_bucket_is_opened_once_for_each_address() -> None:
    assert open_bucket(ADDRESS) is open_bucket(ADDRESS)


@pytest.mark.parametrize(
    ("answer", "told", "todo"),
    [
        ("403 Forbidden|<Code>AccessDenied</Code>", "it answered AccessDenied", "check AWS_ACCESS_KEY_ID"),
        ("403 Forbidden|", "it answered HTTP 403", "check AWS_ACCESS_KEY_ID"),
        ("301 Moved|<Code>PermanentRedirect</Code>", "the bucket is in another region", "set AWS_REGION"),
        ("400 Bad|<Code>ExpiredToken</Code>", "it answered ExpiredToken", "get a new AWS_SESSION_TOKEN"),
        ("403 Forbidden|<Code>RequestTimeTooSkewed</Code>", "it answered RequestTimeTooSkewed", "set this machine's"),
        ("418 Teapot|<html>", "it answered HTTP 418", "look what that means there"),
        ("400 Bad|<Code>A B</Code> AKIAPLANTED", "it answered HTTP 400", "look what that means there"),
    ],
)
def test_of_an_answer_only_its_code_is_told(
    answer: str, told: str, todo: str, line: Callable[[Callable[[socket, bytes], None]], Line]
) -> None:
    """Amazon's answers quote the key and what was signed."""
    status, body = answer.split("|")
    text = f"<Error>{body}<StringToSign>{SECRET}</StringToSign></Error>"

    def act(connection: Any, asked: bytes) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        connection.sendall((head + text).encode())

    address = BucketAddress(
        "KLING_UPLOAD_URL", "kling", "", SecretStr("AKIAPLANTED"), SecretStr(SECRET), endpoint_url=line(act).url
    )
    with pytest.raises(BucketError) as refused:
        Bucket(address).put("a.png", b"1", "image/png")
    assert str(refused.value) == told and refused.value.todo.startswith(todo)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_a_session_token_goes_with_the_keys(line: Callable[[Callable[[socket, bytes], None]], Line]) -> None:
    server = line(
        lambda connection, asked: connection.sendall(b"HTTP/1.1 200 OK\r\nETag: 1\r\nContent-Length: 0\r\n\r\n")
    )
    given = {"session_token": SecretStr("the-token"), "endpoint_url": server.url, "region": "eu-central-1"}
    opened = Bucket(BucketAddress("KLING_UPLOAD_URL", "kling", "", SecretStr("AKIA"), SecretStr(SECRET), **given))
    opened.put("a.png", b"1", "image/png")
    assert b"x-amz-security-token: the-token" in server.heard[0] and b"/eu-central-1/s3/" in server.heard[0]
    assert SECRET.encode() not in server.heard[0]


def test_a_server_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch, line: Callable[[Callable[[socket, bytes], None]], Line]
) -> None:
    monkeypatch.setattr(bucket, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(bucket, "RETRIES", 0)
    server = line(lambda connection, asked: connection.recv(1) and None)
    hanging = Bucket(
        BucketAddress("KLING_UPLOAD_URL", "kling", "", SecretStr("A"), SecretStr(SECRET), endpoint_url=server.url)
    )
    with pytest.raises(BucketError, match="the connection broke or took too long"):
        hanging.get("a.png", 10)


def test_plain_http_goes_to_the_endpoint_that_says_so_alone() -> None:
    assert Bucket(ADDRESS)._store.client_options is not None
    assert Bucket(ADDRESS)._store.client_options.get("allow_http") in (False, "false")
