"""Every setting of the pack, read in this one place: the environment first, then what was saved in KLING_HOME."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ..catalog.models import PROVIDERS
from ..catalog.prices import Overrides, load_overrides
from ..catalog.request import SANDBOX
from ..errors import SetupError
from ..providers import ADAPTERS
from ..providers.base import Limits
from .bucket import BucketAddress, require_client

KEYS_FILE = "keys.json"
PRICES_FILE = "prices.json"
ENDPOINT_PATTERN = r"^https?://[^\s/?#]+[^\s?#]*$"
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[\w!.*'()+=,;:&$@ -]+)*)/*")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)

Variables = TypeVar("Variables", bound=BaseSettings)


class _ProviderVariables(BaseSettings):
    """`EACHLABS_API_KEY` and its neighbours; the prefix is the provider's name."""

    api_key: SecretStr | None = None
    base_url: str | None = Field(None, pattern=ENDPOINT_PATTERN)
    concurrency: int | None = Field(None, ge=1, le=1000)
    requests_per_minute: int | None = Field(None, ge=1, le=100_000)


class _PackVariables(BaseSettings):
    """`KLING_HOME` and its neighbours."""

    model_config = SettingsConfigDict(env_prefix="KLING_", env_ignore_empty=True)

    home: Path | None = None
    ledger_url: SecretStr | None = None
    results_url: str | None = None
    upload_url: str | None = None
    sandbox: Literal["editor", "always", "never"] = "editor"
    on_interrupt: Literal["keep", "cancel"] = "keep"
    max_images_per_run: int = Field(36, ge=1)
    daily_budget_usd: float | None = Field(None, ge=0)
    public_url: str | None = Field(None, pattern=ENDPOINT_PATTERN)
    keep_results_days: int = Field(30, ge=1)


class _BucketVariables(BaseSettings):
    """`AWS_ACCESS_KEY_ID` and its neighbours, as every S3 client reads them."""

    access_key_id: SecretStr | None = None
    secret_access_key: SecretStr | None = None
    session_token: SecretStr | None = None
    region: str | None = None
    default_region: str = "us-east-1"
    endpoint_url: str | None = Field(None, pattern=ENDPOINT_PATTERN)


@dataclass(frozen=True)
class Endpoint:
    """Where one provider is reached and with which key. `base_url` has no trailing slash.

    `saved` says that the key is the one from KLING_HOME, not one of the environment.
    Input pictures that go as links are put into `bucket`; without one, into the provider's own upload.
    """

    name: str
    base_url: str
    key: SecretStr | None
    limits: Limits
    saved: bool = False
    bucket: BucketAddress | None = None

    @property
    def key_hash(self) -> str:
        """Tells keys apart in the ledger without being one; empty where there is none."""
        if self.key is None:
            return ""
        return hashlib.sha256(f"kling:{self.name}:{self.key.get_secret_value()}".encode()).hexdigest()[:16]

    @property
    def limits_key(self) -> str:
        """What the key's limits are counted under."""
        return f"{self.name}/{self.key_hash}"


@dataclass(frozen=True)
class Settings:
    """All settings as they were when a run began.

    `results` is the folder of the original results; where `results_url` is set, they are kept in that bucket, and the
    folder is this machine's copy.
    """

    home: Path
    ledger_url: str
    results: Path
    results_url: BucketAddress | None
    upload_url: BucketAddress | None
    endpoints: Mapping[str, Endpoint]
    sandbox: Literal["editor", "always", "never"]
    on_interrupt: Literal["keep", "cancel"]
    max_images_per_run: int
    daily_budget_usd: float | None
    public_url: str | None
    keep_results_days: int
    prices: Overrides

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every key in use, for redaction."""
        keys = [end.key for end in self.endpoints.values()]
        for place in (self.results_url, self.upload_url):
            keys += [place.secret_access_key, place.session_token] if place else []
        return tuple(dict.fromkeys(key.get_secret_value() for key in keys if key))

    @property
    def with_key(self) -> tuple[str, ...]:
        """Providers that have a key, in the catalogue's order."""
        return tuple(name for name in PROVIDERS if self.endpoints[name].key)

    def auto_means_sandbox(self, from_editor: bool) -> bool:
        """Whether `auto` stands for the sandbox in a prompt that does or does not come from the editor."""
        if self.sandbox == "editor":
            return from_editor and not self.with_key
        return self.sandbox == "always"


def load_settings(default_home: Path) -> Settings:
    """Reads all settings now. Raises SetupError that names a variable whose value cannot be."""
    pack = _read(_PackVariables, "KLING_")
    home = (pack.home or default_home).expanduser().absolute()
    saved = saved_keys(home / KEYS_FILE)
    ledger = pack.ledger_url.get_secret_value() if pack.ledger_url else f"sqlite:///{home / 'ledger.sqlite'}"
    in_bucket = (pack.results_url or "").startswith("s3://")
    uploads = _bucket("KLING_UPLOAD_URL", pack.upload_url) if pack.upload_url else None
    return Settings(
        home=home,
        ledger_url=ledger,
        results=home / "results" if in_bucket or not pack.results_url else _folder(pack.results_url),
        results_url=_bucket("KLING_RESULTS_URL", pack.results_url) if pack.results_url and in_bucket else None,
        upload_url=uploads,
        endpoints={name: _endpoint(name, saved.get(name), uploads) for name in PROVIDERS},
        sandbox=pack.sandbox,
        on_interrupt=pack.on_interrupt,
        max_images_per_run=pack.max_images_per_run,
        daily_budget_usd=pack.daily_budget_usd,
        public_url=pack.public_url.rstrip("/") if pack.public_url else None,
        keep_results_days=pack.keep_results_days,
        prices=load_overrides(home / PRICES_FILE),
    )


def sandbox_endpoint(base_url: str = "") -> Endpoint:
    """The sandbox as an endpoint: any key opens it, it has no limits worth waiting for, and pictures stay here."""
    return Endpoint(SANDBOX, base_url, SecretStr("sandbox"), Limits(in_flight=64, per_minute=6000))


def _endpoint(name: str, saved_key: str | None, bucket: BucketAddress | None) -> Endpoint:
    adapter = ADAPTERS[name]
    read = _read(_ProviderVariables, f"{name.upper()}_")
    key = read.api_key if read.api_key and read.api_key.get_secret_value().strip() else None
    saved = key is None and bool(saved_key)
    if key is None and saved_key:
        key = SecretStr(saved_key)
    limits = Limits(read.concurrency or adapter.limits.in_flight, read.requests_per_minute or adapter.limits.per_minute)
    stripped = SecretStr(key.get_secret_value().strip()) if key else None
    if stripped and not re.fullmatch(r"[!-~]+", stripped.get_secret_value()):
        raise SetupError(
            f"The key of {name} holds a space or a character that no key has. Nothing was sent and nothing was paid: "
            f"copy it anew into {name.upper()}_API_KEY or the settings."
        )
    return Endpoint(name, (read.base_url or adapter.base_url).rstrip("/"), stripped, limits, saved, bucket)


def _folder(url: str) -> Path:
    """The folder that `KLING_RESULTS_URL` names, as a path or as a file URL."""
    if not _SCHEME.match(url):
        return Path(url).expanduser().absolute()
    parts = urlsplit(url)
    share = f"//{parts.netloc}" if parts.netloc not in ("", "localhost") else ""
    if parts.scheme != "file" or not parts.path.strip("/") or (share and os.name != "nt"):
        raise _cannot_be("KLING_RESULTS_URL: it must be a folder, file:///folder, or s3://bucket/prefix")
    return Path(re.sub("^/(?=[A-Za-z]:)", "", share + unquote(parts.path)))


def _bucket(setting: str, url: str) -> BucketAddress:
    """The place in a bucket that `setting` names, with the keys of the environment."""
    found = _BUCKET.fullmatch(url)
    if not found or {".", ".."} & set(found[2].split("/")):
        raise _cannot_be(f"{setting}: it must be s3://bucket/prefix")
    require_client(setting)
    read = _read(_BucketVariables, "AWS_")
    if read.access_key_id is None or read.secret_access_key is None:
        raise _cannot_be(f"{setting}: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set for it")
    return BucketAddress(
        setting,
        found[1],
        found[2].strip("/"),
        read.access_key_id,
        read.secret_access_key,
        read.session_token,
        read.region or read.default_region,
        read.endpoint_url,
    )


def _read(kind: type[Variables], prefix: str) -> Variables:
    try:
        return kind(_env_prefix=prefix, _env_ignore_empty=True)
    except ValidationError as error:
        problems = "; ".join(f"{prefix}{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors())
        raise _cannot_be(problems) from None


def _cannot_be(problems: str) -> SetupError:
    return SetupError(
        f"A setting has a value that cannot be used: {problems}. Nothing was sent and nothing was paid: "
        "correct the environment variable and restart ComfyUI."
    )


def saved_keys(path: Path) -> Mapping[str, str]:
    """The keys in a file of `KEYS_FILE`'s form, by provider; none where there is no file. Raises SetupError."""
    try:
        saved = json.loads(path.read_text("utf-8"))
        return {name: str(key) for name, key in saved.items() if key}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise SetupError(
            f"The saved keys in {path} cannot be read ({type(error).__name__}). Nothing was sent and nothing was "
            "paid: remove the file and set the keys again."
        ) from None
