"""The file of saved keys cannot be read over HTTP: with ComfyUI's guard of system folders, and without it.

The released 0.3.75 had neither the function nor the guards; its tree is made here by taking them out.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from urllib.parse import quote

import environment
import pytest
from comfyui import PACK_FOLDER, ComfyUI

KEY = "sk-planted-Zx81Lw0PqUe57Yt3Gh"
MULTI = ("--multi-user",)
WAYS = ("as it is", "multi-user", "without guards", "without guards, multi-user")


def without_guards(folder: Path) -> Path:
    """A copy of ComfyUI that knows nothing of system users."""
    shutil.copytree(environment.comfyui(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    paths, users = folder / "folder_paths.py", folder / "app" / "user_manager.py"
    text = paths.read_text("utf-8")
    start, end = text.index("SYSTEM_USER_PREFIX ="), text.index("#NOTE: used in http server")
    paths.write_text(text[:start] + text[end:], "utf-8")
    text = users.read_text("utf-8")
    text = text.replace("folder_paths.get_public_user_directory(user)", "os.path.abspath(os.path.join(root_dir, user))")
    text = re.sub(r" +(#.*\n +)?if \w+\.startswith\(folder_paths\.SYSTEM_USER_PREFIX\):\n +raise .*\n", "", text)
    users.write_text(text, "utf-8")
    assert not any("SYSTEM_USER" in file.read_text("utf-8") for file in (paths, users))
    return folder


@pytest.fixture(scope="module")
def started(comfyui: ComfyUI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ComfyUI]]:
    """One ComfyUI for each way, with a saved key where the pack looks for it by default.

    The one that the other tests share has its home elsewhere, which changes nothing for who asks for the file.
    """
    old = without_guards(tmp_path_factory.mktemp("old") / "ComfyUI")
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        made = {way: ComfyUI({"KLING_HOME": ""}, arguments=MULTI if "multi" in way else ()) for way in WAYS[1:]}
        for one in (comfyui, *made.values()):
            home = one.base / "user" / "__kling"
            home.mkdir(parents=True)
            (home / "keys.json").write_text(json.dumps({"apimodels": KEY}))
            (one.base / "user" / "default" / "own.txt").write_text("the user's own")
        for one in made.values():
            stack.push(one)
        made["multi-user"].start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COMFYUI_PATH", str(old))
            list(pool.map(ComfyUI.start, (one for way, one in made.items() if "without" in way)))
        made[WAYS[0]] = comfyui
        yield made
    shutil.rmtree(comfyui.base / "user" / "__kling")


def asked(comfyui: ComfyUI, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, bytes]:
    """The answer to a path as it is written here: no client tidies it up."""
    connection = http.client.HTTPConnection("127.0.0.1", comfyui.port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def spellings(comfyui: ComfyUI) -> list[str]:
    """The file's place, seen from folders that are served, as one part of a path or of a query."""
    own = str(comfyui.base / "user" / "__kling" / "keys.json")
    plain = [
        *("../__kling/keys.json", "../../user/__kling/keys.json", "__kling/keys.json", "keys.json", own),
        *("..\\__kling\\keys.json", "....//__kling/keys.json", "default/../../__kling/keys.json", "~/keys.json"),
        *("./../__kling/./keys.json", "../__KLING/keys.json", "../__kling/keys.json\0", f"file://{own}"),
    ]
    return [form for text in plain for form in (quote(text, safe=""), quote(quote(text, safe=""), safe=""))]


def attempts(comfyui: ComfyUI) -> Iterator[tuple[str, str]]:
    forms = spellings(comfyui)
    for form in forms:
        yield "GET", f"/userdata/{form}"
        yield "GET", f"/api/userdata/{form}"
        yield "POST", f"/userdata/{form}/move/stolen.json"
        for kind in ("input", "output", "temp", "user", "__kling"):
            yield "GET", f"/view?filename={form}&type={kind}"
            yield "GET", f"/api/view?filename=keys.json&type={kind}&subfolder={form.removesuffix('keys.json')}"
        for route in ("/view_metadata/checkpoints?filename=", "/extensions/", "/templates/", "/docs/", "/"):
            yield "GET", route + form
        yield "GET", f"/extensions/{PACK_FOLDER}/{form}"
        yield "GET", f"/experiment/models/preview/checkpoints/0/{form}"
        yield "GET", f"/settings/{form}"
    for folder in ("..", "../__kling", "../../user/__kling", "../.", str(comfyui.base / "user"), ".", "__kling"):
        for form in (quote(folder, safe=""), quote(quote(folder, safe=""), safe="")):
            yield "GET", f"/userdata?dir={form}&recurse=true&full_info=true"
            yield "GET", f"/v2/userdata?path={form}"
    for raw in ("/../user/__kling/keys.json", "/extensions/../../user/__kling/keys.json", "//user/__kling/keys.json"):
        yield "GET", raw
    for route in ("/settings", "/users", "/internal/files/output", "/internal/folder_paths", "/userdata/stolen.json"):
        yield "GET", route


@pytest.mark.parametrize("way", WAYS)
def test_no_request_reads_the_saved_keys(started: dict[str, ComfyUI], way: str) -> None:
    comfyui = started[way]
    users = [
        {},
        *({"comfy-user": name} for name in ("__kling", "default", "../user/__kling", "__kling/../__kling", "")),
    ]
    if "multi" in way:
        _, made = asked(comfyui, "POST", "/users", {"Content-Type": "application/json"}, b'{"username": "__kling"}')
        _, other = asked(comfyui, "POST", "/users", {"Content-Type": "application/json"}, b'{"username": "someone"}')
        users += [{"comfy-user": json.loads(told)} for told in (made, other) if told.startswith(b'"')]
    leaks = []
    paths = list(attempts(comfyui))
    # Who asks matters only where user folders are served.
    pairs = [(user, one) for user, one in product(users, paths) if not user or "userdata" in one[1]]
    for user, (method, path) in pairs:
        _, told = asked(comfyui, method, path, user)
        if KEY.encode() in told or b"keys.json" in told and method == "GET" and "userdata?" in path:
            leaks.append((user, method, path))
    assert leaks == []
    assert json.loads((comfyui.base / "user" / "__kling" / "keys.json").read_text()) == {"apimodels": KEY}


@pytest.mark.parametrize("way", WAYS[1:])
def test_the_pack_itself_reads_it(started: dict[str, ComfyUI], way: str) -> None:
    catalog = started[way].get("/kling/catalog")
    assert KEY not in json.dumps(catalog)
    assert catalog["providers"]["apimodels"]["key"] and not catalog["providers"]["modellix"]["key"]


def test_the_same_requests_do_read_what_is_the_users_own(started: dict[str, ComfyUI]) -> None:
    status, told = asked(started["without guards"], "GET", "/userdata/own.txt", {})
    assert (status, told) == (200, b"the user's own")
    _, listed = asked(started["without guards"], "GET", "/userdata?dir=.&recurse=true", {})
    assert b"own.txt" in listed
