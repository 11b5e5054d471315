"""How much is measured: all of it, or as little as shows that every row runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Seconds are what a task takes at the provider; `history` is how many of its kind the ledger holds before."""

    runs: int = 3
    own_runs: int = 1
    history: int = 4
    lengths: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
    own_lengths: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
    eight: float = 6.0
    thirty: tuple[int, float, float] = (30, 10.0, 30.0)
    in_flight: int = 10
    long_runs: int = 2
    nine: int = 9
    nine_seconds: float = 2.0
    large: bool = True
    download: float = 0.5
    hold: float = 10.0
    beside_hold: float = 8.0
    side: int = 2048
    crowd: int = 500
    settle: float = 20.0
    watch: float = 20.0
    starts: int = 20
    pacer_runs: int = 3
    pacer_tasks: tuple[int, ...] = tuple(range(100, 1001, 100))


FULL = Sizes()
#: ComfyUI's own node looks at once and then every five seconds: its tasks take no time here.
SHORT = Sizes(
    runs=1, own_runs=1, history=1, lengths=(0.3,), own_lengths=(0.0,), eight=0.0, thirty=(6, 0.2, 0.4), in_flight=3,
    long_runs=1, nine=2, nine_seconds=0.0, large=False, download=0.1, hold=0.5, beside_hold=0.0, side=512, crowd=20,
    settle=0.5, watch=1.0, starts=1, pacer_runs=1, pacer_tasks=(50, 100),
)  # fmt: skip
