"""From the catalogue to the inputs that ComfyUI shows."""

from __future__ import annotations

from comfy_api.latest import io

from ..catalog.fields import Choice, Field, Number, Text
from ..catalog.frames import LONGEST_RATIO, SHORTEST_SIDE
from ..catalog.operations import AUTO, SEED, Operation
from ..catalog.request import PROVIDER_CHOICES

CATEGORY = "Kling"
SIZE_TIP = f"Each side at least {SHORTEST_SIDE} pixels, the long one at most {LONGEST_RATIO:g} times the short one."
MODEL_TIP = "The Kling model. The node's help page says who offers it, at what price, and what it leaves out."
PROVIDER_TIP = (
    "Who makes the picture. auto: of the providers you have a key for, one that has all you set, then the cheapest; "
    "with no key, the sandbox. sandbox: your own machine, for nothing."
)
WAIT_TIP = (
    "Off: go on as soon as the task is accepted. images is held back; Kling Poll collects it with the handle in task."
)
IMAGES_TIP = "The pictures as one batch, in the order of the inputs."
MASK_TIP = "1 where the picture is new, 0 where the original was; one for each picture, at its size."
TASK_TIP = "One handle a line, provider:id, for Kling Poll on any day."
REPORT_TIP = "One line a task: what was made, where, how long it took, what it cost and what was changed."


def schema_of(operation: Operation) -> io.Schema:
    """The node's schema: inputs in the contract's order, outputs images, mask where there is one, task, report."""
    mask = [io.Mask.Output("mask", display_name="mask", tooltip=MASK_TIP)]
    return io.Schema(
        node_id=operation.node_id,
        display_name=operation.title,
        category=CATEGORY,
        description=operation.description,
        inputs=[_input(operation, name) for name in operation.inputs],
        outputs=[
            io.Image.Output("images", display_name="images", tooltip=IMAGES_TIP),
            *(mask if operation.has_mask else []),
            io.String.Output("task", display_name="task", tooltip=TASK_TIP),
            io.String.Output("report", display_name="report", tooltip=REPORT_TIP),
        ],
        hidden=[io.Hidden.extra_pnginfo],
    )


def _input(operation: Operation, name: str) -> io.Input:
    for role in operation.pictures:
        if name in role.sockets:
            tooltip = f"{role.tooltip} {SIZE_TIP}"
            return io.Image.Input(name, optional=name not in role.required_sockets, tooltip=tooltip)
    if name == "model":
        models = list(operation.models)
        return io.Combo.Input(name, models, optional=True, default=models[0], tooltip=MODEL_TIP)
    if name == "provider":
        return io.Combo.Input(name, list(PROVIDER_CHOICES), optional=True, default=AUTO, tooltip=PROVIDER_TIP)
    if name == "wait":
        return io.Boolean.Input(name, optional=True, default=True, tooltip=WAIT_TIP)
    if name == "seed":
        return _number(SEED, control_after_generate=True)
    return _widget(operation.field(name))


def _widget(field: Field) -> io.Input:
    if isinstance(field, Choice):
        return io.Combo.Input(
            field.name, list(field.options), optional=True, default=field.default, tooltip=field.tooltip
        )
    if isinstance(field, Number):
        return _number(field)
    return _text(field)


def _text(field: Text) -> io.Input:
    optional = field.name != "prompt"
    return io.String.Input(field.name, optional=optional, multiline=True, default=field.default, tooltip=field.tooltip)


def _number(field: Number, control_after_generate: bool | None = None) -> io.Input:
    if field.whole:
        return io.Int.Input(
            field.name,
            optional=True,
            default=int(field.default),
            min=int(field.low),
            max=int(field.high),
            step=int(field.step),
            tooltip=field.tooltip,
            control_after_generate=control_after_generate,
        )
    return io.Float.Input(
        field.name,
        optional=True,
        default=float(field.default),
        min=float(field.low),
        max=float(field.high),
        step=field.step,
        tooltip=field.tooltip,
    )
