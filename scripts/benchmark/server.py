"""The one server of a benchmark, as a process: the sandbox for the pack, the stand-in for ComfyUI's own node.

`python -m benchmark.server --home DIR` prints both addresses as one line of JSON and serves until it is told to stop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from pathlib import Path

from aiohttp import web
from pack import load_pack

from benchmark.standin import application


async def serve(home: Path) -> None:
    load_pack()
    from kling_pack.sandbox.server import HOST, Sandbox

    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopped.set))
    loop = asyncio.get_running_loop()
    with Sandbox(home) as sandbox:
        runner = web.AppRunner(application(sandbox.base_url("modellix")), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        addresses = {"sandbox": sandbox.origin, "standin": f"http://{HOST}:{runner.addresses[0][1]}"}
        print(json.dumps(addresses | {"modellix": sandbox.base_url("modellix")}), flush=True)
        await stopped.wait()
        await runner.cleanup()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="benchmark.server", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    asyncio.run(serve(parser.parse_args().home))
