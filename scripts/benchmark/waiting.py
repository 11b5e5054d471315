"""Rows: what a graph takes beyond its provider. Both sides play the same tasks, drawn from the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median

from benchmark import graphs
from benchmark.figures import Figure, Goal
from benchmark.graphs import Graph, Maker
from benchmark.sizes import Sizes
from benchmark.stage import Played, Seconds, Stage

NOTHING = "the graph, its provider taking no time"
DONE = "from done there to the end of the graph"
VARIED = "where lengths vary by a tenth"
SPREAD = 0.1
"""Tasks of one kind take up to so much less or more than they usually do: a provider's do not all take the same."""


def around(seconds: float) -> tuple[float, float]:
    return seconds * (1 - SPREAD), seconds * (1 + SPREAD)


def learn(stage: Stage, sizes: Sizes, seconds: tuple[float, float], n: int = 1, large: bool = False) -> None:
    """Gives a fresh ledger a history of tasks that took `seconds`, none of which is met again."""
    stage.fresh_home()
    stage.play(graphs.tasks(graphs.pack, sizes.history, n, large), seconds, rng=1000).checked()


def no_time(stage: Stage, sizes: Sizes, make: Maker, count: int = 1) -> tuple[float, ...]:
    """Seconds of the same graph while the provider takes none."""
    if make is graphs.pack:
        learn(stage, sizes, (0.0, 0.0))
    return tuple(stage.play(graphs.tasks(make, count), 0.0).checked().seconds for _ in range(sizes.runs))


def played(stage: Stage, graph: Callable[[], Graph], seconds: Seconds, runs: int) -> list[Played]:
    return [stage.play(graph(), seconds, rng=run).checked() for run in range(runs)]


def beyond(runs: list[Played], nothing: tuple[float, ...]) -> tuple[float, ...]:
    """Seconds beyond the longest task and beyond the graph itself."""
    return tuple(run.seconds - run.longest - median(nothing) for run in runs)


def one(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    nothing = no_time(stage, sizes, graphs.pack)
    nothing_own = no_time(stage, sizes, graphs.own)
    runs, varied = (_after_history(stage, sizes, vary) for vary in (lambda seconds: (seconds, seconds), around))
    own: list[Played] = []
    for seconds in sizes.own_lengths:
        own += played(stage, lambda: graphs.tasks(graphs.own), seconds, sizes.own_runs)
    yield Figure("one", NOTHING, nothing, "s", own=nothing_own)
    yield Figure(
        "one", "time beyond the provider's", beyond(runs, nothing), "s", Goal(0.25, 0.6), beyond(own, nothing_own),
        bound=0.0,
    )  # fmt: skip
    yield Figure("one", VARIED, beyond(varied, nothing), "s", own_said="as above", bound=0.0)
    yield Figure("one", DONE, _after_done(runs), "s", own=_after_done(own))
    yield Figure("one", "polls", _polls(runs), "", Goal(worst=8), _polls(own), bound=1, digits=0)
    yield Figure("one", "polls, " + VARIED, _polls(varied), "", own_said="as above", bound=1, digits=0)


def _after_history(stage: Stage, sizes: Sizes, vary: Callable[[float], tuple[float, float]]) -> list[Played]:
    runs: list[Played] = []
    for seconds in sizes.lengths:
        learn(stage, sizes, vary(seconds))
        runs += played(stage, lambda: graphs.tasks(graphs.pack), vary(seconds), sizes.runs)
    return runs


def new(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    nothing = tuple(_first(stage, 0.0, run).seconds for run in range(sizes.runs))
    runs = [_first(stage, seconds, run) for seconds in sizes.lengths for run in range(sizes.own_runs)]
    same = "as above"
    yield Figure("new", NOTHING, nothing, "s", own_said=same)
    yield Figure(
        "new", "time beyond the provider's", beyond(runs, nothing), "s", Goal(0.6), own_said=same, bound=0.0
    )  # fmt: skip
    yield Figure("new", DONE, _after_done(runs), "s", own_said=same)
    yield Figure("new", "polls", _polls(runs), "", Goal(worst=14), own_said=same, bound=1, digits=0)


def _first(stage: Stage, seconds: float, run: int) -> Played:
    stage.fresh_home()
    return stage.play(graphs.tasks(graphs.pack), around(seconds), rng=run).checked()


def eight(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    nothing = no_time(stage, sizes, graphs.pack, 8)
    learn(stage, sizes, around(sizes.eight))
    runs = played(stage, lambda: graphs.tasks(graphs.pack, 8), around(sizes.eight), sizes.long_runs)
    nothing_own = no_time(stage, sizes, graphs.own, 8)
    own = played(stage, lambda: graphs.tasks(graphs.own, 8), around(sizes.eight), sizes.own_runs)
    yield Figure("eight", NOTHING, nothing, "s", own=nothing_own)
    yield Figure(
        "eight", "time beyond the longest", beyond(runs, nothing), "s", Goal(worst=1.0), beyond(own, nothing_own),
        bound=0.0,
    )  # fmt: skip


def hold(stage: Stage, sizes: Sizes) -> Iterator[Figure]:
    learn(stage, sizes, around(sizes.beside_hold))
    sides = {
        make: played(stage, lambda make=make: graphs.beside_a_hold(make, sizes.hold), around(sizes.beside_hold), runs)  # type: ignore[misc]
        for make, runs in ((graphs.pack, sizes.long_runs), (graphs.own, sizes.own_runs))
    }
    ours, own = (tuple(run.seconds for run in sides[make]) for make in (graphs.pack, graphs.own))
    longest = max(run.longest for run in sides[graphs.pack])
    yield Figure("hold", "in all", ours, "s", Goal(worst=10.5), own, bound=max(sizes.hold, longest))


def _after_done(runs: list[Played]) -> tuple[float, ...]:
    return tuple(run.after_done for run in runs)


def _polls(runs: list[Played]) -> tuple[float, ...]:
    return tuple(run.polls / max(1, len(run.tasks)) for run in runs)
