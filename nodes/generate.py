"""What the five generating nodes do: gather, ask, wait, decode, tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from comfy_api.latest import io

from ..catalog.frames import Expansion, Picture, expansion_of
from ..catalog.operations import AUTO, Operation
from ..catalog.request import SANDBOX, build_requests
from ..errors import InputError, KlingError, UnreadError
from ..jobs.encode import describe
from ..jobs.settings import Settings
from ..jobs.ticket import Ticket
from ..jobs.work import Context, Outcome, Pixels, Run
from . import host, report, session
from .freshness import Freshness
from .tensors import images_of, masks_of, pixels_of
from .waiting import Started, apart, begin, watch

FRESHNESS = Freshness()


def number_of(constants: Mapping[str, object]) -> int:
    """The number under which ComfyUI may keep the outcome of the node that it asks about right now."""
    _, node_id = host.executing()
    # ComfyUI asks before it knows whether the prompt came from the editor; only that one can mean the sandbox.
    means_sandbox = session.settings_now().auto_means_sandbox(from_editor=True)
    return FRESHNESS.number(node_id or "", constants, means_sandbox)


async def generate(operation: Operation, inputs: Mapping[str, Any], extra_pnginfo: Any) -> io.NodeOutput:
    """Runs one node. `inputs` by input name, pictures as tensors [B,H,W,C] in 0..1.

    Raises the pack's errors, or ComfyUI's interruption.
    """
    prompt_id, node_id = host.executing()
    wait = _check_wait(inputs.get("wait", True))
    context = Context(prompt_id, node_id, _labels(extra_pnginfo), _from_editor(extra_pnginfo))
    started = await begin(_start, operation, inputs, context)
    await watch(started, node_id, finished=wait)
    outcomes = [ticket.outcome() for ticket in started.tickets]
    images, mask, outcomes, fitted = await apart(_decode, operation, outcomes)
    _note_freshness(node_id, inputs.get("provider", AUTO), outcomes, started.settings)
    if all(outcome.error for outcome in outcomes):
        raise one_error(outcomes)
    return _output(operation, started.tickets, outcomes, images, mask, fitted, extra_pnginfo, node_id)


def one_error(outcomes: Sequence[Outcome]) -> KlingError:
    """The error of a run in which nothing came: the first one's kind, everything that was said."""
    errors = [outcome.error for outcome in outcomes if outcome.error]
    said = list(dict.fromkeys(str(error) for error in errors))
    return type(errors[0])(" ".join(said), errors[0].handle)


def decode(outcomes: Sequence[Outcome]) -> tuple[torch.Tensor | None, list[Outcome], list[bool]]:
    """All pictures as one tensor [B,H,W,3], or None without any; an outcome that cannot be read gets an error."""
    ended = list(outcomes)
    while files := [file for outcome in ended if not outcome.error for file in outcome.files]:
        try:
            images, fitted = images_of(files)
        except UnreadError:
            ended = [_checked(outcome) for outcome in ended]
            if not any(outcome.error for outcome in ended):
                raise
            continue
        return images, ended, fitted
    return None, ended, []


def _checked(outcome: Outcome) -> Outcome:
    """The outcome, with an error in place of pictures that cannot be decoded."""
    if outcome.error or not outcome.files or outcome.task is None:
        return outcome
    try:
        images_of(outcome.files)
    except UnreadError as error:
        marked = session.engine(session.settings_now()).mark_unread(outcome.task, str(error)).result()
        return replace(outcome, task=marked, error=error)
    return outcome


def _decode(
    operation: Operation, outcomes: Sequence[Outcome]
) -> tuple[torch.Tensor | None, torch.Tensor | None, list[Outcome], list[bool]]:
    images, ended, fitted = decode(outcomes)
    if images is None or not operation.has_mask:
        return images, None, ended, fitted
    expansions: list[Expansion] = []
    for outcome in ended:
        if outcome.request and not outcome.error:
            expansions += [expansion_of(outcome.request.fields)] * len(outcome.files)
    files = [file for outcome in ended if not outcome.error for file in outcome.files]
    return images, masks_of(files, expansions, images), ended, fitted


def _start(operation: Operation, inputs: Mapping[str, Any], context: Context) -> Started:
    """Checks everything and hands it to the engine. Blocks until that has let it in."""
    settings = session.settings_now()
    sockets, pixels = _gather(operation, inputs)
    run = Run(build_requests(operation, inputs, sockets), pixels, settings, context)
    return Started(session.engine(settings).submit(run).result(), settings)


def _gather(
    operation: Operation, inputs: Mapping[str, Any]
) -> tuple[dict[str, tuple[Picture, ...]], dict[str, Pixels]]:
    """The connected pictures by socket, and their pixels by digest."""
    sockets: dict[str, tuple[Picture, ...]] = {}
    pixels: dict[str, Pixels] = {}
    for socket in (name for role in operation.pictures for name in role.sockets):
        if inputs.get(socket) is None:
            continue
        batch = pixels_of(inputs[socket], socket)
        described = [describe(one) for one in batch]
        sockets[socket] = tuple(described)
        pixels.update(zip((picture.digest for picture in described), batch, strict=True))
    return sockets, pixels


def _check_wait(value: object) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"wait is {value!r}; it must be true or false. Nothing was sent and nothing was paid.")
    return value


def _from_editor(extra_pnginfo: Any) -> bool:
    """Only the editor sends the workflow along."""
    return isinstance(extra_pnginfo, dict) and bool(extra_pnginfo.get("workflow"))


def _labels(extra_pnginfo: Any) -> Any:
    return extra_pnginfo.get("kling") if isinstance(extra_pnginfo, dict) else None


def _note_freshness(node_id: str | None, provider: str, outcomes: Sequence[Outcome], settings: Settings) -> None:
    sandboxed = provider == AUTO and any(outcome.task and outcome.task.provider == SANDBOX for outcome in outcomes)
    FRESHNESS.ended(node_id, all(outcome.final for outcome in outcomes), sandboxed and settings.sandbox == "editor")


def _output(
    operation: Operation,
    tickets: Sequence[Ticket],
    outcomes: Sequence[Outcome],
    images: torch.Tensor | None,
    mask: torch.Tensor | None,
    fitted: Sequence[bool],
    extra_pnginfo: Any,
    node_id: str | None,
) -> io.NodeOutput:
    distinct = {ticket.same_task: outcome for ticket, outcome in zip(tickets, outcomes, strict=True)}.values()
    records = [report.record(outcome) for outcome in distinct]
    report.put_into_workflow(extra_pnginfo, node_id, records)
    also = fitted_notes(outcomes, fitted)
    lines = [report.line(outcome, also.get(id(outcome), ())) for outcome in outcomes]
    handles = [outcome.task.handle for outcome in distinct if outcome.task]
    shown = host.blocker() if images is None else images
    masks = ((host.blocker() if mask is None else mask),) if operation.has_mask else ()
    return io.NodeOutput(
        shown, *masks, "\n".join(handles), "\n".join(dict.fromkeys(lines)), ui={report.RECORDS: records}
    )


def fitted_notes(outcomes: Sequence[Outcome], fitted: Sequence[bool]) -> dict[int, tuple[str, ...]]:
    """By outcome, the note that its pictures were fitted to the first one's size."""
    notes: dict[int, tuple[str, ...]] = {}
    place = 0
    for outcome in outcomes:
        if outcome.error:
            continue
        mine = fitted[place : place + len(outcome.files)]
        place += len(outcome.files)
        if any(mine):
            notes[id(outcome)] = (f"{sum(mine)} fitted to the first picture's size",)
    return notes
