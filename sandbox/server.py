"""The sandbox as one object: start it, ask for an address, stop it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import aiohttp
from aiohttp import web

from .app import ROOTS, application
from .behaviour import Behaviour
from .desk import Desk

HOST = "127.0.0.1"
PAINTERS = 2
#: Requests still under way when the sandbox stops get this long (s).
SHUTDOWN = 0.2


class Sandbox:
    """A server on 127.0.0.1 that keeps its tasks and pictures under ``home``.

    ``port`` 0 is the port it last had there, when that is free, else any free one; a port that is named is
    taken or OSError raised. Nothing runs and no file is touched before `start`. Usable as a context manager.
    """

    def __init__(self, home: Path, port: int = 0, behaviour: Behaviour | None = None) -> None:
        self.home = Path(home)
        self.behaviour = behaviour or Behaviour()
        self._asked_port = port
        self._bound: Future[int] = Future()
        self._stopping: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Sandbox:
        """Returns when the socket is bound. Raises OSError when the named port is taken."""
        if self._thread is None:
            self._bound = Future()
            self._thread = threading.Thread(target=self._run, name="kling-sandbox", daemon=True)
            self._thread.start()
        try:
            self._bound.result()
        except BaseException:
            self._thread = None
            raise
        return self

    def stop(self) -> None:
        """Ends connections that hang, waits for the thread; a task that runs goes on by the clock after a
        restart."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        if self._loop is not None and self._stopping is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        thread.join()

    @property
    def port(self) -> int:
        """Raises RuntimeError before `start`."""
        if self._thread is None:
            raise RuntimeError("The sandbox is not running.")
        return self._bound.result()

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    def base_url(self, provider: str) -> str:
        """Where the provider's API starts, in place of its own base URL. Raises KeyError for an unknown
        provider."""
        return self.origin + ROOTS[provider]

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._bound.done():
                raise
            self._bound.set_exception(error)

    async def _serve(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        pool = ThreadPoolExecutor(PAINTERS, thread_name_prefix="kling-sandbox-painter")
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
            desk = Desk(self.home, self.behaviour, pool, session)
            runner = web.AppRunner(application(desk), access_log=None, shutdown_timeout=SHUTDOWN)
            await runner.setup()
            try:
                port = await self._bind(runner)
                desk.tasks.resume()
                desk.run(desk.clean_daily())
                self._bound.set_result(port)
                await self._stopping.wait()
            finally:
                await desk.close()
                await runner.cleanup()
                pool.shutdown(wait=True, cancel_futures=True)

    async def _bind(self, runner: web.AppRunner) -> int:
        remembered = self.home / "port"
        last = int(remembered.read_text("utf-8")) if not self._asked_port and remembered.exists() else 0
        try:
            await web.TCPSite(runner, HOST, self._asked_port or last).start()
        except OSError:
            if self._asked_port or not last:
                raise
            await web.TCPSite(runner, HOST, 0).start()
        port = int(runner.addresses[0][1])
        remembered.write_text(str(port), "utf-8")
        return port
