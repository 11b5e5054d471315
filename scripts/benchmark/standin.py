"""Stands for the service that ComfyUI's own Kling node asks. Each of its tasks is one of the sandbox.

So both sides wait for the same tasks under the same limits and fetch the same files from the same server. Paths and
shapes are those of `comfy_api_nodes/nodes_kling.py` in ComfyUI 0.3.75 and its request and response models.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

PATH = "/proxy/kling/v1/images/generations"
MODEL = "kling-v3-t2i"
STATUS = {"pending": "submitted", "processing": "processing", "success": "succeed", "failed": "failed"}
RESOLUTIONS = {"kling-v1": "1k", "kling-v2": "2k"}
"""The node has no resolution: its oldest model stands for 1k, its newest for 2k."""

SANDBOX = web.AppKey("SANDBOX", aiohttp.ClientSession)


def application(base_url: str) -> web.Application:
    """`base_url` is the sandbox's for Modellix."""
    app = web.Application()

    async def connected(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(base_url.rstrip("/") + "/") as app[SANDBOX]:
            yield

    app.cleanup_ctx.append(connected)
    app.add_routes([web.post(PATH, create), web.get(PATH + "/{task}", poll)])
    return app


async def create(request: web.Request) -> web.Response:
    asked = await request.json()
    wanted = {name: asked[name] for name in ("prompt", "n", "aspect_ratio")}
    wanted["resolution"] = RESOLUTIONS[asked["model_name"]]
    return await _passed_on(request, "POST", f"kling/{MODEL}/async", wanted)


async def poll(request: web.Request) -> web.Response:
    return await _passed_on(request, "GET", f"tasks/{request.match_info['task']}", None)


async def _passed_on(request: web.Request, method: str, path: str, body: Any) -> web.Response:
    headers = {"Authorization": f"Bearer {request.headers['X-API-KEY']}"}
    async with request.app[SANDBOX].request(method, path, json=body, headers=headers) as answer:
        told = await answer.json()
        if answer.status != 200:
            return web.json_response(told, status=answer.status)
        return web.json_response({"code": 0, "message": "SUCCEED", "request_id": "bench", "data": _task(told["data"])})


def _task(told: dict[str, Any]) -> dict[str, Any]:
    now = int(time.time() * 1000)
    task = {"task_id": told["task_id"], "task_status": STATUS[told["status"]], "created_at": now, "updated_at": now}
    if "result" in told:
        links = [resource["url"] for resource in told["result"]["resources"]]
        task["task_result"] = {"images": [{"index": index, "url": url} for index, url in enumerate(links)]}
    return task
