"""Rows: many tasks on one key."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmark import graphs
from benchmark.figures import Figure, Goal
from benchmark.process import load
from benchmark.schedules import best, in_order
from benchmark.sizes import Sizes
from benchmark.stage import PROVIDER, Played, Stage
from benchmark.waiting import learn

PER_MINUTE = 60
FOR_EVER = 3600.0
MEGABYTE = 1e6


def thirty(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    count, least, most = sizes.thirty
    stage.limits(sizes.in_flight, PER_MINUTE)
    learn(stage, sizes, (least, most))
    runs = [_on_a_full_key(stage, sizes, graphs.pack, run).checked() for run in range(sizes.long_runs)]
    own = _on_a_full_key(stage, sizes, graphs.own, 0)
    stage.limits()
    refused = tuple(float(run.refused) for run in runs)
    yield Figure("thirty", "refusals (429)", refused, "", Goal(worst=0), (float(own.refused),), bound=0, digits=0)
    said = "fails" if own.error else "–"
    durations = [[task.seconds for task in run.tasks] for run in runs]
    shortest = tuple(run.seconds / best(asked, sizes.in_flight) for run, asked in zip(runs, durations, strict=True))
    yield Figure(
        "thirty", "all done, beside the best schedule", shortest, "×", Goal(worst=1.15),
        () if own.error else (own.seconds / best([task.seconds for task in own.tasks], sizes.in_flight),),
        said, bound=1.0,
    )  # fmt: skip
    fair = tuple(run.seconds / in_order(asked, sizes.in_flight) for run, asked in zip(runs, durations, strict=True))
    yield Figure("thirty", "… beside first come, first served", fair, "×", own_said=said, bound=1.0)
    yield Figure("thirty", "polls a task", tuple(run.polls / count for run in runs), digits=1, bound=1)


def _on_a_full_key(stage: Stage, sizes: Sizes, make: graphs.Maker, run: int) -> Played:
    count, least, most = sizes.thirty
    limit = {"in_flight": sizes.in_flight, "requests_per_minute": PER_MINUTE}
    return stage.play(graphs.tasks(make, count), (least, most), rng=run, limits={PROVIDER: limit})


def crowd(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    """The same list of nodes that only wait is played too: what ComfyUI itself takes for it is not the pack's."""
    idle = graphs.node("BenchmarkIdle", text="", seconds=sizes.settle + sizes.watch + 1.0)
    share_idle, bytes_idle = _taken_by(stage, sizes, idle, "text")
    taken = []
    for _ in range(sizes.long_runs):
        learn(stage, sizes, (0.0, 0.0))
        taken.append(_taken_by(stage, sizes, graphs.pack(1, False), "prompt"))
    memory = tuple((grown - bytes_idle) / MEGABYTE for _, grown in taken)
    share = tuple(100 * (share - share_idle) for share, _ in taken)
    yield Figure("crowd", "memory of the engine", memory, "MB", Goal(worst=50), bound=0, digits=0)
    yield Figure("crowd", "processor of the engine, of one core", share, "%", Goal(worst=20), bound=0, digits=1)


def _taken_by(stage: Stage, sizes: Sizes, waiter: graphs.Node, socket: str) -> tuple[float, int]:
    """Share of a core and bytes that a list of waiting nodes adds to what ComfyUI took before; then it is stopped."""
    pid = stage.comfyui.pid
    stage.tidy()
    share_before, bytes_before = load(pid, sizes.watch / 4)
    stage.behave(FOR_EVER)
    prompt = stage.queue(graphs.listed(sizes.crowd, waiter, socket))
    time.sleep(sizes.settle)
    share, size = load(pid, sizes.watch)
    if stage.comfyui.get(f"/history/{prompt}"):
        raise RuntimeError("The list did not wait: it has ended.")
    stage.comfyui.interrupt()
    stage.comfyui.wait(prompt)
    stage.behave(0.0)  # forgets the tasks, so the engine stops asking for them
    return share - share_before, size - bytes_before
