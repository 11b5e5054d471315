"""Where original results are kept: a folder, and behind it the bucket of `KLING_RESULTS_URL` where that names one.

With a bucket the folder is this machine's copy: bytes come to its disk first, go into the bucket before the task is
done, and come back from there to any worker that needs them.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from .bucket import Bucket, open_bucket
from .drives import put_in_place
from .http import LARGEST_PICTURE
from .settings import Settings
from .task import Result, Task

_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}
_NAME = re.compile(r"[0-9]{4}-[0-9]{2}/[a-z]+-[0-9]{6,}-[0-9a-f]{8}-[0-9]+\.[a-z0-9.]+")


def file_stem(task: Task, position: int) -> str:
    """A name of its own also where a new ledger counts from 1 again beside an old one's pictures."""
    mark = hashlib.sha256(str(task.provider_id).encode()).hexdigest()[:8]
    month = time.strftime("%Y-%m", time.gmtime(task.created_at))
    return f"{month}/{task.provider}-{task.number:06d}-{mark}-{position + 1}"


class Results:
    """Names are below the folder and below the bucket's prefix alike. Every call blocks: it belongs on a thread."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.results
        self._address = settings.results_url

    @property
    def _bucket(self) -> Bucket | None:
        return open_bucket(self._address) if self._address else None

    def find(self, result: Result) -> Path | None:
        """The file of a result, whole; brought from the bucket where it is not here. None where it is nowhere.

        Raises BucketError where the bucket does not answer, OSError where the folder cannot be written.
        """
        file = self.folder / result.file
        if file.is_file() and file.stat().st_size == result.size:
            return file
        data = self._bucket.get(result.file, result.size) if self._bucket else None
        if data is None or len(data) != result.size or hashlib.sha256(data).hexdigest() != result.digest:
            return None
        return self._lay(result.file, data)

    def bring(self, name: str) -> None:
        """Lays a file into the folder that nobody could read yet, so that nothing is known of it, if the bucket has it.

        Raises BucketError or OSError.
        """
        data = self._bucket.get(name, LARGEST_PICTURE) if self._bucket else None
        if data is not None:
            self._lay(name, data)

    def share(self, name: str) -> None:
        """Puts a file of the folder into the bucket, where there is one. Raises BucketError or OSError."""
        if self._bucket:
            file = self.folder / name
            self._bucket.put(name, file.read_bytes(), _TYPES.get(file.suffix, "application/octet-stream"))

    def drop_old(self, before: float) -> int:
        """Deletes the pack's files that were written before that time (seconds since 1970); returns how many."""
        dropped = sum(_dropped(file, before) for file in self._files())
        if self._bucket:
            old = [one.name for one in self._bucket.list() if one.written_at < before and _NAME.fullmatch(one.name)]
            self._bucket.delete(*old)
            dropped += len(old)
        return dropped

    def _files(self) -> Iterator[Path]:
        """Only what carries a name of the pack: the folder may hold other files of its owner."""
        for file in self.folder.rglob("*"):
            if _NAME.fullmatch(file.relative_to(self.folder).as_posix()):
                yield file

    def _lay(self, name: str, data: bytes) -> Path:
        file = self.folder / name
        part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            put_in_place(part, file)
        finally:
            part.unlink(missing_ok=True)
        return file


def _dropped(file: Path, before: float) -> bool:
    try:
        if file.is_file() and file.stat().st_mtime < before:
            file.unlink()
            return True
    except OSError:  # another process was faster, or still has it open; the next start tries again
        pass
    return False
