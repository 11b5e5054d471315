"""One ComfyUI and one local server for all rows: runs a graph there and tells what it took."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import environment
import requests
from comfyui import ComfyUI
from pack import ROOT

from benchmark.graphs import Graph, nothing

SCRIPTS = ROOT / "scripts"
NODES = SCRIPTS / "benchmark" / "nodes"
LONGEST = 600.0
PROVIDER = "modellix"
Seconds = float | tuple[float, float]


@dataclass(frozen=True)
class Task:
    """As the server tells it; `ended` is when it was done there, in seconds since 1970."""

    began: float
    seconds: float

    @property
    def ended(self) -> float:
        return self.began + self.seconds


@dataclass(frozen=True)
class Played:
    """A graph that ran. Times are ComfyUI's own, in seconds since 1970; counts are the server's."""

    began: float
    ended: float
    tasks: tuple[Task, ...]
    polls: int
    refused: int
    outputs: Mapping[str, Any]
    error: str

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    @property
    def lengths(self) -> list[float]:
        """Seconds of every task, in the order in which they came."""
        return [task.seconds for task in self.tasks]

    @property
    def longest(self) -> float:
        """Seconds of the longest task: what no graph with all of them side by side can go below."""
        return max((task.seconds for task in self.tasks), default=0.0)

    @property
    def after_done(self) -> float:
        """Seconds from the end of the last task at the server to the end of the graph."""
        return self.ended - max(task.ended for task in self.tasks)

    def checked(self) -> Played:
        """Itself. Raises RuntimeError where the graph failed."""
        if self.error:
            raise RuntimeError(f"The graph failed: {self.error}")
        return self


class Stage:
    """Use as a context manager. Everything it makes is in a folder of its own, gone afterwards."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> Stage:
        with ExitStack() as stack:
            self._base = Path(tempfile.mkdtemp(prefix="kling-bench-"))
            stack.callback(shutil.rmtree, self._base, ignore_errors=True)
            addresses = self._start_server(stack)
            self._control = f"{addresses['sandbox']}/sandbox"
            (self._base / "custom_nodes").mkdir()
            shutil.copytree(NODES, self._base / "custom_nodes" / "benchmark")
            variables = {"MODELLIX_API_KEY": "bench", "MODELLIX_BASE_URL": addresses[PROVIDER]}
            arguments = ("--comfy-api-base", addresses["standin"])
            self.comfyui = stack.enter_context(
                ComfyUI(variables, base=self._base, arguments=arguments, api_nodes=True),
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start_server(self, stack: ExitStack) -> dict[str, str]:
        command = [str(environment.python()), "-m", "benchmark.server", "--home", str(self._base / "server")]
        server = stack.enter_context(subprocess.Popen(command, cwd=SCRIPTS, stdout=subprocess.PIPE, text=True))
        stack.callback(server.terminate)
        assert server.stdout is not None
        addresses: dict[str, str] = json.loads(server.stdout.readline())
        return addresses

    def fresh_home(self) -> None:
        """From now on the pack knows nothing: no ledger, no history, no pictures."""
        self._set(KLING_HOME=str(self._base / "homes" / secrets.token_hex(4)))

    def limits(self, in_flight: int | None = None, per_minute: int | None = None) -> None:
        """The limits of the key, as the pack is told; None is what the pack takes from the provider's page."""
        self._set(MODELLIX_CONCURRENCY=str(in_flight or ""), MODELLIX_REQUESTS_PER_MINUTE=str(per_minute or ""))

    def tidy(self) -> None:
        """Lets go of what earlier graphs left in memory: ComfyUI keeps the outputs of the last one."""
        self.comfyui.wait(self.comfyui.queue(nothing()))
        self.comfyui.post("/benchmark/tidy", {}).raise_for_status()

    def behave(self, seconds: Seconds, **behaviour: Any) -> None:
        """The server forgets tasks and counts; from now on tasks take `seconds`."""
        self._session.post(f"{self._control}/reset", json={}, timeout=60).raise_for_status()
        wanted = {"seconds": seconds, "repaint": False, **behaviour}
        self._session.put(f"{self._control}/behaviour", json=wanted, timeout=60).raise_for_status()
        # A minute's requests count for a key: with another one, no run is slowed by what the run before it asked.
        self.key = f"bench-{secrets.token_hex(8)}"
        self._set(MODELLIX_API_KEY=self.key)

    def queue(self, graph: Graph) -> str:
        return self.comfyui.queue(graph, api_key_comfy_org=self.key)

    def play(self, graph: Graph, seconds: Seconds, **behaviour: Any) -> Played:
        """Runs a graph while tasks take `seconds` and the server behaves so (sandbox/behaviour.py)."""
        self.behave(seconds, **behaviour)
        entry = self.comfyui.wait(self.queue(graph), LONGEST)
        told = self.told()
        times = {kind: details["timestamp"] / 1000 for kind, details in entry["status"]["messages"]}
        errors = [details for kind, details in entry["status"]["messages"] if kind == "execution_error"]
        return Played(
            began=times["execution_start"],
            ended=max(times.values()),
            tasks=tuple(Task(task["created"], task["seconds"]) for task in told["tasks"]),
            polls=told["providers"][PROVIDER]["polls"],
            refused=told["providers"][PROVIDER]["given_429"],
            outputs=entry["outputs"],
            error=errors[0]["exception_message"] if errors else "",
        )

    def told(self) -> dict[str, Any]:
        """The server's counts and tasks."""
        told: dict[str, Any] = self._session.get(f"{self._control}/stats", timeout=60).json()
        return told

    def _set(self, **variables: str) -> None:
        self.comfyui.post("/benchmark/environment", variables).raise_for_status()
