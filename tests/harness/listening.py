"""What the editor hears of a run while it goes on: ComfyUI's websocket."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from types import TracebackType
from typing import Any

import aiohttp
from comfyui import ComfyUI

TEXT = 3
"""ComfyUI's number for a text that is shown on a node."""


class Listening:
    """Keeps everything that ComfyUI tells its editors from now on. Use as a context manager.

    `texts` are the lines shown on nodes as (node id, line), `events` the JSON messages as (type, data).
    """

    def __init__(self, comfyui: ComfyUI) -> None:
        self.texts: list[tuple[str, str]] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._address = f"{comfyui.address}/ws"
        self._connected = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Listening:
        self._thread.start()
        if not self._connected.wait(10):
            raise TimeoutError("ComfyUI's websocket did not answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._listening.cancel)
        self._thread.join(10)

    def bars(self, node_id: str) -> list[tuple[float, float]]:
        """The values of a node's progress bar, each as (value, most)."""
        nodes = [data["nodes"] for kind, data in self.events if kind == "progress_state"]
        return [(node[node_id]["value"], node[node_id]["max"]) for node in nodes if node_id in node]

    def _run(self) -> None:
        self._listening = self._loop.create_task(self._listen())
        self._loop.run_until_complete(asyncio.gather(self._listening, return_exceptions=True))
        self._loop.close()

    async def _listen(self) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(self._address) as socket:
            async for message in socket:
                self._connected.set()  # ComfyUI speaks first
                if message.type is aiohttp.WSMsgType.BINARY:
                    self._read_bytes(message.data)
                elif message.type is aiohttp.WSMsgType.TEXT:
                    told = json.loads(message.data)
                    self.events.append((told["type"], told["data"]))

    def _read_bytes(self, data: bytes) -> None:
        kind, length = struct.unpack(">II", data[:8])
        if kind == TEXT:
            self.texts.append((data[8 : 8 + length].decode(), data[8 + length :].decode()))
