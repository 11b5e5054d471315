"""Results: original bytes on disk first, asked for again while that can help, and never paid for again."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest

from kling_pack.errors import RefusedError, UnfinishedError, UnreadError
from kling_pack.jobs import collect
from kling_pack.jobs.http import Http
from kling_pack.sandbox.behaviour import Fault

from .conftest import Bench


def left(bench: Bench) -> list[str]:
    return sorted(file.name for file in (bench.home / "results").rglob("*") if file.is_file())


def test_the_original_bytes_are_kept_under_the_ending_of_what_they_are(bench: Bench) -> None:
    bench.house.behave(Fault("picture:webp"))
    (file,) = bench.one(provider="modellix").files
    assert file.suffix == ".webp" and file.read_bytes()[8:12] == b"WEBP"
    assert left(bench) == [file.name]


def test_what_is_kept_is_known_by_size_and_digest(bench: Bench) -> None:
    outcome = bench.one(provider="modellix", n=3)
    assert outcome.task is not None
    results = bench.engine._services.ledger.results(outcome.task)
    assert [result.position for result in results] == [0, 1, 2]
    for file, result in zip(outcome.files, results, strict=True):
        data = file.read_bytes()
        assert (result.size, result.digest) == (len(data), hashlib.sha256(data).hexdigest())
        assert (bench.home / "results" / result.file) == file


@pytest.mark.parametrize("status", [403, 404])
def test_links_that_no_longer_work_are_asked_for_again(bench: Bench, status: int) -> None:
    bench.house.behave(Fault("expired_link", status=status))
    outcome = bench.one(provider="modellix", n=2)
    assert outcome.error is None and len(outcome.files) == 2 and bench.house.paid() == 1


def test_links_that_never_work_leave_the_task_to_be_collected_later(bench: Bench) -> None:
    bench.house.behave(Fault("http_403", on="download"))
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnfinishedError and "links no longer work" in str(outcome.error)
    assert bench.states() == ["accepted"] and left(bench) == []
    bench.house.behave()
    assert bench.one(provider="modellix").error is None and bench.house.paid() == 1


@pytest.mark.parametrize("fault", ["cut", "drop_after", "http_503"])
def test_a_download_that_breaks_is_repeated(bench: Bench, fault: str) -> None:
    bench.house.behave(Fault(fault, on="download", times=2))
    outcome = bench.one(provider="modellix")
    assert outcome.error is None and bench.house.stats("modellix")["downloads"] == 3
    assert left(bench) == [outcome.files[0].name]


def test_some_pictures_that_cannot_be_fetched_do_not_cost_the_others(bench: Bench) -> None:
    bench.house.behave(Fault("cut", on="download", after=1))
    partial = bench.one(provider="modellix", n=3)
    assert partial.error is None and (len(partial.files), partial.missing) == (1, 2)
    assert any("2 picture(s) not fetched yet: run again" in note for note in partial.notes)
    assert not partial.final and bench.states() == ["accepted"]
    bench.house.behave()
    whole = bench.one(provider="modellix", n=3)
    assert (len(whole.files), whole.missing) == (3, 0) and whole.final
    assert bench.house.paid() == 1 and bench.states() == ["done"]


def test_when_no_picture_can_be_fetched_the_task_is_kept(bench: Bench) -> None:
    bench.house.behave(Fault("http_503", on="download"))
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnfinishedError and "no picture could be fetched" in str(outcome.error)
    assert bench.states() == ["accepted"]


# What cannot be read.


@pytest.mark.parametrize("fault", [Fault("html", on="download", times=1), Fault("picture:bomb")])
@pytest.mark.slow
def test_bytes_that_are_no_picture_are_kept_and_fetched_anew_for_nothing(bench: Bench, fault: Fault) -> None:
    bench.house.behave(fault)
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnreadError and outcome.task is not None
    for said in (outcome.task.handle, "done and paid for", "bytes are kept as", "Nothing is paid again"):
        assert said in str(outcome.error)
    assert bench.states() == ["unread"] and left(bench)[0].endswith(".unread")
    again = bench.one(provider="modellix")
    assert (again.error is None) is (fault.fault == "html")
    assert bench.house.paid() == 1


def test_kept_bytes_are_read_by_a_version_that_can_also_when_the_provider_has_forgotten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspect = collect.inspect

    def older(path: Path) -> object:
        raise UnreadError("a format of the future")

    monkeypatch.setattr(collect, "inspect", older)
    assert type(bench.one(provider="modellix", n=2).error) is UnreadError
    monkeypatch.setattr(collect, "inspect", inspect)
    bench.house.reset()
    newer = bench.one(provider="modellix", n=2)
    assert newer.error is None and len(newer.files) == 2 and bench.states() == ["done"]
    assert bench.house.stats("modellix")["requests"] == 0


def test_an_answer_without_a_link_is_kept_unread_and_read_later(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kling_pack.providers.modellix.links_in", lambda _: ())
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnreadError and "holds no link to a picture" in str(outcome.error)
    assert bench.states() == ["unread"] and "resources" in str(bench.rows()[0]["answer"])
    monkeypatch.undo()
    bench.environment.setenv("KLING_HOME", str(bench.home))
    bench.environment.setenv("MODELLIX_API_KEY", "key-of-modellix-123456")
    bench.environment.setenv("MODELLIX_BASE_URL", bench.house.sandbox.base_url("modellix"))
    assert bench.one(provider="modellix").error is None and bench.house.paid() == 1


@pytest.mark.slow
def test_a_first_answer_that_cannot_be_read_holds_the_rest_of_its_batch_back(bench: Bench) -> None:
    bench.house.behave(Fault("html", on="download"))
    outcomes = bench.run("image", pictures=[1, 2, 3], provider="modellix", model="kling-v3")
    assert [type(outcome.error) for outcome in outcomes] == [UnreadError, RefusedError, RefusedError]
    assert "Held back, not sent and not paid" in str(outcomes[1].error)
    assert bench.states() == ["unread", "failed", "failed"] and bench.house.paid() == 1
    bench.house.behave()
    assert all(
        outcome.error is None
        for outcome in bench.run("image", pictures=[1, 2, 3], provider="modellix", model="kling-v3")
    )
    assert bench.house.paid() == 3


@pytest.mark.slow
def test_the_first_of_its_kind_goes_alone_and_the_rest_side_by_side(bench: Bench) -> None:
    bench.house.behave(seconds=0.15)
    bench.run("image", pictures=[1, 2, 3, 4], provider="modellix", model="kling-v3")
    rows = bench.rows()
    first = min(rows, key=lambda row: row["submitted_at"])
    others = [row for row in rows if row is not first]
    assert all(row["submitted_at"] > first["finished_at"] for row in others)
    assert max(row["submitted_at"] for row in others) < min(row["finished_at"] for row in others)


# What cannot be written.


def test_a_results_folder_that_cannot_be_written_keeps_the_task(bench: Bench) -> None:
    bench.home.mkdir(parents=True)
    (bench.home / "results").write_text("a file where the folder should be")
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnfinishedError and "could not be written to" in str(outcome.error)
    assert bench.states() == ["accepted"]
    (bench.home / "results").unlink()
    assert bench.one(provider="modellix").error is None and bench.house.paid() == 1


def test_a_full_disk_while_fetching_keeps_the_task(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux has a device that is always full."""
    full = Path("/dev/full")
    assert stat.S_ISCHR(full.stat().st_mode)
    download = Http.download

    def onto_full_disk(self: Http, url: str, target: Path, trusted: object) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_name(target.name + ".part").symlink_to(full)
        download(self, url, target, trusted)  # type: ignore[arg-type]

    monkeypatch.setattr(Http, "download", onto_full_disk)
    outcome = bench.one(provider="modellix")
    assert type(outcome.error) is UnfinishedError and "No space left on device" in str(outcome.error)
    assert bench.states() == ["accepted"] and left(bench) == []


def test_a_task_whose_bytes_are_all_kept_is_done_without_asking_anybody(bench: Bench) -> None:
    """As after a crash between the last picture and the last step."""
    first = bench.one(provider="modellix", n=2)
    bench.close()
    bench.change(state="accepted", collected_at=None)
    bench.house.reset()
    again = bench.one(provider="modellix", n=2)
    assert again.error is None and again.files == first.files
    assert bench.states() == ["done"] and bench.house.stats("modellix")["requests"] == 0
