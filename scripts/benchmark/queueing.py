"""Rows: many tasks on one key."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from benchmark import graphs
from benchmark.figures import Figure, Goal
from benchmark.process import load
from benchmark.schedules import best, in_order
from benchmark.sizes import Sizes
from benchmark.stage import PROVIDER, Played, Stage
from benchmark.waiting import around, learn

PER_MINUTE = 60
PICTURES = (1, 2, 3)
FOR_EVER = 3600.0
MEGABYTE = 1e6


def thirty(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    """Tasks of lengths that nobody can know: drawn at random, all of one kind."""
    count, least, most = sizes.thirty
    stage.limits(sizes.in_flight, PER_MINUTE)
    learn(stage, sizes, (least, most))
    runs = [_on_a_full_key(stage, sizes, graphs.tasks(graphs.pack, count), run) for run in range(sizes.long_runs)]
    own = _on_a_full_key(stage, sizes, graphs.tasks(graphs.own, count), 0)
    stage.limits()
    said = "fails" if own.error else "–"
    yield _refusals("thirty", runs, own)
    yield Figure(
        "thirty", "all done, beside the best schedule", _beside_best(runs, sizes), "×", Goal(worst=1.15),
        () if own.error else _beside_best([own], sizes), said, bound=1.0,
    )  # fmt: skip
    fair = tuple(run.checked().seconds / in_order(run.lengths, sizes.in_flight) for run in runs)
    yield Figure("thirty", "… beside first come, first served", fair, "×", own_said=said, bound=1.0)
    yield Figure("thirty", "polls a task", tuple(run.polls / count for run in runs), digits=1, bound=1)


def kinds(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    """As many tasks of three kinds, one, two and three pictures, which take once, twice and three times as long."""
    count, least, _ = sizes.thirty
    stage.limits(sizes.in_flight, PER_MINUTE)
    stage.fresh_home()
    for pictures in PICTURES:
        stage.play(graphs.tasks(graphs.pack, sizes.history, pictures), around(least * pictures), rng=1000).checked()
    runs = [_on_a_full_key(stage, sizes, _mixed(count, run), run, each_picture=True) for run in range(sizes.long_runs)]
    stage.limits()
    yield _refusals("kinds", runs, None)
    yield Figure(
        "kinds", "all done, beside the best schedule", _beside_best(runs, sizes), "×", Goal(worst=1.15),
        own_said="–", bound=1.0,
    )  # fmt: skip
    yield Figure("kinds", "polls a task", tuple(run.polls / count for run in runs), digits=1, bound=1)


def _mixed(count: int, run: int) -> graphs.Graph:
    """Tasks of every kind, equally many, in an order of their own."""
    wanted = [PICTURES[number % len(PICTURES)] for number in range(count)]
    random.Random(run).shuffle(wanted)
    graph: graphs.Graph = {}
    for number, pictures in enumerate(wanted):
        graph |= {f"{name} of {number}": node for name, node in graphs.tasks(graphs.pack, 1, pictures).items()}
        graph[f"received 0 of {number}"]["inputs"]["source"] = [f"task 0 of {number}", 0]
    return graph


def _on_a_full_key(stage: Stage, sizes: Sizes, graph: graphs.Graph, run: int, **behaviour: Any) -> Played:
    _, least, most = sizes.thirty
    seconds = around(least) if behaviour else (least, most)
    limit = {"in_flight": sizes.in_flight, "requests_per_minute": PER_MINUTE}
    return stage.play(graph, seconds, rng=run, limits={PROVIDER: limit}, **behaviour)


def _refusals(row: str, runs: list[Played], own: Played | None) -> Figure:
    refused = tuple(float(run.refused) for run in runs)
    return Figure(
        row, "refusals (429)", refused, "", Goal(worst=0), (float(own.refused),) if own else (), bound=0, digits=0
    )


def _beside_best(runs: list[Played], sizes: Sizes) -> tuple[float, ...]:
    return tuple(run.checked().seconds / best(run.lengths, sizes.in_flight) for run in runs)


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
