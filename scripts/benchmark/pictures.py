"""Rows: pictures on their way down and up."""

from __future__ import annotations

from collections.abc import Iterator

from benchmark import graphs
from benchmark.figures import Figure, Goal
from benchmark.graphs import Maker
from benchmark.process import peak_memory
from benchmark.sizes import Sizes
from benchmark.stage import Played, Stage
from benchmark.waiting import learn


def nine(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    learn(stage, sizes, (sizes.nine_seconds, sizes.nine_seconds), sizes.nine, sizes.large)
    ours = [_fetched(stage, sizes, graphs.pack) for _ in range(sizes.long_runs)]
    own = [_fetched(stage, sizes, graphs.own) for _ in range(sizes.own_runs)]
    yield Figure(
        "nine", "time after the task is done", tuple(run.after_done for run, _ in ours), "s", Goal(worst=1.5),
        tuple(run.after_done for run, _ in own), bound=sizes.download,
    )  # fmt: skip
    yield Figure(
        "nine", "memory beyond the output, in pictures",
        tuple(held for _, held in ours), "", Goal(worst=2), tuple(held for _, held in own), bound=0, digits=1,
    )  # fmt: skip


def _fetched(stage: Stage, sizes: Sizes, make: Maker) -> tuple[Played, float]:
    """A run, and the most memory that ComfyUI took for it beyond its output tensor, in pictures of that tensor."""
    stage.tidy()
    slow = {"fault": "slow", "on": "download", "seconds": sizes.download}
    graph = graphs.tasks(make, n=sizes.nine, large=sizes.large)
    with peak_memory(stage.comfyui.pid) as peak:
        played = stage.play(graph, sizes.nine_seconds, faults=[slow]).checked()
    (output,) = played.outputs["received 0"]["bytes"]
    return played, (peak.grown - output) / (output / sizes.nine)


def encode(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    learn(stage, sizes, (0.0, 0.0))
    played = stage.play(graphs.converted(graphs.pack, sizes.side, sizes.runs), 0.0).checked()
    for name, said in (("plain", "a drawn picture"), ("grainy", "with film grain")):
        (seconds,) = played.outputs["convert"][name]
        pairs = list(zip(seconds["ours"], seconds["own"], strict=True))
        times = tuple(own / ours for ours, own in pairs)
        yield Figure(
            "encode", f"{said}: speed", times, "×", Goal(worst=3, least=True), (1.0,),
            digits=1, least=True,
        )  # fmt: skip
        yield Figure("encode", f"{said}: time", tuple(seconds["ours"]), "s", own=tuple(seconds["own"]))
