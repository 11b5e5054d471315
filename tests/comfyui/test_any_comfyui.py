"""The pack on ComfyUIs that lack something, as the archive for the registry brings it.

Two processes: *poor*, an older one without WebP and system folders, with several users and without metadata; and
*foreign*, a later one in which nothing private is where it was, with ComfyUI's own API nodes.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import registry
import requests
from comfyui import PACK_FOLDER, ComfyUI
from graphs import NODES, WORKFLOW, graph, node, records, text
from PIL import Image
from truth import error_of, paint_inputs, until

Paid = Callable[[], int]

POOR = """
import sys
import folder_paths
sys.modules["PIL._webp"] = None  # Pillow was built without it
del folder_paths.get_system_user_directory
"""

FOREIGN = """
import builtins

really = builtins.__import__
PRIVATE = ("comfy", "comfy_execution", "folder_paths", "server")


def without(name, globals=None, locals=None, fromlist=(), level=0):
    asked_by = (globals or {}).get("__file__", "")
    if PACK in asked_by and not level and name.split(".")[0] in PRIVATE:
        raise ImportError(name + " is not in this ComfyUI")
    return really(name, globals, locals, fromlist, level)


builtins.__import__ = without
"""

LONG = "ComfyUI mit Öl & Farbe " + "länger " * 8
"""A folder as users have them: spaces, letters beyond ASCII, and more than 80 characters."""

LONGEST_ADDED = 80
"""Characters below the pack's home."""


class WithApiNodes(ComfyUI):
    """The harness switches ComfyUI's own API nodes off; here they are on."""

    def _arguments_of_main(self) -> list[str]:
        return [argument for argument in super()._arguments_of_main() if argument != "--disable-api-nodes"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registry.pack(tmp_path_factory.mktemp("archive") / "node.zip")


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory, archive: Path, with_keys: Mapping[str, str]
) -> Iterator[Mapping[str, ComfyUI]]:
    # Without KLING_HOME, the pack's home is where ComfyUI has it.
    variables = {**with_keys, "KLING_HOME": ""}
    bases = {name: tmp_path_factory.mktemp(name) / LONG.strip() for name in ("poor", "foreign")}
    prepare(bases["poor"], archive, POOR)
    prepare(bases["foreign"], archive, FOREIGN)
    arguments = ("--multi-user", "--disable-metadata")
    made = {
        "poor": ComfyUI(variables, base=bases["poor"], arguments=arguments),
        "foreign": WithApiNodes(variables, base=bases["foreign"]),
    }
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        for one in made.values():
            paint_inputs(one.base / "input")
            stack.push(one)
        list(pool.map(ComfyUI.start, made.values()))
        yield made


def prepare(base: Path, archive: Path, change: str) -> None:
    """Lays the unpacked archive into `custom_nodes`, beside a pack that changes ComfyUI before others are loaded."""
    pack = base / "custom_nodes" / PACK_FOLDER
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(pack)
    changer = base / "custom_nodes" / "changer"
    changer.mkdir()
    (changer / "prestartup_script.py").write_text(f"PACK = {str(pack)!r}\n{change}", "utf-8")
    (changer / "__init__.py").write_text("NODE_CLASS_MAPPINGS = {}\n", "utf-8")


@pytest.fixture
def poor(started: Mapping[str, ComfyUI]) -> ComfyUI:
    return started["poor"]


@pytest.fixture
def foreign(started: Mapping[str, ComfyUI]) -> ComfyUI:
    return started["foreign"]


@pytest.mark.parametrize("name", ["poor", "foreign"])
def test_all_six_nodes_are_there(started: Mapping[str, ComfyUI], name: str) -> None:
    assert {*NODES.values(), "KlingPoll"} <= set(started[name].object_info())
    log = started[name].log_text()
    assert f"(IMPORT FAILED): {started[name].base / 'custom_nodes' / PACK_FOLDER}" not in log
    assert "Traceback" not in log.split(PACK_FOLDER, 1)[-1]


def test_api_nodes_are_on_where_they_are_meant_to_be(started: Mapping[str, ComfyUI]) -> None:
    """The pack's nodes stand beside ComfyUI's own Kling nodes, whose names begin alike."""
    assert "KlingImageGenerationNode" in started["foreign"].object_info()
    assert "KlingImageGenerationNode" not in started["poor"].object_info()


def test_routes_answer_where_there_is_a_server_to_add_them_to(poor: ComfyUI, foreign: ComfyUI) -> None:
    assert poor.get("/kling/catalog")["models"]
    with pytest.raises(requests.HTTPError, match="404"):
        foreign.get("/kling/catalog")


@pytest.mark.parametrize("name", ["poor", "foreign"])
@pytest.mark.parametrize("provider", ["sandbox", "modellix"])
def test_a_picture_comes_and_the_same_request_is_not_paid_again(
    started: Mapping[str, ComfyUI], paid: Paid, name: str, provider: str
) -> None:
    prompt = graph("text", prompt=f"{name} and {provider}", provider=provider)
    first = started[name].run(prompt)
    prompt["save"]["inputs"]["filename_prefix"] = "again"
    prompt["1"]["inputs"]["wait"] = True  # set by hand: another cache key, the same request
    second = started[name].run(prompt)
    for entry in (first, second):
        assert error_of(entry) == {}
        (record,) = records(entry)
        assert (record["state"], record["provider"]) == ("done", provider)
    assert records(second)[0]["reused"] is True
    assert paid() == (provider != "sandbox")


@pytest.mark.parametrize("name", ["poor", "foreign"])
@pytest.mark.parametrize("prompt_id", ["7", "no UUID/Ärger: ?"])
def test_ids_of_prompts_need_not_be_uuids(started: Mapping[str, ComfyUI], name: str, prompt_id: str) -> None:
    prompt = graph("text", prompt=f"{name} {prompt_id}", provider="sandbox")
    answer = started[name].post("/prompt", {"prompt": prompt, "prompt_id": prompt_id})
    assert answer.json()["prompt_id"] == prompt_id
    # Not asked for by its id: the address takes no slash.
    until(lambda: prompt_id in started[name].get("/history"))
    entry = started[name].get("/history")[prompt_id]
    assert error_of(entry) == {}
    assert records(entry)[0]["state"] == "done"


def test_a_webp_that_cannot_be_read_is_kept_and_not_paid_again(poor: ComfyUI, paid: Paid) -> None:
    prompt = graph("edit", prompt="as webp", provider="eachlabs", output_format="webp")
    for _ in range(2):
        error = error_of(poor.run(prompt))
        assert error["exception_type"] == "kling.UnreadError"
        assert "it is WebP, and the Pillow installed here was built without WebP" in error["exception_message"]
    assert paid() == 1
    assert list((home(poor) / "results").rglob("*.unread"))


@pytest.mark.parametrize("name", ["poor", "foreign"])
def test_the_home_is_comfyui_s_own_folder_for_what_http_must_not_reach(
    started: Mapping[str, ComfyUI], name: str
) -> None:
    started[name].run(graph("text", prompt="home", provider="sandbox"))
    kept = [file.relative_to(home(started[name])).as_posix() for file in home(started[name]).rglob("*")]
    assert "ledger.sqlite" in kept and any(name.startswith("results/") for name in kept)
    # Windows takes paths of 260 characters by default, and few characters in them: what is added is short and plain.
    assert max(map(len, kept)) <= LONGEST_ADDED
    assert [name for name in kept if not re.fullmatch(r"[A-Za-z0-9._/~-]+", name)] == []


def home(comfyui: ComfyUI) -> Path:
    return comfyui.base / "user" / "__kling"


@pytest.mark.parametrize(("name", "told"), [("poor", False), ("foreign", True)])
def test_metadata_is_written_where_it_is_wanted_and_records_are_always_in_the_history(
    started: Mapping[str, ComfyUI], name: str, told: bool
) -> None:
    entry = started[name].run(graph("text", prompt="metadata", provider="sandbox"), workflow=WORKFLOW)
    assert records(entry)[0]["state"] == "done"
    with Image.open(started[name].output(entry["outputs"]["save"]["images"][0])) as picture:
        assert ("prompt" in picture.info) is told
        if told:
            assert "workflow" in picture.info and json.loads(picture.info["prompt"])


def test_a_task_that_is_not_waited_for_is_collected_later(foreign: ComfyUI, paid: Paid) -> None:
    """Nothing can hold back what hangs on `images` there: the run ends with an error that says so."""
    entry = foreign.run(graph("text", prompt="later", provider="modellix", wait=False))
    error = error_of(entry)
    assert error["exception_type"] == "kling.UnfinishedError"
    assert "The task goes on and nothing is paid again" in error["exception_message"]
    collected = foreign.run(graph("text", prompt="later", provider="modellix"))
    assert records(collected)[0]["state"] == "done"
    assert paid() == 1


def test_handles_are_collected_everywhere(poor: ComfyUI) -> None:
    handle = text(poor.run(graph("text", prompt="for Kling Poll", provider="sandbox")), "task")
    poll = {
        "1": node("KlingPoll", task=handle),
        "save": node("SaveImage", images=["1", 0], filename_prefix="polled"),
        "report": node("PreviewAny", source=["1", 2]),
    }
    entry = poor.run(poll)
    assert error_of(entry) == {}
    assert len(entry["outputs"]["save"]["images"]) == 1
