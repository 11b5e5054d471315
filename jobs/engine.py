"""The engine: one thread with one loop, shared by all prompts. Nodes hand work over and wait beside it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from . import settle
from .dispatch import LAST_ANSWERS_SECONDS, Dispatch
from .redact import redact
from .services import SandboxAddress, Services
from .settings import Settings
from .task import Task
from .ticket import Ticket
from .work import Handle, Run

if TYPE_CHECKING:
    from .ledger import Ledger

LOG = logging.getLogger("kling")

Answer = TypeVar("Answer")


class Engine:
    """Starts its thread at once. `settings` are those under which it opens the ledger."""

    def __init__(self, settings: Settings, version: str, sandbox_address: SandboxAddress) -> None:
        # SQLAlchemy would cost every start of ComfyUI half a second; the first task can spare it.
        from .ledger import Ledger

        # The ledger is opened here, so that one that cannot be written is told before anything is planned.
        self._services = Services(Ledger(settings.ledger_url), version, sandbox_address)
        self._loop = asyncio.new_event_loop()
        self._dispatch = Dispatch(self._services, settings)
        self._thread = threading.Thread(target=self._serve, name="kling-engine", daemon=True)
        self._thread.start()
        self.call(self._dispatch.open()).add_done_callback(_log_failure)

    def renew(self, settings: Settings) -> None:
        """What nobody asks for is followed under these from now on: a key may have come since the engine began."""
        self._loop.call_soon_threadsafe(setattr, self._dispatch, "settings", settings)

    def submit(self, work: Run) -> Future[tuple[Ticket, ...]]:
        """A ticket for each request, in order; equal requests share a task. Raises what admission refuses."""
        return self.call(self._dispatch.submit(work))

    def poll(self, handles: tuple[Handle, ...], settings: Settings) -> Future[tuple[Ticket, ...]]:
        """A ticket for each handle, from any run, any day."""
        return self.call(self._dispatch.take(handles, settings))

    def look(self, into: Callable[[Ledger], Answer]) -> Future[Answer]:
        """Asks the ledger, in turn with everything else that does."""
        return self.call(self._services.write(into, self._services.ledger))

    def cancel(self, handle: Handle) -> Future[str]:
        """Stops a task as far as its provider can; the answer says what will come of it."""
        return self.call(settle.cancel(self._services, self._dispatch.jobs.values(), handle))

    def resolve(self, handle: Handle, provider_id: str | None) -> Future[Task]:
        """Settles an uncertain task: as accepted under the id found at the provider, or as never created."""
        return self.call(self._dispatch.resolve(handle, provider_id))

    def mark_unread(self, task: Task, reason: str) -> Future[Task]:
        """A kept picture turned out to be unreadable: the next run fetches it anew, for nothing."""
        return self.call(self._dispatch.mark_unread(task, reason))

    def wake(self, provider: str, hook: str) -> Future[None]:
        """A provider says that the task of this hook has ended; it is looked at now."""
        return self.call(self._dispatch.wake(provider, hook))

    def call(self, work: Coroutine[Any, Any, Answer]) -> Future[Answer]:
        """Runs `work` on the engine's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Ends the thread. Accepted tasks stay in the ledger and are taken up by the next engine."""
        self.call(self._dispatch.close()).result(timeout=LAST_ANSWERS_SECONDS + 10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()


def _log_failure(opening: Future[None]) -> None:
    if not opening.cancelled() and (error := opening.exception()):
        LOG.warning("Open tasks were not taken up: %s", redact(f"{type(error).__name__}: {error}"))
