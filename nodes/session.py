"""The engine of this process and the settings of this moment."""

from __future__ import annotations

import asyncio
import logging
import threading
from pathlib import Path

from ..errors import KlingError
from ..jobs.engine import Engine
from ..jobs.settings import Settings, load_settings
from ..jobs.states import State
from ..jobs.version import VERSION
from . import host

LOG = logging.getLogger("kling")
_lock = threading.Lock()
_engines: dict[tuple[Path, str], Engine] = {}
_sandboxes: dict[Path, object] = {}


def settings_now() -> Settings:
    """All settings as they are set now. Raises SetupError."""
    return load_settings(host.default_home())


def engine(settings: Settings) -> Engine:
    """The engine on these settings' ledger, started with the first call. Blocks while it opens the ledger."""
    with _lock:
        key = (settings.home, settings.ledger_url)
        if key in _engines:
            _engines[key].renew(settings)
        else:
            _engines[key] = Engine(settings, VERSION, sandbox_address)
        return _engines[key]


def engines() -> tuple[Engine, ...]:
    """The engines that run."""
    with _lock:
        return tuple(_engines.values())


async def settings_soon() -> Settings:
    """The same as `settings_now`, read beside ComfyUI's loop."""
    return await asyncio.to_thread(settings_now)


async def engine_soon() -> Engine:
    """The engine on the settings of this moment, opened beside ComfyUI's loop."""
    return await asyncio.to_thread(engine, await settings_soon())


def sandbox_address(home: Path, dialect: str) -> str:
    """The sandbox's base URL for a provider's dialect, started with the first call."""
    from ..sandbox.behaviour import Behaviour
    from ..sandbox.server import Sandbox

    with _lock:
        sandbox = _sandboxes.get(home)
        if not isinstance(sandbox, Sandbox):
            sandbox = _sandboxes[home] = Sandbox(home / "sandbox", behaviour=Behaviour(limits={})).start()
        return sandbox.base_url(dialect)


def take_up_later() -> None:
    """Looks for open tasks on a thread of its own, so that ComfyUI's start does not wait for the ledger."""
    threading.Thread(target=_take_up_quietly, name="kling-take-up", daemon=True).start()


def _take_up_quietly() -> None:
    try:
        take_up_open_tasks()
    except KlingError as error:
        LOG.warning("Open tasks were not taken up: %s", error)


def take_up_open_tasks() -> None:
    """Starts the engine if a ledger is there that holds tasks which are paid for and not collected.

    On a ledger of several machines it starts in any case: another one may die and leave tasks behind.
    """
    settings = settings_now()
    if not settings.ledger_url.startswith("sqlite"):
        engine(settings)
        return
    if not Path(settings.ledger_url.removeprefix("sqlite:///")).exists():
        return
    from ..jobs.ledger import Ledger

    ledger = Ledger(settings.ledger_url)
    try:
        waiting = ledger.in_state(State.NEW, State.SUBMITTING, State.ACCEPTED)
    finally:
        ledger.close()
    if waiting:
        engine(settings)
