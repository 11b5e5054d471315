"""A real ComfyUI process with the pack in it, for the demo, the tests and the benchmark."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import environment
import requests
from pack import ROOT

START_SECONDS = 180
STOP_SECONDS = 10
PACK_FOLDER = "kling-images"
NOT_THE_PACK = shutil.ignore_patterns(".*", "demo_output", "__pycache__", "tests", "docs")


class ComfyUI:
    """Starts `main.py` on a free loopback port, in a base folder of its own, and stops it by its process id.

    `variables` are set in its environment on top of a clean one; `folder` is the pack's name in
    `custom_nodes/`; `api_nodes` loads ComfyUI's own as well. Use as a context manager.
    """

    def __init__(
        self,
        variables: Mapping[str, str] | None = None,
        folder: str = PACK_FOLDER,
        base: Path | None = None,
        frontend: str = environment.FRONTEND,
        arguments: tuple[str, ...] = (),
        port: int | None = None,
        api_nodes: bool = False,
    ) -> None:
        self._own_base = base is None
        self.base = base or Path(tempfile.mkdtemp(prefix="kling-comfyui-"))
        for name in ("custom_nodes", "input", "output", "temp", "user/default", "models/upscale_models"):
            (self.base / name).mkdir(parents=True, exist_ok=True)
        self._install_pack(folder)
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = self.base / "comfyui.log"
        self._variables, self._frontend = dict(variables or {}), frontend
        self._arguments = arguments if api_nodes else ("--disable-api-nodes", *arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._session = requests.Session()
        self._session.trust_env = False

    def __enter__(self) -> ComfyUI:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._own_base:
            shutil.rmtree(self.base, ignore_errors=True)

    def start(self) -> ComfyUI:
        """Returns when ComfyUI answers. Raises RuntimeError with the end of its log when it does not."""
        command = [str(environment.python()), *self._arguments_of_main()]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=environment.comfyui(), env=self._environment(), stdout=log, stderr=subprocess.STDOUT
            )
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends and self._process.poll() is None:
            with contextlib.suppress(requests.RequestException):
                if self._session.get(f"{self.address}/system_stats", timeout=5).ok:
                    return self
            time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"ComfyUI did not start:\n{self.log_text()[-4000:]}")

    def stop(self) -> None:
        """Ends the process, by force if it does not end by itself."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """Ends the process without a chance to tidy up, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """Raises RuntimeError before `start`."""
        if self._process is None:
            raise RuntimeError("ComfyUI is not running.")
        return self._process.pid

    def log_text(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def get(self, path: str) -> Any:
        """The JSON behind a path."""
        answer = self._session.get(self.address + path, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, body: Mapping[str, Any]) -> requests.Response:
        return self._session.post(self.address + path, json=body, timeout=60)

    def object_info(self) -> dict[str, Any]:
        info: dict[str, Any] = self.get("/object_info")
        return info

    def queue(self, prompt: Mapping[str, Any], workflow: Any = None, labels: Any = None, **extra_data: Any) -> str:
        """Queues an API prompt; with a workflow it counts as coming from the editor. Returns its id."""
        extra = {name: value for name, value in (("workflow", workflow), ("kling", labels)) if value is not None}
        prompt_id = str(uuid.uuid4())
        body = {"prompt": prompt, "prompt_id": prompt_id, "extra_data": {"extra_pnginfo": extra, **extra_data}}
        answer = self.post("/prompt", body)
        if not answer.ok:
            raise RuntimeError(f"ComfyUI refused the prompt: {answer.text[:2000]}")
        return prompt_id

    def wait(self, prompt_id: str, seconds: float = 120) -> dict[str, Any]:
        """The prompt's entry in the history. Raises TimeoutError."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            history = self.get(f"/history/{prompt_id}")
            if prompt_id in history:
                entry: dict[str, Any] = history[prompt_id]
                return entry
            time.sleep(0.05)
        raise TimeoutError(f"the prompt did not end within {seconds:.0f} s")

    def run(self, prompt: Mapping[str, Any], workflow: Any = None, labels: Any = None) -> dict[str, Any]:
        return self.wait(self.queue(prompt, workflow, labels))

    def interrupt(self) -> None:
        self.post("/interrupt", {})

    def output(self, picture: Mapping[str, str]) -> Path:
        """The file of a picture that a history entry names."""
        return self.base / picture["type"] / picture["subfolder"] / picture["filename"]

    def _install_pack(self, folder: str) -> None:
        target = self.base / "custom_nodes" / folder
        if target.exists() or target.is_symlink():
            return
        try:
            target.symlink_to(ROOT, target_is_directory=True)
        except OSError:
            shutil.copytree(ROOT, target, ignore=NOT_THE_PACK)

    def _arguments_of_main(self) -> list[str]:
        main = ["main.py", "--cpu", "--base-directory", str(self.base), "--port", str(self.port)]
        # In memory, ComfyUI's own database would log a traceback whenever it is tidied up from another thread.
        main += ["--database-url", f"sqlite:///{self.base / 'comfyui.db'}"]
        return [*main, "--front-end-root", str(environment.frontend(self._frontend)), *self._arguments]

    def _environment(self) -> dict[str, str]:
        own = ("KLING_", "EACHLABS_", "MODELLIX_", "APIMODELS_", "COMFYUI_")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        if importlib.util.find_spec("torchvision") is None:
            folders = [str(environment.STUBS), clean.get("PYTHONPATH", "")]
            clean["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
        return {"KLING_HOME": str(self.base / "kling"), **clean, **self._variables}


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
