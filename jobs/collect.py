"""The last step: original bytes kept where they belong before anything decodes them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
from pathlib import Path

from ..errors import SetupError, UnfinishedError, UnreadError
from .bucket import BucketError
from .decode import inspect
from .drives import put_in_place
from .http import DownloadError
from .job import Job
from .links import Origin
from .results import Results, file_stem
from .schedule import backoff
from .settings import Endpoint, Settings
from .states import State
from .task import Result, Task

ATTEMPTS = 4
EXPIRED = (401, 403, 404, 410)
"""What storage answers for a link whose time is over; asking the provider again gives a new one."""


MOST_LINKS = 16
"""No model makes more pictures than nine; an answer with more links than this is not followed to its end."""


class LinksExpiredError(Exception):
    """At least one result link no longer works."""


def kept_files(results: tuple[Result, ...], settings: Settings) -> tuple[Path, ...]:
    """The result files, whole and on this machine; empty when any is gone.

    Blocks while it brings them from a bucket. Raises SetupError where they may lie there and it does not answer.
    """
    kept, files = Results(settings), []
    for result in results:
        try:
            file = kept.find(result)
        except BucketError as error:
            raise SetupError(
                f"The pictures of this request are paid for and kept in {settings.results_url}, which could not be "
                f"read: {error}. Nothing was sent and nothing was paid: {error.todo}, then run again."
            ) from None
        except OSError as error:
            raise SetupError(
                f"The pictures of this request are paid for and kept, but could not be brought to {settings.results} "
                f"({error.strerror}). Nothing was sent and nothing was paid: make room or make it writable, then run "
                "again."
            ) from None
        if file is None:
            return ()
        files.append(file)
    return tuple(files)


async def collect(job: Job, endpoint: Endpoint, links: tuple[str, ...]) -> tuple[tuple[Path, ...], int]:
    """Fetches every picture side by side; returns the files in order and how many are missing.

    Raises LinksExpiredError when a fresh look could help, UnreadError when bytes that came are no picture;
    those bytes stay on disk. Raises UnfinishedError where they cannot be kept.
    """
    trusted = Origin.of(endpoint.base_url)
    kept = {result.position: result for result in await job.services.write(job.services.ledger.results, job.task)}
    fetched = await asyncio.gather(
        *(_kept_or_fetched(job, link, place, kept.get(place), trusted) for place, link in enumerate(links)),
        return_exceptions=True,
    )
    for outcome in fetched:
        if isinstance(outcome, LinksExpiredError | UnreadError):
            raise outcome
        if isinstance(outcome, BaseException) and not isinstance(outcome, DownloadError):
            raise outcome
    files = tuple(outcome for outcome in fetched if isinstance(outcome, Path))
    return files, len(links) - len(files)


async def read_again(job: Job) -> tuple[Path, ...]:
    """The pictures of a task that is not done though its bytes are kept, where this version can read all; else none."""
    task, services = job.task, job.services
    rows = {result.position: result for result in await services.write(services.ledger.results, task)}
    files = []
    for position in range(task.count):
        if position in rows:
            file = await _found(job, rows[position])
        else:
            file = await _read_now(job, position) if task.state is State.UNREAD else None
        if file is None:
            return ()
        files.append(file)
    for row in rows.values():
        await _share(job, row.file)
    return tuple(files)


async def _read_now(job: Job, position: int) -> Path | None:
    """A picture that an older version could not read; None where this one cannot either."""
    name = f"{file_stem(job.task, position)}.unread"
    unread = job.settings.results / name
    with contextlib.suppress(UnreadError, BucketError, OSError):
        if not unread.is_file():
            await job.services.on(job.services.download_threads, _results(job).bring, name)
        if unread.is_file():
            return await _keep(job, unread, position)
    return None


async def _found(job: Job, result: Result) -> Path | None:
    """The kept file of a result. What cannot be brought now is as good as gone: the provider is asked again."""
    with contextlib.suppress(BucketError, OSError):
        return await job.services.on(job.services.download_threads, _results(job).find, result)
    return None


async def _kept_or_fetched(job: Job, link: str, position: int, kept: Result | None, trusted: Origin) -> Path:
    there = await _found(job, kept) if kept else None
    if kept is None or there is None:
        return await _fetch(job, link, position, trusted)
    # An earlier try may have ended before the bytes were where other workers find them.
    await _share(job, kept.file)
    return there


async def _fetch(job: Job, link: str, position: int, trusted: Origin) -> Path:
    services, task = job.services, job.task
    # Each download has a file of its own: two workers may collect one task, when one of them was taken for dead.
    target = job.settings.results / f"{file_stem(task, position)}.{secrets.token_hex(4)}.download"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await services.on(services.download_threads, services.http.download, link, target, trusted)
            break
        except DownloadError as error:
            if error.status in EXPIRED:
                raise LinksExpiredError(str(error)) from error
            if attempt == ATTEMPTS:
                raise
            await asyncio.sleep(backoff(attempt))
        except OSError as error:
            raise UnfinishedError(
                f"Task {task.handle} is paid for and done, but its picture could not be written to {target.parent} "
                f"({error.strerror}). Make room or make it writable, then run again to fetch it without paying.",
                task.handle,
            ) from error
    try:
        return await _keep(job, target, position)
    except UnreadError:
        with contextlib.suppress(UnfinishedError):
            await _share(job, f"{file_stem(task, position)}.unread")
        raise


async def _keep(job: Job, target: Path, position: int) -> Path:
    """Written down with what it holds, then put where every worker finds it."""
    services, task, folder = job.services, job.task, job.settings.results
    result = await services.on(services.picture_threads, _identify, target, folder, position, task)
    await services.write(services.ledger.keep, task, result)
    await _share(job, result.file)
    return folder / result.file


async def _share(job: Job, name: str) -> None:
    """Before the task is done, so that whoever finds it done finds its bytes."""
    services, task = job.services, job.task
    if job.settings.results_url is None:
        return
    try:
        await services.on(services.upload_threads, _results(job).share, name)
    except BucketError as error:
        raise UnfinishedError(
            f"Task {task.handle} is paid for and done, and its picture is on this machine's disk, but it could not be "
            f"put into {job.settings.results_url}: {error}. Nothing is paid again: {error.todo}, then run again.",
            task.handle,
        ) from None


def _results(job: Job) -> Results:
    return Results(job.settings)


def _identify(target: Path, folder: Path, position: int, task: Task) -> Result:
    """Names the file after what it holds. Raises UnreadError, naming the file, when that is no picture."""
    try:
        ending = {"jpeg": "jpg"}.get(kind := inspect(target).format, kind)
    except UnreadError as error:
        kept = put_in_place(target, folder / f"{file_stem(task, position)}.unread").relative_to(folder).as_posix()
        raise UnreadError(
            f"Task {task.handle} is done and paid for, but what came as picture {position + 1} cannot be read "
            f"({error.__cause__ or error}). The bytes are kept as {kept} among the results. Nothing is paid again: run "
            "again to fetch it anew.",
            task.handle,
        ) from error
    named = put_in_place(target, folder / f"{file_stem(task, position)}.{ending}")
    data = named.read_bytes()
    return Result(position, named.relative_to(folder).as_posix(), len(data), hashlib.sha256(data).hexdigest())
