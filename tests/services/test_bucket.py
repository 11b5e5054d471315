"""A bucket on a real S3 server: what is put there, who may read it and how long, and what is told when it fails."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

import pytest
import requests
from s3 import KEY, S3, SECRET, BreakingLine, free_ports

from kling_pack.jobs.bucket import Bucket, BucketError
from kling_pack.jobs.settings import load_settings

SECONDS = 20


def bucket(monkeypatch: pytest.MonkeyPatch, url: str, **variables: str) -> Bucket:
    """The bucket of KLING_UPLOAD_URL, some `AWS_*` variables changed."""
    monkeypatch.setenv("KLING_UPLOAD_URL", url)
    for name, value in variables.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    address = load_settings(Path("nowhere")).upload_url
    assert address is not None
    return Bucket(address)


def told(bucket: Bucket) -> str:
    """What a person reads when a put and a get fail, which is the same."""
    with pytest.raises(BucketError) as putting:
        bucket.put("a.png", b"x" * 300_000, "image/png")
    with pytest.raises(BucketError) as getting:
        bucket.get("large.png", 10**9)
    assert str(putting.value) == str(getting.value) and putting.value.todo == getting.value.todo
    text = f"{putting.value}: {putting.value.todo}"
    assert not any(secret in text + repr(putting.value.__cause__) for secret in (KEY, SECRET, "Signature=", "planted"))
    return text


@pytest.fixture
def one(aws: S3, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    return bucket(monkeypatch, f"s3://kling/a folder/{secrets.token_hex(4)}")


def test_what_is_put_comes_back_and_lies_below_the_prefix(one: Bucket, aws: S3) -> None:
    one.put("2026-11/a.png", b"\x89PNG", "image/png")
    assert one.get("2026-11/a.png", 4) == b"\x89PNG"
    assert aws.objects(one.address.prefix) == {"2026-11/a.png": b"\x89PNG"}


def test_what_is_not_there_or_too_large_is_none(one: Bucket) -> None:
    assert one.get("nothing.png", 10) is None
    one.put("a.png", b"12345", "image/png")
    assert one.get("a.png", 4) is None


def test_what_lies_there_is_listed_with_its_time_and_deleted(one: Bucket) -> None:
    for name in ("a.png", "b/c.png", "b/d.png"):
        one.put(name, b"1", "image/png")
    listed = {found.name: found.written_at for found in one.list()}
    assert sorted(listed) == ["a.png", "b/c.png", "b/d.png"]
    assert all(abs(written - time.time()) < 60 for written in listed.values())
    one.delete("a.png", "b/c.png", "nothing.png")
    assert [found.name for found in one.list()] == ["b/d.png"]
    one.delete()


def test_a_link_is_for_reading_one_object_and_for_its_time(one: Bucket) -> None:
    one.put("a.png", b"12345", "image/png")
    one.put("b.png", b"other", "image/png")
    link = one.sign("a.png", 1)
    answer = requests.get(link, timeout=SECONDS)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"12345", "image/png")
    assert SECRET not in link
    assert requests.put(link, data=b"mine", timeout=SECONDS).status_code == 403
    assert requests.get(link.replace("a.png", "b.png"), timeout=SECONDS).status_code == 403
    assert requests.get(link.split("?")[0], timeout=SECONDS).status_code == 403
    ends = time.monotonic() + SECONDS
    while requests.get(link, timeout=SECONDS).status_code == 200:
        assert time.monotonic() < ends
        time.sleep(0.1)
    assert "expired" in requests.get(link, timeout=SECONDS).text


def test_a_line_that_breaks_now_and_then_is_no_matter(one: Bucket, aws: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    one.put("large.png", b"x" * 300_000, "image/png")
    with BreakingLine(aws.port, down=100_000, times=2) as line:
        again = bucket(monkeypatch, f"s3://kling/{one.address.prefix}", ENDPOINT_URL=line.url)
        assert again.get("large.png", 10**9) == b"x" * 300_000
    with BreakingLine(aws.port, up=100_000, times=2) as line:
        again = bucket(monkeypatch, f"s3://kling/{one.address.prefix}", ENDPOINT_URL=line.url)
        again.put("a.png", b"y" * 300_000, "image/png")
    assert aws.objects(one.address.prefix)["a.png"] == b"y" * 300_000


# What is told when it fails.


def test_a_wrong_key(one: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = bucket(monkeypatch, "s3://kling/a", ACCESS_KEY_ID="AKIAplantedplanted00")
    assert told(wrong) == (
        "it answered InvalidAccessKeyId: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do there"
    )


def test_a_wrong_secret(one: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = bucket(monkeypatch, "s3://kling/a", SECRET_ACCESS_KEY="another-planted-secret")
    assert told(wrong).startswith("it answered SignatureDoesNotMatch: check AWS_ACCESS_KEY_ID")
    with pytest.raises(BucketError, match="SignatureDoesNotMatch"):
        list(wrong.list())
    with pytest.raises(BucketError, match="SignatureDoesNotMatch"):
        wrong.delete("a.png")


def test_a_bucket_that_is_missing(aws: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = bucket(monkeypatch, "s3://nowhere/a")
    assert told(missing) == "it answered NoSuchBucket: create it or correct its name"
    with pytest.raises(BucketError, match="NoSuchBucket"):
        list(missing.list())


def test_a_server_that_is_not_there(aws: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = bucket(monkeypatch, "s3://kling/a", ENDPOINT_URL=f"http://127.0.0.1:{free_ports(1)[0]}")
    assert told(alone) == "no connection could be made: check the network and AWS_ENDPOINT_URL"


@pytest.mark.parametrize("where", [{"up": 50_000, "down": 50_000}, {"up": 0}])
def test_a_line_that_always_breaks(
    one: Bucket, aws: S3, where: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    one.put("large.png", b"x" * 300_000, "image/png")
    with BreakingLine(aws.port, **where) as line:
        cut = bucket(monkeypatch, f"s3://kling/{one.address.prefix}", ENDPOINT_URL=line.url)
        assert told(cut) == "the connection broke or took too long: check the network and AWS_ENDPOINT_URL"
        assert line.connections >= 2 * 3
    assert list(aws.objects(one.address.prefix)) == ["large.png"]
