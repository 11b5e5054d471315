"""Results in a bucket: there before the task is done, so that any worker hands them out, and never lost with it."""

from __future__ import annotations

import secrets
import time
from dataclasses import replace
from pathlib import Path

import pytest
from s3 import KEY, S3, SECRET, BreakingLine

from kling_pack.errors import SetupError, UnfinishedError, UnreadError
from kling_pack.jobs import collect
from kling_pack.jobs.keeping import DAY, drop_old
from kling_pack.sandbox.behaviour import Fault

from ..jobs.conftest import Bench


class Office:
    """Machines with disks of their own, one ledger and one bucket."""

    def __init__(self, first: Bench, s3: S3, prefix: str, folder: Path) -> None:
        self.first, self.s3, self.prefix, self._folder = first, s3, prefix, folder
        self.house, self.machines = first.house, [first]
        first.environment.setenv("KLING_LEDGER_URL", f"sqlite:///{first.home / 'ledger.sqlite'}")
        first.environment.setenv("KLING_RESULTS_URL", f"s3://kling/{prefix}")
        first.home.mkdir()

    def another(self) -> Bench:
        """A machine that has just been set up, and is used from now on."""
        self.close()
        home = self._folder / f"machine {len(self.machines)}"
        self.first.environment.setenv("KLING_HOME", str(home))
        self.machines.append(Bench(home, self.house, self.first.environment))
        return self.machines[-1]

    def close(self) -> None:
        for machine in self.machines:
            machine.close()

    def set(self, **variables: str) -> None:
        """Changes `AWS_*` variables; none sets them right."""
        for name, value in self.s3.variables(**variables).items():
            self.first.environment.setenv(name, value)

    def kept(self) -> dict[str, bytes]:
        return self.s3.objects(self.prefix)


@pytest.fixture
def office(bench: Bench, aws: S3, tmp_path: Path, request: pytest.FixtureRequest) -> Office:
    office = Office(bench, aws, f"out/{secrets.token_hex(4)}", tmp_path)
    request.addfinalizer(office.close)
    return office


def test_what_is_done_lies_in_the_bucket_and_any_worker_hands_it_out(office: Office) -> None:
    outcome = office.first.one(provider="modellix", n=2)
    assert [file.read_bytes() for file in outcome.files] == [*office.kept().values()]
    assert [file.relative_to(office.first.home / "results").as_posix() for file in outcome.files] == [*office.kept()]
    office.house.reset()
    other = office.another()
    again = other.one(provider="modellix", n=2)
    assert again.error is None and again.how == "reused" and office.house.stats("modellix")["requests"] == 0
    assert [file.read_bytes() for file in again.files] == [*office.kept().values()]
    assert all(file.is_relative_to(other.home / "results") for file in again.files)


def test_a_machine_that_has_its_copy_needs_no_bucket(office: Office) -> None:
    office.first.one(provider="modellix")
    office.set(SECRET_ACCESS_KEY="another-planted-secret")
    assert office.first.one(provider="modellix").error is None


@pytest.mark.parametrize("wrong", [b"short", "other bytes", None])
def test_a_wrong_object_is_as_good_as_gone_and_fetched_again_from_the_provider(
    office: Office, wrong: bytes | str | None
) -> None:
    office.first.one(provider="modellix", n=2)
    before = office.kept()
    store, name = office.s3.store(office.prefix), next(iter(before))
    if wrong is None:
        store.delete(name)
    else:
        store.put(name, wrong if isinstance(wrong, bytes) else b"x" * len(before[name]))
    again = office.another().one(provider="modellix", n=2)
    assert again.error is None and office.house.paid() == 1
    assert [file.read_bytes() for file in again.files] == [*before.values()]
    assert office.kept() == before, "and put right"


# A bucket that fails after the task was paid for.


@pytest.mark.parametrize("forgotten", [False, True], ids=["", "forgotten by the provider"])
@pytest.mark.parametrize("wrong", ["keys", "bucket", "line"])
def test_a_bucket_that_does_not_take_a_result_leaves_it_to_be_put_there_later(
    office: Office, wrong: str, forgotten: bool
) -> None:
    with BreakingLine(office.s3.port, up=300) as line:
        if wrong == "keys":
            office.set(SECRET_ACCESS_KEY="another-planted-secret")
        elif wrong == "line":
            office.set(ENDPOINT_URL=line.url)
        else:
            office.first.environment.setenv("KLING_RESULTS_URL", "s3://nowhere/out")
        outcome = office.first.one(provider="modellix", n=2)
    assert type(outcome.error) is UnfinishedError and outcome.task is not None
    told = str(outcome.error)
    for part in (outcome.task.handle, "is paid for and done", "on this machine's disk", "could not be put into s3://",
                 "(KLING_RESULTS_URL)", "Nothing is paid again", "run again"):  # fmt: skip
        assert part in told
    assert not any(secret in told for secret in (KEY, SECRET, "planted", "Signature="))
    assert office.first.states() == ["accepted"] and office.kept() == {}
    if forgotten:
        office.house.reset()
    office.set()
    office.first.environment.setenv("KLING_RESULTS_URL", f"s3://kling/{office.prefix}")
    again = office.first.one(provider="modellix", n=2)
    assert again.error is None and office.first.states() == ["done"]
    assert office.house.paid() == (0 if forgotten else 1)
    assert [file.read_bytes() for file in again.files] == [*office.kept().values()]


def test_a_bucket_that_cannot_be_read_is_told_before_anything_is_paid(office: Office) -> None:
    office.first.one(provider="modellix")
    other = office.another()
    office.set(SECRET_ACCESS_KEY="another-planted-secret")
    outcome = other.one(provider="modellix")
    told = str(outcome.error)
    assert type(outcome.error) is SetupError
    assert "paid for and kept in s3://kling/" in told and "could not be read: it answered SignatureDoes" in told
    assert "nothing was paid: check AWS_ACCESS_KEY_ID" in told and "planted" not in told
    office.set()
    assert other.one(provider="modellix").error is None and office.house.paid() == 1


def test_a_full_disk_of_the_machine_that_hands_out(office: Office) -> None:
    office.first.one(provider="modellix")
    other = office.another()
    other.home.mkdir()
    (other.home / "results").write_text("a file where the folder should be")
    outcome = other.one(provider="modellix")
    assert type(outcome.error) is SetupError and office.house.paid() == 1
    assert "could not be brought to" in str(outcome.error) and "nothing was paid" in str(outcome.error)


def test_bytes_that_could_not_be_read_lie_there_for_a_newer_version_elsewhere(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect = collect.inspect

    def older(path: Path) -> object:
        raise UnreadError("a format of the future")

    monkeypatch.setattr(collect, "inspect", older)
    assert type(office.first.one(provider="modellix", n=2).error) is UnreadError
    assert [name.split(".")[-1] for name in office.kept()] == ["unread"] * 2
    monkeypatch.setattr(collect, "inspect", inspect)
    office.house.reset()
    newer = office.another().one(provider="modellix", n=2)
    assert newer.error is None and len(newer.files) == 2 and office.house.stats("modellix")["requests"] == 0


def test_some_pictures_are_kept_there_before_the_others_come(office: Office) -> None:
    office.house.behave(Fault("cut", on="download", after=1))
    assert office.first.one(provider="modellix", n=3).missing == 2
    assert len(office.kept()) == 1
    office.house.behave()
    whole = office.first.one(provider="modellix", n=3)
    assert [file.read_bytes() for file in whole.files] == [*office.kept().values()] and len(whole.files) == 3


def test_the_days_hold_there_as_well_and_for_the_packs_own_names_alone(office: Office) -> None:
    office.first.one(provider="modellix", n=2)
    office.s3.store(office.prefix).put("2026-01/holiday.png", b"mine")
    settings = replace(office.another().settings, keep_results_days=3)
    assert drop_old(settings, time.time() + 2 * DAY) == 0
    assert drop_old(settings, time.time() + 4 * DAY) == 2
    assert [*office.kept()] == ["2026-01/holiday.png"]
