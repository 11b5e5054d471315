"""ComfyUI's real editor in a real Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from comfyui import PACK_FOLDER, ComfyUI
from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

READY_MILLISECONDS = 90_000
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
KNOWN_NODE = "node.constructor?.nodeData || ['Note', 'MarkdownNote', 'Reroute'].includes(node.type)"


def launched(playwright: Playwright) -> Browser:
    """The system's Chromium or Chrome, without a window."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=program, args=list(FLAGS))


class Editor:
    """One page of the editor. `vue` chooses its newer renderer where the version has one. A context manager."""

    def __init__(self, comfyui: ComfyUI, vue: bool = False, size: tuple[int, int] = (1720, 900)) -> None:
        self.comfyui, self._vue, self._size = comfyui, vue, size
        self.messages: list[str] = []
        """Console errors and warnings from the pack's own files."""
        self.locale = "en"
        """The editor's language, from when it is opened."""

    def __enter__(self) -> Editor:
        settings: dict[str, Any] = {"Comfy.TutorialCompleted": True, "Comfy.Locale": self.locale}
        settings |= {"Comfy.VueNodes.Enabled": self._vue, "Comfy.Minimap.Visible": False}
        self.comfyui.post("/settings", settings)
        self._playwright = sync_playwright().start()
        self._browser = launched(self._playwright)
        self.page: Page = self._browser.new_page(viewport={"width": self._size[0], "height": self._size[1]})
        self.page.on("console", lambda message: self._note(message.type, message.text, str(message.location)))
        self.page.on("pageerror", lambda error: self._note("error", str(error), str(error.stack)))
        self.page.route("**/*", self._own_host_only)
        self.reload()
        return self

    def reload(self) -> None:
        """Opens the page anew; returns when the editor and what the pack adds to it are there."""
        self.page.goto(self.comfyui.address)
        self.page.wait_for_function(
            "Boolean(window.app?.extensionManager && window.app?.graph)", timeout=READY_MILLISECONDS
        )
        self.page.wait_for_function(
            "Boolean(window.LiteGraph?.registered_node_types['KlingT2I'])", timeout=READY_MILLISECONDS
        )
        self.page.wait_for_function(
            "window.app.extensions.some((extension) => extension.name === 'kling.keys')", timeout=READY_MILLISECONDS
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._browser.close()
        self._playwright.stop()

    def load(self, workflow: Mapping[str, Any]) -> None:
        self.page.evaluate("async (workflow) => { await app.loadGraphData(workflow) }", workflow)

    def missing_nodes(self) -> list[str]:
        """Types in the open graph that this editor does not know."""
        missing: list[str] = self.page.evaluate(
            f"app.graph.nodes.filter((node) => !({KNOWN_NODE})).map((node) => node.type)"
        )
        return missing

    def widgets(self, node_type: str) -> dict[str, Any]:
        """The widgets of a new node of this type, by name, with their first values."""
        made: dict[str, Any] = self.page.evaluate(
            """(type) => {
                const node = LiteGraph.createNode(type); app.graph.add(node);
                const values = Object.fromEntries(node.widgets.map((widget) => [widget.name, widget.value]));
                app.graph.remove(node); return values }""",
            node_type,
        )
        return made

    def run(self, seconds: float = 90) -> dict[str, Any]:
        """Presses Run on the open graph and returns its entry in the history. Raises TimeoutError."""
        before = set(self.comfyui.get("/history"))
        self.page.evaluate("async () => { await app.queuePrompt(0) }")
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            history = self.comfyui.get("/history")
            if new := [name for name in history if name not in before]:
                entry: dict[str, Any] = history[new[0]]
                return entry
            self.page.wait_for_timeout(100)
        raise TimeoutError(f"the run did not end within {seconds:.0f} s")

    def fit(self) -> None:
        """Brings the whole graph into view."""
        self.page.evaluate("app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        self.page.wait_for_timeout(800)

    def screenshot(self, target: Path, below: int = 0) -> None:
        """Stores what the page shows, without its uppermost `below` pixels."""
        target.parent.mkdir(parents=True, exist_ok=True)
        shown = {"x": 0, "y": below, "width": self._size[0], "height": self._size[1] - below}
        quality = {"type": "jpeg", "quality": 85} if target.suffix == ".jpg" else {}
        self.page.screenshot(path=str(target), clip=shown, **quality)  # type: ignore[arg-type]

    def _note(self, kind: str, text: str, where: str) -> None:
        if kind in ("error", "warning") and f"/extensions/{PACK_FOLDER}" in where:
            self.messages.append(f"{kind}: {text}")

    def _own_host_only(self, route: Route) -> None:
        own = route.request.url.startswith((self.comfyui.address, "data:", "blob:"))
        route.continue_() if own else route.abort()
