"""The last step: original bytes on disk before anything decodes them."""

from __future__ import annotations

import asyncio
import hashlib
import time
from pathlib import Path

from ..errors import UnfinishedError, UnreadError
from .decode import inspect
from .drives import put_in_place
from .http import DownloadError
from .job import Job
from .links import Origin
from .schedule import backoff
from .settings import Endpoint
from .task import Result, Task

ATTEMPTS = 4
EXPIRED = (401, 403, 404, 410)
"""What storage answers for a link whose time is over; asking the provider again gives a new one."""


MOST_LINKS = 16
"""No model makes more pictures than nine; an answer with more links than this is not followed to its end."""


class LinksExpiredError(Exception):
    """At least one result link no longer works."""


def kept_files(results: tuple[Result, ...], folder: Path) -> tuple[Path, ...]:
    """The result files that are there, whole; empty when any is missing."""
    files = [folder / result.file for result in results]
    whole = all(
        file.is_file() and file.stat().st_size == result.size for file, result in zip(files, results, strict=True)
    )
    return tuple(files) if whole else ()


async def collect(job: Job, endpoint: Endpoint, links: tuple[str, ...]) -> tuple[tuple[Path, ...], int]:
    """Fetches every picture side by side; returns the files in order and how many are missing.

    Raises LinksExpiredError when a fresh look could help, UnreadError when bytes that came are no picture;
    those bytes stay on disk.
    """
    assert job.task is not None  # noqa: S101 - only a written task is collected
    trusted = Origin.of(endpoint.base_url)
    kept = {result.position: result for result in await job.services.write(job.services.ledger.results, job.task)}
    there = {place: files[0] for place in kept if (files := kept_files((kept[place],), job.settings.results))}
    fetched = await asyncio.gather(
        *(
            _there(there[place]) if place in there else _fetch(job, link, place, trusted)
            for place, link in enumerate(links)
        ),
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
    """The pictures of a task whose bytes are kept unread, where this version can read all of them; else none."""
    task, services, folder = job.task, job.services, job.settings.results
    assert task is not None  # noqa: S101 - only a written task has kept bytes
    kept = {result.position: result for result in await services.write(services.ledger.results, task)}
    for position in range(task.count):
        if position in kept and kept_files((kept[position],), folder):
            continue
        target = (folder / _name(task, position)).with_suffix(".unread")
        if not target.is_file():
            return ()
        try:
            result = await services.on(services.picture_threads, _identify, target, folder, position, task)
        except UnreadError:
            return ()
        await services.write(services.ledger.keep, task, result)
    return kept_files(await services.write(services.ledger.results, task), folder)


async def _there(file: Path) -> Path:
    return file


async def _fetch(job: Job, link: str, position: int, trusted: Origin) -> Path:
    services, task = job.services, job.task
    assert task is not None  # noqa: S101 - only a written task is collected
    target = job.settings.results / _name(task, position)
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
    result = await services.on(services.picture_threads, _identify, target, job.settings.results, position, task)
    await services.write(services.ledger.keep, task, result)
    return job.settings.results / result.file


def _name(task: Task, position: int) -> str:
    """A name of its own also where a new ledger counts from 1 again beside an old one's pictures."""
    mark = hashlib.sha256(str(task.provider_id).encode()).hexdigest()[:8]
    month = time.strftime("%Y-%m", time.gmtime(task.created_at))
    return f"{month}/{task.provider}-{task.number:06d}-{mark}-{position + 1}.download"


def _identify(target: Path, folder: Path, position: int, task: Task) -> Result:
    """Names the file after what it holds. Raises UnreadError, naming the file, when that is no picture."""
    try:
        ending = {"jpeg": "jpg"}.get(kind := inspect(target).format, kind)
    except UnreadError as error:
        kept = put_in_place(target, target.with_suffix(".unread")).relative_to(folder).as_posix()
        raise UnreadError(
            f"Task {task.handle} is done and paid for, but what came as picture {position + 1} cannot be read "
            f"({error.__cause__ or error}). The bytes are kept as {kept} among the results. Nothing is paid again: run "
            "again to fetch it anew.",
            task.handle,
        ) from error
    named = put_in_place(target, target.with_suffix(f".{ending}"))
    data = named.read_bytes()
    return Result(position, named.relative_to(folder).as_posix(), len(data), hashlib.sha256(data).hexdigest())
