"""Inputs through the user's own bucket: handed over as links, deleted after the task, nothing paid when it fails."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from s3 import KEY, S3, SECRET, BreakingLine

from kling_pack.errors import SetupError
from kling_pack.jobs import placing, uploads
from kling_pack.jobs.encode import encode
from kling_pack.jobs.keeping import DAY, drop_old
from kling_pack.sandbox.behaviour import Fault

from ..jobs.conftest import SECONDS, Bench, ended, shade, until

EDIT: dict[str, Any] = {"name": "edit", "provider": "eachlabs"}


class Inputs:
    """The place of KLING_UPLOAD_URL, and a provider that can reach it."""

    def __init__(self, bench: Bench, s3: S3, prefix: str) -> None:
        self.bench, self.s3, self.prefix = bench, s3, prefix
        bench.environment.setenv("KLING_UPLOAD_URL", f"s3://kling/{prefix}")
        self.behave()

    def behave(self, *faults: Fault, **more: Any) -> None:
        self.bench.house.behave(*faults, reachable=(f"{self.s3.url}/kling/",), **more)

    def lying(self) -> dict[str, bytes]:
        return self.s3.objects(self.prefix)


@pytest.fixture
def inputs(bench: Bench, aws: S3) -> Inputs:
    return Inputs(bench, aws, f"in/{secrets.token_hex(4)}")


@pytest.mark.parametrize("provider", ["eachlabs", "apimodels"])
def test_a_picture_goes_into_the_bucket_and_the_provider_fetches_it_there(inputs: Inputs, provider: str) -> None:
    outcome = inputs.bench.one("edit", provider=provider, pictures=[9])
    assert outcome.error is None
    ((name, data),) = inputs.lying().items()
    assert data == encode(shade(9)).data and Image.open(BytesIO(data)).size == (300, 300)
    assert re.fullmatch(hashlib.sha256(data).hexdigest() + r"-[0-9a-f]{8}\.png", name)
    assert inputs.bench.house.stats(provider)["uploads"] == 0, "the provider's own upload is left alone"


def test_a_provider_that_takes_base64_gets_base64(inputs: Inputs) -> None:
    assert inputs.bench.one("edit", provider="modellix", pictures=[1]).error is None
    assert inputs.lying() == {}


def test_what_the_sandbox_paints_never_leaves_the_machine(inputs: Inputs) -> None:
    assert inputs.bench.one("edit", provider="sandbox", pictures=[1]).error is None
    assert inputs.lying() == {}


def test_a_picture_is_put_there_once_for_all_providers_and_deleted_soon_after_the_last(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = inputs.bench
    for provider in ("eachlabs", "apimodels"):
        assert bench.one("edit", provider=provider, pictures=[1]).error is None
        assert len(inputs.lying()) == 1
    monkeypatch.setattr(uploads, "LINGER_SECONDS", 0.01)
    assert bench.one(**EDIT, pictures=[1], seed=1).error is None
    until(lambda: not inputs.lying())


def test_what_lingers_is_deleted_when_the_engine_closes(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LAST_DELETIONS_SECONDS", SECONDS)
    assert inputs.bench.one(**EDIT, pictures=[1]).error is None
    inputs.bench.close()
    assert inputs.lying() == {}


def test_what_a_running_task_may_still_read_outlives_the_engine_and_is_swept_up_a_day_later(inputs: Inputs) -> None:
    bench = inputs.bench
    inputs.behave(seconds=0.5)
    (ticket,) = bench.submit(**EDIT, pictures=[1])
    ticket.accepted.result(SECONDS)
    bench.restart()
    assert bench.one(**EDIT, pictures=[1]).error is None and bench.house.paid() == 1
    bench.close()
    assert len(inputs.lying()) == 1
    assert drop_old(bench.settings, time.time() + DAY / 2) == 0
    assert drop_old(bench.settings, time.time() + DAY * 1.1) == 1
    assert inputs.lying() == {}


def test_two_machines_do_not_delete_each_others_picture(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LINGER_SECONDS", 0.01)
    one, other = inputs.bench, Bench(tmp_path / "other", inputs.bench.house, monkeypatch)
    inputs.behave(seconds=1.0)
    slow = one.submit(**EDIT, pictures=[1], seed=1)
    slow[0].accepted.result(SECONDS)
    (its,) = inputs.lying()
    inputs.behave()
    monkeypatch.setenv("KLING_HOME", str(other.home))
    assert other.one(**EDIT, pictures=[1], seed=2).error is None
    until(lambda: [*inputs.lying()] == [its])
    assert ended(slow)[0].error is None
    other.close()


def test_the_life_of_a_link_begins_when_the_request_is_put_together(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the picture has waited for its turn before."""
    monkeypatch.setattr(placing, "LINK_SECONDS", life := 5)
    bench = inputs.bench
    assert bench.one(**EDIT, pictures=[1]).error is None
    written = next(iter(inputs.s3.store(inputs.prefix).list()))[0]["last_modified"].timestamp()
    until(lambda: time.time() > written + life + 0.5)
    assert bench.one(**EDIT, pictures=[1], seed=1).error is None
    assert len(inputs.lying()) == 1


def test_no_link_and_no_key_is_written_down(inputs: Inputs) -> None:
    bench = inputs.bench
    outcome = bench.one(**EDIT, pictures=[1])
    bench.close()
    text = repr(outcome) + str(bench.rows())
    for file in bench.home.rglob("*"):
        text += file.read_bytes().decode("latin-1") if file.is_file() else ""
    for secret in (KEY, SECRET, "X-Amz-", "Signature"):
        assert secret not in text


# What is told when it fails.


def refused(inputs: Inputs) -> str:
    """The error of a run that the bucket stops before anything is paid, and then not any more."""
    bench = inputs.bench
    outcome = bench.one(**EDIT, pictures=[1])
    assert type(outcome.error) is SetupError
    assert bench.states() == ["failed"] and bench.house.paid() == 0
    assert bench.house.stats("eachlabs")["requests"] == 0
    told = str(outcome.error)
    assert told.startswith("The input picture could not be put into s3://") and "(KLING_UPLOAD_URL)" in told
    assert "No task was created and nothing was paid" in told and told.endswith(", then run again.")
    assert not any(secret in told + bench.rows()[0]["reason"] for secret in (KEY, SECRET, "planted"))
    for name, value in inputs.s3.variables().items():
        bench.environment.setenv(name, value)
    bench.environment.setenv("KLING_UPLOAD_URL", f"s3://kling/{inputs.prefix}")
    assert bench.one(**EDIT, pictures=[1]).error is None and bench.house.paid() == 1
    return told


def test_wrong_keys(inputs: Inputs) -> None:
    inputs.bench.environment.setenv("AWS_SECRET_ACCESS_KEY", "another-planted-secret")
    assert "SignatureDoesNotMatch" in refused(inputs)


def test_a_missing_bucket(inputs: Inputs) -> None:
    inputs.bench.environment.setenv("KLING_UPLOAD_URL", "s3://nowhere/in")
    assert "create it or correct its name" in refused(inputs)


def test_a_connection_that_is_cut(inputs: Inputs, aws: S3) -> None:
    with BreakingLine(aws.port, up=300) as line:
        inputs.bench.environment.setenv("AWS_ENDPOINT_URL", line.url)
        assert "the connection broke" in refused(inputs)


def test_a_link_that_the_provider_cannot_fetch_is_the_providers_refusal(inputs: Inputs) -> None:
    inputs.bench.house.behave()
    outcome = inputs.bench.one(**EDIT, pictures=[1])
    assert "failed to download the input" in str(outcome.error) and "nothing was paid" in str(outcome.error)


def test_a_link_that_ended_is_no_use(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the sandbox does is what a provider would: it reads the picture with nothing but the link."""
    bench = inputs.bench
    assert bench.one(**EDIT, pictures=[1]).error is None
    (name,) = inputs.lying()
    link = placing.open_bucket(bench.settings.upload_url).sign(name, 1)  # type: ignore[arg-type]
    assert requests.get(link, timeout=SECONDS).ok
    until(lambda: requests.get(link, timeout=SECONDS).status_code == 403)
