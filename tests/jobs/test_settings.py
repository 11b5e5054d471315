"""Settings: the environment first, then what was saved."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from kling_pack.errors import SetupError
from kling_pack.jobs.settings import Settings, load_settings, sandbox_endpoint

KEY = "sk-live-9f8e7d6c5b4a"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "kling"
    home.mkdir()
    return home


def load(home: Path) -> Settings:
    return load_settings(home.parent / "elsewhere")


def test_defaults(home: Path) -> None:
    settings = load(home)
    assert settings.home == home
    assert settings.results == home / "results"
    assert settings.ledger_url == f"sqlite:///{home / 'ledger.sqlite'}"
    assert (settings.sandbox, settings.on_interrupt) == ("editor", "keep")
    assert (settings.max_images_per_run, settings.daily_budget_usd, settings.keep_results_days) == (36, None, 30)
    assert settings.with_key == () == settings.secrets
    assert {name: end.base_url for name, end in settings.endpoints.items()} == {
        "eachlabs": "https://api.eachlabs.ai/v1",
        "modellix": "https://api.modellix.ai/api/v1",
        "apimodels": "https://apimodels.app/api/v1",
    }
    limits = {name: (end.limits.in_flight, end.limits.per_minute) for name, end in settings.endpoints.items()}
    assert limits == {"eachlabs": (10, 60), "modellix": (10, 100), "apimodels": (10, 60)}


def test_without_kling_home_the_default_home_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KLING_HOME")
    assert load_settings(tmp_path / "default").home == tmp_path / "default"


def test_every_variable_is_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "KLING_LEDGER_URL": "sqlite:////tmp/other.sqlite",
        "KLING_SANDBOX": "never",
        "KLING_ON_INTERRUPT": "cancel",
        "KLING_MAX_IMAGES_PER_RUN": "4",
        "KLING_DAILY_BUDGET_USD": "2.5",
        "KLING_KEEP_RESULTS_DAYS": "7",
        "EACHLABS_API_KEY": f"  {KEY}\n",
        "EACHLABS_BASE_URL": "http://127.0.0.1:8000/v1/",
        "EACHLABS_CONCURRENCY": "3",
        "EACHLABS_REQUESTS_PER_MINUTE": "20",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings = load(home)
    assert settings.ledger_url == "sqlite:////tmp/other.sqlite"
    assert (settings.sandbox, settings.on_interrupt) == ("never", "cancel")
    assert (settings.max_images_per_run, settings.daily_budget_usd, settings.keep_results_days) == (4, 2.5, 7)
    end = settings.endpoints["eachlabs"]
    assert end.key is not None and end.key.get_secret_value() == KEY
    assert end.base_url == "http://127.0.0.1:8000/v1"
    assert (end.limits.in_flight, end.limits.per_minute) == (3, 20)
    assert settings.with_key == ("eachlabs",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KLING_SANDBOX", "sometimes"),
        ("KLING_ON_INTERRUPT", "stop"),
        ("KLING_MAX_IMAGES_PER_RUN", "0"),
        ("KLING_MAX_IMAGES_PER_RUN", "many"),
        ("KLING_DAILY_BUDGET_USD", "-1"),
        ("KLING_DAILY_BUDGET_USD", "nan"),
        ("KLING_KEEP_RESULTS_DAYS", "0"),
        ("MODELLIX_BASE_URL", "api.modellix.ai"),
        ("MODELLIX_BASE_URL", "ftp://api.modellix.ai"),
        ("MODELLIX_BASE_URL", "https://api.modellix.ai/v1?x=1"),
        ("APIMODELS_CONCURRENCY", "0"),
        ("APIMODELS_REQUESTS_PER_MINUTE", "fast"),
    ],
)
def test_a_value_that_cannot_be_names_its_variable(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SetupError, match=f"{name}: .*nothing was paid"):
        load(home)


def test_an_empty_variable_counts_as_not_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KLING_SANDBOX", "KLING_MAX_IMAGES_PER_RUN", "EACHLABS_API_KEY", "EACHLABS_BASE_URL"):
        monkeypatch.setenv(name, "")
    assert load(home).endpoints["eachlabs"].key is None


@pytest.mark.parametrize("key", ["two words", "umlaut-ä", "line\nbreak"])
def test_a_key_that_no_header_carries_is_refused_without_being_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("EACHLABS_API_KEY", key)
    with pytest.raises(SetupError, match="key of eachlabs.*nothing was paid") as raised:
        load(home)
    assert key not in str(raised.value)


def test_saved_keys_stand_in_for_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "keys.json").write_text(json.dumps({"eachlabs": "saved-1", "modellix": "saved-2"}))
    monkeypatch.setenv("EACHLABS_API_KEY", KEY)
    assert load(home).secrets == (KEY, "saved-2")


@pytest.mark.parametrize("written", ["{", "[]", '"text"'])
def test_broken_saved_keys_are_told(home: Path, written: str) -> None:
    (home / "keys.json").write_text(written)
    with pytest.raises(SetupError, match=r"keys\.json cannot be read.*nothing was\s+paid"):
        load(home)


def test_keys_never_show_and_are_told_apart_by_a_hash(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EACHLABS_API_KEY", KEY)
    monkeypatch.setenv("MODELLIX_API_KEY", KEY)
    ends = load(home).endpoints
    assert KEY not in repr(load(home))
    assert ends["eachlabs"].key_hash != ends["modellix"].key_hash != ends["apimodels"].key_hash == ""
    assert ends["eachlabs"].key_hash == load(home).endpoints["eachlabs"].key_hash
    assert len(ends["eachlabs"].key_hash) == 16


@pytest.mark.parametrize(
    ("sandbox", "key", "from_editor", "means"),
    [
        ("editor", False, True, True),
        ("editor", False, False, False),
        ("editor", True, True, False),
        ("always", True, False, True),
        ("never", False, True, False),
    ],
)
def test_when_auto_means_the_sandbox(
    home: Path, monkeypatch: pytest.MonkeyPatch, sandbox: str, key: bool, from_editor: bool, means: bool
) -> None:
    monkeypatch.setenv("KLING_SANDBOX", sandbox)
    monkeypatch.setenv("MODELLIX_API_KEY", KEY if key else "")
    assert load(home).auto_means_sandbox(from_editor) is means


def test_the_sandbox_is_an_endpoint_that_any_key_opens() -> None:
    end = sandbox_endpoint("http://127.0.0.1:1/v1")
    assert end.name == "sandbox" and end.key is not None and end.base_url == "http://127.0.0.1:1/v1"


# Where pictures lie.


BUCKET = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": "planted-secret-of-the-bucket"}


@pytest.mark.parametrize(
    "named", ["/srv/kling pictures", "file:///srv/kling%20pictures", "file://localhost/srv/kling%20pictures/"]
)
def test_results_may_lie_in_another_folder(home: Path, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLING_RESULTS_URL", named)
    settings = load(home)
    assert settings.results == Path("/srv/kling pictures") and settings.results_url is None


def test_buckets_are_read_with_the_usual_variables(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KLING_RESULTS_URL", "s3://my-bucket/results/of kling/")
    monkeypatch.setenv("KLING_UPLOAD_URL", "s3://my-bucket")
    for name, value in {**BUCKET, "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": "https://s3.example.com"}.items():
        monkeypatch.setenv(name, value)
    settings = load(home)
    assert settings.results == home / "results", "this machine's copy"
    results, uploads = settings.results_url, settings.upload_url
    assert results is not None and uploads is not None
    assert (results.bucket, results.prefix) == ("my-bucket", "results/of kling")
    assert (uploads.bucket, uploads.prefix) == ("my-bucket", "")
    assert (results.region, results.endpoint_url) == ("eu-central-1", "https://s3.example.com")
    assert BUCKET["AWS_SECRET_ACCESS_KEY"] in settings.secrets and BUCKET["AWS_SECRET_ACCESS_KEY"] not in repr(settings)


def test_every_provider_gets_its_inputs_there_and_the_sandbox_its_own(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**BUCKET, "KLING_UPLOAD_URL": "s3://my-bucket/in"}.items():
        monkeypatch.setenv(name, value)
    settings = load(home)
    assert all(end.bucket == settings.upload_url for end in settings.endpoints.values())
    assert sandbox_endpoint("http://127.0.0.1:1").bucket is None


def test_without_a_bucket_the_usual_variables_are_nobodys_business(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "no address")
    assert load(home).upload_url is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KLING_RESULTS_URL", "https://example.com/results"),
        ("KLING_RESULTS_URL", "file://other-machine/results"),
        ("KLING_RESULTS_URL", "file:///"),
        ("KLING_RESULTS_URL", "s3://"),
        ("KLING_UPLOAD_URL", "/srv/inputs"),
        ("KLING_UPLOAD_URL", "s3://my-bucket/in?acl=public"),
        ("KLING_UPLOAD_URL", "s3://my-bucket/../other"),
        ("KLING_UPLOAD_URL", "s3://login:planted@my-bucket/in"),
        ("AWS_ENDPOINT_URL", "s3.example.com"),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_ACCESS_KEY_ID", ""),
    ],
)
def test_a_place_that_cannot_be_is_told_before_anything_is_paid(
    home: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for usual, right in {**BUCKET, "KLING_UPLOAD_URL": "s3://my-bucket/in", name: value}.items():
        monkeypatch.setenv(usual, right)
    with pytest.raises(SetupError) as told:
        load(home)
    assert name in str(told.value) and "nothing was paid" in str(told.value)
    assert "planted" not in str(told.value).lower()


def test_a_bucket_without_the_extra_is_told_before_anything_is_paid(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    for name, value in {**BUCKET, "KLING_RESULTS_URL": "s3://my-bucket/results"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SetupError, match="KLING_RESULTS_URL .*pip install obstore"):
        load(home)
