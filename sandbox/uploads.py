"""Uploads: offered, put by the client, fetched as inputs, gone after their life."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .files import read_json, write_bytes, write_json
from .refusal import Refused

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/jpg": "jpg", "image/webp": "webp"}
LARGEST_BYTES = 100_000_000


@dataclass(frozen=True)
class Upload:
    """``size`` is what was announced (None: nothing was); ``put_until`` and ``expires`` are epoch seconds."""

    id: str
    provider: str
    token: str
    content_type: str
    size: int | None
    put_until: float
    expires: float
    stored: bool = False
    deleted: bool = False

    @property
    def name(self) -> str:
        return f"{self.id}.{EXTENSIONS.get(self.content_type, 'bin')}"

    @property
    def put_path(self) -> str:
        return f"/{self.provider}/storage/{self.name}?X-Amz-Signature={self.token}"

    @property
    def public_path(self) -> str:
        return f"/{self.provider}/cdn/uploads/{self.name}"


class Uploads:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def offer(self, provider: str, content_type: str, size: int | None, put_within: float, life: float) -> Upload:
        now = time.time()
        upload = Upload(
            str(uuid.uuid4()),
            provider,
            secrets.token_hex(16),
            content_type,
            size,
            now + put_within,
            now + life,
        )
        self._write(upload)
        return upload

    def find(self, upload_id: str) -> Upload | None:
        if not re.fullmatch(r"[0-9a-f-]{36}", upload_id):
            return None
        record = read_json(self.folder / f"{upload_id}.json")
        return Upload(**record) if record else None

    def at(self, path: str) -> Upload | None:
        """The upload behind the path of its public link, if it can still be fetched."""
        match = re.fullmatch(r"/\w+/cdn/uploads/([0-9a-f-]{36})\.\w+", path)
        upload = self.find(match[1]) if match else None
        live = upload and upload.stored and not upload.deleted and time.time() < upload.expires
        return upload if live else None

    def store(self, upload: Upload, content_type: str, data: bytes) -> None:
        """Raises Refused as a storage host would: 403 for a link that ended or other headers than were
        signed."""
        if time.time() > upload.put_until:
            raise Refused(403, "Request has expired")
        if content_type != upload.content_type or (upload.size is not None and len(data) != upload.size):
            raise Refused(403, "SignatureDoesNotMatch")
        if len(data) > LARGEST_BYTES:
            raise Refused(400, "EntityTooLarge")
        write_bytes(self._data(upload), data)
        self._write(replace(upload, stored=True))

    def read(self, upload: Upload) -> bytes:
        return self._data(upload).read_bytes()

    def delete(self, upload: Upload) -> None:
        self._data(upload).unlink(missing_ok=True)
        self._write(replace(upload, deleted=True))

    def clean(self, before: float) -> None:
        """Forgets uploads whose life ended before ``before`` (epoch seconds)."""
        for path in self.folder.glob("*.json"):
            record = read_json(path)
            if record and record["expires"] < before:
                path.unlink(missing_ok=True)
                path.with_suffix(".bin").unlink(missing_ok=True)

    def _data(self, upload: Upload) -> Path:
        return self.folder / f"{upload.id}.bin"

    def _write(self, upload: Upload) -> None:
        write_json(self.folder / f"{upload.id}.json", asdict(upload))
