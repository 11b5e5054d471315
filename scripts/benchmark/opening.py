"""Row: what the pack adds to the editor's start. Needs chromium."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from comfyui import PACK_FOLDER, ComfyUI
from editor import READY_MILLISECONDS, launched
from playwright.sync_api import Page, sync_playwright

from benchmark.figures import Figure, Goal
from benchmark.sizes import Sizes

if TYPE_CHECKING:
    from benchmark.stage import Stage

PACK = f"/extensions/{PACK_FOLDER}/"
WITHOUT = "?without"
SIZE = {"width": 800, "height": 500}
READY = "window.app?.extensionManager && window.app?.graph && window.LiteGraph?.registered_node_types?.KSampler"
#: Notes when the editor is ready, and keeps the pack's files from it where the address asks for that.
WATCH = f"""(() => {{
  performance.setResourceTimingBufferSize(3000);
  const fetched = window.fetch;
  window.fetch = async (...asked) => {{
    const answer = await fetched(...asked);
    if (!/\\/extensions$/.test(new URL(asked[0], location).pathname)) return answer;
    const files = await answer.json();
    const kept = files.filter((file) => location.search !== "{WITHOUT}" || !file.startsWith("{PACK}"));
    return Response.json(kept);
  }};
  const timer = setInterval(() => {{
    if (!({READY})) return;
    window.readyAt = performance.now();
    clearInterval(timer);
  }}, 2);
}})()"""
FETCHED = f"""performance.getEntriesByType("resource")
  .filter((entry) => entry.name.includes("{PACK}") && entry.startTime < window.readyAt)
  .flatMap((entry) => [entry.startTime, entry.responseEnd])"""


@dataclass(frozen=True)
class Start:
    """Seconds until the editor is ready, and from the first request for our files to their last byte."""

    seconds: float
    fetching: float


def start(stage: Stage | None, sizes: Sizes) -> Iterator[Figure]:
    with ComfyUI() as comfyui, sync_playwright() as playwright:
        comfyui.post("/settings", {"Comfy.TutorialCompleted": True})
        page = launched(playwright).new_page(viewport=SIZE)
        page.add_init_script(WATCH)
        _opened(page, comfyui.address)  # the editor's own files are in the browser's cache from here on
        runs = [_pairs(page, comfyui.address, sizes.starts) for _ in range(sizes.runs)]
    yield Figure(
        "start", "with the pack, beside without it",
        tuple(mean(ours.seconds - bare.seconds for ours, bare in run) for run in runs), "s", Goal(median=0.05), bound=0,
    )  # fmt: skip
    yield Figure(
        "start", "until the files it waits for have come",
        tuple(max(ours.fetching for ours, _ in run) for run in runs), "s", Goal(worst=0.05), bound=0,
    )  # fmt: skip


def _pairs(page: Page, address: str, count: int) -> list[tuple[Start, Start]]:
    """Starts with and without the pack, turn about: a machine that grows slower treats both alike."""
    pairs = []
    for number in range(count):
        if number % 2:
            ours, bare = _opened(page, address), _opened(page, f"{address}/{WITHOUT}")
        else:
            bare, ours = _opened(page, f"{address}/{WITHOUT}"), _opened(page, address)
        pairs.append((ours, bare))
    return pairs


def _opened(page: Page, address: str) -> Start:
    page.goto(address)
    page.wait_for_function("window.readyAt", timeout=READY_MILLISECONDS, polling=100)
    ready, times = page.evaluate("window.readyAt"), page.evaluate(FETCHED)
    page.wait_for_timeout(1000)  # what follows the start shall not run into the next one
    return Start(ready / 1000, (max(times) - min(times)) / 1000 if times else 0.0)
