"""The six nodes, and what happens when ComfyUI takes them in."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import ComfyExtension, io

from ..catalog.operations import OPERATIONS, Operation
from . import hooks, host, routes, session, web_files
from .generate import generate, number_of
from .poll import KlingPoll
from .schema import schema_of


def node_class(made_by: Operation) -> type[io.ComfyNode]:
    """The node of an operation. Its inputs, outputs and checks all come from the catalogue."""

    class Node(io.ComfyNode):
        @classmethod
        def define_schema(cls) -> io.Schema:
            return schema_of(made_by)

        @classmethod
        def fingerprint_inputs(cls, **inputs: Any) -> int:
            return number_of(inputs)

        @classmethod
        async def execute(cls, **inputs: Any) -> io.NodeOutput:
            return await generate(made_by, inputs, cls.hidden.extra_pnginfo)

    Node.__name__ = Node.__qualname__ = made_by.node_id
    Node.__doc__ = made_by.description
    return Node


class KlingExtension(ComfyExtension):
    """Hands the nodes to ComfyUI; routes are added and open tasks taken up once its server runs."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        server = host.server()
        if server is not None:
            routes.add_to(server)
            hooks.add_to(server)
            web_files.add_to(server)

            async def take_up(app: Any) -> None:
                session.take_up_later()

            server.app.on_startup.append(take_up)
        return [*(node_class(operation) for operation in OPERATIONS), KlingPoll]
