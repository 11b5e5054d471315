"""Says that this worker is alive, and takes up what dead workers left and what could not be written down in time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ..errors import SetupError
from .redact import redact
from .services import Services
from .states import State
from .task import TakenError, Task
from .worker import is_gone

LOG = logging.getLogger("kling")
BEAT_SECONDS = 5.0


class Leases:
    """Used on the engine's loop alone, under `admitting`, so that nobody is let in while a task changes hands.

    `is_in_hand` tells whether this engine carries a task, `follow` makes it do so.
    """

    def __init__(
        self,
        services: Services,
        admitting: asyncio.Lock,
        is_in_hand: Callable[[Task], bool],
        follow: Callable[[Task], object],
    ) -> None:
        self._services, self._admitting = services, admitting
        self._is_in_hand, self._follow = is_in_hand, follow
        self.living: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Takes up what was left behind, unasked, and goes on looking for it as long as the engine runs."""
        async with self._admitting:  # whoever comes first finds what was left behind in hand again
            await self._beat(opening=True)
        self.living = asyncio.create_task(self._live())

    async def end(self) -> None:
        """Says goodbye. Raises SetupError where the ledger cannot be written; who says none is missed after a while."""
        await self._write_late()
        await self._services.write(self._services.sharing.leave)

    async def take_up(self, left: Task) -> None:
        """What was accepted is followed, what was on its way is uncertain, what was never sent never will be.

        What this worker has given up itself is left to whoever is asked for it.
        """
        write, ledger, sharing = self._services.write, self._services.ledger, self._services.sharing
        if left.state is State.ACCEPTED and left.worker == self._services.worker:
            await write(sharing.release, left)
            return
        task = await write(sharing.take_over, left)
        if task is None:
            return
        ends = {
            State.NEW: (State.CANCELLED, "never sent: the process ended"),
            State.SUBMITTING: (State.UNCERTAIN, "the process ended while it was sent"),
        }
        if task.state in ends:
            state, reason = ends[task.state]
            await write(ledger.step, task, state, reason=reason)
            return
        if task.identity and task.collected_at is None:
            await write(ledger.note_saving, task, "recovered", self._services.now())
        self._follow(task)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                async with self._admitting:
                    await self._beat()
            except Exception as error:  # noqa: BLE001 - a mistake of the pack must not end the beats
                LOG.error("A beat met a mistake of the pack: %s", redact(f"{type(error).__name__}: {error}"))

    async def _beat(self, opening: bool = False) -> None:
        write, sharing = self._services.write, self._services.sharing
        try:
            await write(sharing.beat)
            for worker in await write(sharing.others):
                if is_gone(worker, self._services.worker):
                    await write(sharing.leave, worker)
            for task in await self._write_late():
                self._follow(task)
            for task in await write(sharing.left_behind, opening):
                if task.worker == self._services.worker and self._is_in_hand(task):
                    continue
                try:
                    await self.take_up(task)
                except (TakenError, ValueError) as error:
                    LOG.warning("Task %s was not taken up: %s", task.handle, error)
        except SetupError as error:
            LOG.warning("Open tasks were not taken up: %s", error)

    async def _write_late(self) -> list[Task]:
        """Tasks whose ids could not be written down when they came, and are now."""
        write, ledger, late = self._services.write, self._services.ledger, self._services.unwritten
        written = []
        while late:
            task = await write(ledger.seen, late[0].task)
            if task.state in (State.SUBMITTING, State.UNCERTAIN):
                columns = {**late[0].columns, "worker": self._services.worker}
                written.append(await write(ledger.step, task, State.ACCEPTED, **columns))
            late.popleft()
        return written
