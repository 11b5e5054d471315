"""Everything the pack needs from ComfyUI, and the only file that imports its modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths
from comfy_execution.graph import ExecutionBlocker
from comfy_execution.utils import get_executing_context
from server import PromptServer

USER_FOLDER = "kling"


def default_home() -> Path:
    """ComfyUI's folder for what HTTP must not reach; older versions have the rule but not the function."""
    if hasattr(folder_paths, "get_system_user_directory"):
        return Path(folder_paths.get_system_user_directory(USER_FOLDER))
    return Path(folder_paths.get_user_directory()) / f"__{USER_FOLDER}"


def executing() -> tuple[str | None, str | None]:
    """The ids of the prompt and the node that run right now."""
    context = get_executing_context()
    return (context.prompt_id, str(context.node_id)) if context else (None, None)


def interrupted() -> bool:
    """Whether Stop was pressed. Read without clearing it: other nodes look as well."""
    return bool(comfy.model_management.processing_interrupted())


def interruption() -> BaseException:
    """What to raise so that ComfyUI shows *interrupted* and not an error."""
    stopped: BaseException = comfy.model_management.InterruptProcessingException()
    return stopped


def blocker() -> Any:
    """An output that keeps everything which hangs on it from running, without an error."""
    return ExecutionBlocker(None)


def progress_bar(node_id: str | None, total: int) -> Callable[[int], None]:
    """Sets ComfyUI's progress bar of a node to a value out of `total`."""
    bar = comfy.utils.ProgressBar(total, node_id=node_id)
    return lambda value: bar.update_absolute(value, total)


def show_text(text: str, node_id: str | None) -> None:
    """Shows a line on the node. ComfyUI may save it with the workflow: it must hold no secret."""
    server = getattr(PromptServer, "instance", None)
    if server is not None and node_id is not None:
        server.send_progress_text(text, node_id)


def server() -> PromptServer | None:
    """ComfyUI's web server, or None where nodes run without one."""
    return getattr(PromptServer, "instance", None)
