"""Everything the pack needs from ComfyUI beyond `comfy_api.latest`, and the only file that imports those modules.

None of them is a public interface. What a version has not got, or has elsewhere, is done without: docs/comfyui.md
says what then stands in, and which version gives what.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UnfinishedError

try:
    import folder_paths
except ImportError:
    folder_paths = None
try:
    from comfy import model_management
except ImportError:
    model_management = None
try:
    from comfy.utils import ProgressBar
except ImportError:
    ProgressBar = None
try:
    from comfy_execution.graph import ExecutionBlocker
except ImportError:
    ExecutionBlocker = None
try:
    from comfy_execution.utils import get_executing_context
except ImportError:
    get_executing_context = None
try:
    from server import PromptServer
except ImportError:
    PromptServer = None

USER_FOLDER = "kling"
CUSTOM_NODES = Path(__file__).absolute().parents[2]


def default_home() -> Path:
    """ComfyUI's folder for what HTTP must not reach; older versions have the rule but not the function."""
    if own := getattr(folder_paths, "get_system_user_directory", None):
        return Path(own(USER_FOLDER))
    users = getattr(folder_paths, "get_user_directory", None)
    # Where ComfyUI cannot say it: beside custom_nodes/, where it keeps users unless it is told otherwise.
    return Path(users() if users else CUSTOM_NODES.parent / "user") / f"__{USER_FOLDER}"


def input_folder() -> Path:
    """Where LoadImage finds its pictures."""
    return Path(folder_paths.get_input_directory())


def executing() -> tuple[str | None, str | None]:
    """The ids of the prompt and the node that run right now."""
    context = get_executing_context() if get_executing_context else None
    return (context.prompt_id, str(context.node_id)) if context else (None, None)


def interrupted() -> bool:
    """Whether Stop was pressed. Read without clearing it: other nodes look as well."""
    pressed = getattr(model_management, "processing_interrupted", None)
    return bool(pressed()) if pressed else False


def interruption() -> BaseException:
    """What to raise so that ComfyUI shows *interrupted* and not an error."""
    stopped: BaseException = getattr(model_management, "InterruptProcessingException", InterruptedError)()
    return stopped


def blocker() -> Any:
    """An output that keeps everything which hangs on it from running, without an error.

    Raises UnfinishedError where ComfyUI has none: the alternative is a node that is given nothing.
    """
    if ExecutionBlocker is None:
        raise UnfinishedError(
            "The task goes on and nothing is paid again, but this version of ComfyUI cannot hold back what hangs on "
            "images. Switch wait on and run again to collect it."
        )
    return ExecutionBlocker(None)


def progress_bar(node_id: str | None, total: int) -> Callable[[int], None]:
    """Sets ComfyUI's progress bar of a node to a value out of `total`.

    Where Stop was pressed, ComfyUI raises from the bar and takes Stop back: the nodes beside this one would wait on.
    """
    if ProgressBar is None:
        return lambda value: None
    bar, stopped = ProgressBar(total, node_id=node_id), type(interruption())

    def move(value: int) -> None:
        try:
            bar.update_absolute(value, total)
        except stopped:
            model_management.interrupt_current_processing()

    return move


def show_text(text: str, node_id: str | None) -> None:
    """Shows a line on the node. ComfyUI may save it with the workflow: it must hold no secret."""
    send = getattr(server(), "send_progress_text", None)
    if send is not None and node_id is not None:
        send(text, node_id)


def server() -> Any:
    """ComfyUI's web server, or None where nodes run without one."""
    return getattr(PromptServer, "instance", None)
