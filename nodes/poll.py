"""Kling Poll: collects tasks by their handles, from any run, any day."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ..catalog.fields import Number
from ..jobs.states import State
from ..jobs.work import Handle, Outcome, read_handles
from . import host, report, session
from .generate import FRESHNESS, decode, fitted_notes, number_of, one_error
from .schema import CATEGORY, REPORT_TIP
from .waiting import Started, apart, begin, watch

TASK_TIP = "Handles, one a line, as eachlabs:abc123: typed, or from the task output of any node, any run, any day."
WAIT_TIP = "On: wait for the pictures, at most timeout seconds. Off: ask once and go on."
TIMEOUT_TIP = "Seconds to wait. What is not ready then is no error: images is held back, and the next Run asks again."
IMAGES_TIP = "The pictures of all handles as one batch, held back until every handle has ended."
STATUS_TIP = "One word for each handle, in their order, such as done, accepted, failed or uncertain."
TIMEOUT = Number("timeout", TIMEOUT_TIP, 0, 86400, 600, step=1, whole=True)


class KlingPoll(io.ComfyNode):
    """Takes handles, gives the pictures of those that are done and one status word for each."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="KlingPoll",
            display_name="Kling Poll",
            category=CATEGORY,
            description="Collects the pictures of tasks by their handles, from any run, any day. Never pays.",
            inputs=[
                io.String.Input("task", multiline=True, default="", tooltip=TASK_TIP),
                io.Boolean.Input("wait", optional=True, default=True, tooltip=WAIT_TIP),
                io.Int.Input(
                    "timeout",
                    optional=True,
                    default=int(TIMEOUT.default),
                    min=int(TIMEOUT.low),
                    max=int(TIMEOUT.high),
                    tooltip=TIMEOUT.tooltip,
                ),
            ],
            outputs=[
                io.Image.Output("images", display_name="images", tooltip=IMAGES_TIP),
                io.String.Output("status", display_name="status", tooltip=STATUS_TIP),
                io.String.Output("report", display_name="report", tooltip=REPORT_TIP),
            ],
            hidden=[io.Hidden.extra_pnginfo],
        )

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> int:
        return number_of(inputs)

    @classmethod
    async def execute(cls, task: str, wait: bool = True, timeout: int = 600) -> io.NodeOutput:
        handles = read_handles(task)
        seconds = TIMEOUT.check(timeout)
        _, node_id = host.executing()
        started = await begin(_start, handles)
        await watch(started, node_id, finished=wait, timeout=seconds)
        outcomes = [ticket.outcome() for ticket in started.tickets]
        images, outcomes, fitted = await apart(decode, outcomes)
        FRESHNESS.ended(node_id, all(outcome.final for outcome in outcomes), sandboxed=False)
        if all(outcome.error for outcome in outcomes):
            raise one_error(outcomes)
        records = [report.record(outcome) for outcome in outcomes]
        report.put_into_workflow(cls.hidden.extra_pnginfo, node_id, records)
        also = fitted_notes(outcomes, fitted)
        lines = [report.line(outcome, also.get(id(outcome), ())) for outcome in outcomes]
        blocked = images is None or any(_unfinished(outcome) for outcome in outcomes)
        shown = host.blocker() if blocked else images
        words = "\n".join(_word(outcome) for outcome in outcomes)
        return io.NodeOutput(shown, words, "\n".join(lines), ui={report.RECORDS: records})


def _start(handles: tuple[Handle, ...]) -> Started:
    settings = session.settings_now()
    return Started(session.engine(settings).poll(handles, settings).result(), settings)


def _word(outcome: Outcome) -> str:
    return outcome.task.state.value if outcome.task else State.FAILED.value


def _unfinished(outcome: Outcome) -> bool:
    return not outcome.error and not outcome.files
