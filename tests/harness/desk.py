"""The open graph of an editor, by node ids and input names, in any of its versions and renderers."""

from __future__ import annotations

from typing import Any

from editor import Editor
from playwright.sync_api import Locator

NODE = "const node = app.graph.getNodeById(id); const place = (name) => node.inputs.findIndex((i) => i.name === name);"
SECONDS = 10_000


class Desk:
    """Adds, connects and reads nodes. Waits for what it reads, since the pack looks again after each change."""

    def __init__(self, editor: Editor) -> None:
        self.editor, self.page = editor, editor.page
        self.deprecations: list[str] = []
        self.page.on("console", lambda message: self._note(message.text))
        self.page.evaluate("app.graph.clear()")

    def add(self, kind: str, x: int, y: int = 0, **values: Any) -> int:
        """A new node's id."""
        made: int = self.page.evaluate(
            """([kind, x, y]) => { const node = LiteGraph.createNode(kind); node.pos = [x, y];
                app.graph.add(node); return node.id }""",
            [kind, x, y],
        )
        for name, value in values.items():
            self.set(made, name, value)
        return made

    def nodes(self) -> dict[int, str]:
        """The kinds of all nodes, by id."""
        listed: list[list[Any]] = self.page.evaluate("app.graph.nodes.map((node) => [node.id, node.type])")
        return {node: kind for node, kind in listed}

    def set(self, node: int, name: str, value: Any) -> None:
        """Chooses a widget's value as a person would."""
        self.page.evaluate(
            """([id, name, value]) => { const node = app.graph.getNodeById(id);
                const widget = node.widgets.find((one) => one.name === name);
                widget.value = value; widget.callback?.(value, app.canvas, node) }""",
            [node, name, value],
        )

    def value(self, node: int, name: str) -> Any:
        return self.page.evaluate(
            "([id, name]) => app.graph.getNodeById(id).widgets.find((one) => one.name === name).value", [node, name]
        )

    def label(self, node: int, name: str) -> str | None:
        label: str | None = self.page.evaluate(
            "([id, name]) => app.graph.getNodeById(id).widgets.find((one) => one.name === name).label", [node, name]
        )
        return label

    def connect(self, source: int, node: int, name: str) -> None:
        """Connects a node's first output, as soon as the other one shows this socket."""
        self.page.wait_for_function(
            f"([id, name]) => {{ {NODE} return place(name) >= 0 }}", arg=[node, name], timeout=SECONDS
        )
        self.page.evaluate(
            f"([source, id, name]) => {{ {NODE} app.graph.getNodeById(source).connect(0, node, place(name)) }}",
            [source, node, name],
        )

    def disconnect(self, node: int, name: str) -> None:
        self.page.evaluate(f"([id, name]) => {{ {NODE} node.disconnectInput(place(name)) }}", [node, name])

    def wait_for_sockets(self, node: int, *names: str) -> None:
        """Until the node's picture sockets are just these, in this order."""
        self.page.wait_for_function(
            """([id, names]) => JSON.stringify(app.graph.getNodeById(id).inputs
                .filter((input) => input.type === 'IMAGE').map((input) => input.name)) === names""",
            arg=[node, _json(names)],
            timeout=SECONDS,
        )

    def wait_for_badge(self, node: int, words: str) -> None:
        """Until the node carries a badge with these words; in the newer renderer, until it is seen."""
        self.page.wait_for_function(
            """([id, words]) => {
                const shown = document.querySelector(`[data-node-id="${id}"]`);
                const badges = app.graph.getNodeById(id).badges.map((badge) => badge.call ? badge().text : badge.text);
                return badges.includes(words) && (!shown || shown.innerText.includes(words)) }""",
            arg=[node, words],
            timeout=SECONDS,
        )

    def wait_for_value(self, node: int, name: str, value: Any) -> None:
        self.page.wait_for_function(
            "([id, name, value]) => app.graph.getNodeById(id).widgets.find((one) => one.name === name).value === value",
            arg=[node, name, value],
            timeout=SECONDS,
        )

    def prompt_field(self, node: int) -> Locator:
        """The text field of a node's prompt."""
        handle = self.page.evaluate_handle(
            """(id) => { const own = app.graph.getNodeById(id).widgets.find((one) => one.name === 'prompt').element;
                const field = own?.isConnected ? own : document.querySelector(`[data-node-id="${id}"] textarea`);
                field.dataset.test = id; return field }""",
            node,
        )
        handle.dispose()
        return self.page.locator(f'textarea[data-test="{node}"]')

    def api_prompt(self) -> dict[str, Any]:
        """The graph as it goes to the server, by node id."""
        made: dict[str, Any] = self.page.evaluate("async () => (await app.graphToPrompt()).output")
        return made

    def workflow(self) -> dict[str, Any]:
        """The graph as it is saved."""
        saved: dict[str, Any] = self.page.evaluate("JSON.parse(JSON.stringify(app.graph.serialize()))")
        return saved

    def open_api(self, prompt: dict[str, Any]) -> None:
        """Opens an exported API prompt."""
        self.page.evaluate("async (prompt) => { await app.loadApiJson(prompt, 'export.json') }", prompt)

    def _note(self, words: str) -> None:
        if "deprecat" in words.lower():
            self.deprecations.append(words)


def _json(names: tuple[str, ...]) -> str:
    return "[" + ",".join(f'"{name}"' for name in names) + "]"
