"""Runs every example workflow in a real ComfyUI on the sandbox and leaves the pictures in `demo_output/`.

`--serve` keeps ComfyUI up afterwards and prints its address; `--thumbnails` stores the pictures beside the examples
and those of the help pages.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import environment
from environment import say
from pack import ROOT

OUTPUT = ROOT / "demo_output"
EXAMPLES = ROOT / "example_workflows"
Row = dict[str, Any]


def main() -> int:
    environment.ensure()
    # These need the environment that was just made.
    import contact_sheet
    import help_pictures
    import sample_pictures
    import tiny_upscaler
    from comfyui import ComfyUI

    shutil.rmtree(OUTPUT, ignore_errors=True)
    base = OUTPUT / ".comfyui-base"
    sample_pictures.paint(base / "input")
    tiny_upscaler.make(base / "models" / "upscale_models" / "tiny_x2.pth")
    say("Starting ComfyUI …")
    with ComfyUI(base=base) as comfyui:
        rows, pictures = run_all(comfyui)
        contact_sheet.make(pictures, OUTPUT / "contact_sheet.jpg")
        table = as_table(rows)
        (OUTPUT / "table.md").write_text(table, "utf-8")
        say(f"\n{table}\nPictures and contact sheet: {OUTPUT}")
        if "--thumbnails" in sys.argv[1:]:
            for file in EXAMPLES.glob("*.json"):
                contact_sheet.thumbnail(OUTPUT / f"{file.stem}.png", file.with_suffix(".jpg"))
            for node, example in help_pictures.EXAMPLES.items():
                workflow = json.loads((EXAMPLES / f"{example}.json").read_text("utf-8"))
                handle = next(row["handle"] for row in rows if row["workflow"] == example)
                made = [file for file in pictures if file.stem in (example, f"{example}_2")]
                help_pictures.make(workflow, node, handle, base / "input", made)
        if "--serve" in sys.argv[1:]:
            _serve(comfyui.address)
    return int(any(row["state"] != "done" for row in rows))


def run_all(comfyui: Any) -> tuple[list[Row], list[Path]]:
    """Runs the examples one after the other; returns a row for each task and the saved pictures."""
    from workflow import to_prompt

    info = comfyui.object_info()
    rows: list[Row] = []
    pictures: list[Path] = []
    for file in sorted(EXAMPLES.glob("*.json")):
        workflow = json.loads(file.read_text("utf-8"))
        prompt = to_prompt(workflow, info)
        say(f"{file.stem} …")
        entry = comfyui.run(prompt, workflow=workflow)
        rows += _rows(file.stem, prompt, entry)
        pictures += _keep(comfyui, file.stem, entry)
    return rows, pictures


def as_table(rows: list[Row]) -> str:
    """The tasks as a Markdown table."""
    lines = ["| workflow | node | provider | seconds | cost |", "|---|---|---|---|---|"]
    for row in rows:
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
        lines.append(f"| {row['workflow']} | {row['node']} | {row['provider']} | {seconds} | {_cost(row)} |")
    return "\n".join(lines) + "\n"


def _cost(row: Row) -> str:
    if row["state"] != "done" and row["state"] != "accepted":
        return row["state"]
    return "free" if not row["cost"] else f"{row['cost']:g} {row['unit']}"


def _rows(name: str, prompt: dict[str, Any], entry: dict[str, Any]) -> list[Row]:
    """One row a task; a workflow that failed gives one that says so."""
    rows = [
        {"workflow": name, "node": prompt[node]["class_type"], **record}
        for node, output in entry["outputs"].items()
        for record in output.get("kling", [])
    ]
    # A task that another node collects later appears there as done.
    collected = {row["handle"] for row in rows if row["state"] == "done"}
    rows = [row for row in rows if row["state"] == "done" or row["handle"] not in collected]
    if entry["status"]["status_str"] != "success":
        told = [details for kind, details in entry["status"]["messages"] if kind == "execution_error"]
        say(f"  failed: {told[0]['exception_message'] if told else entry['status']}")
        rows.append({"workflow": name, "node": "", "provider": "", "seconds": None, "state": "failed", "cost": None})
    return rows


def _keep(comfyui: Any, name: str, entry: dict[str, Any]) -> list[Path]:
    """Copies the pictures that the workflow saved or previewed, the saved ones first."""
    shown = [picture for output in entry["outputs"].values() for picture in output.get("images", [])]
    shown = [picture for picture in shown if picture["type"] != "input"]
    shown.sort(key=lambda picture: str(picture["type"]))
    kept = []
    for number, picture in enumerate(shown, 1):
        target = OUTPUT / (f"{name}.png" if number == 1 else f"{name}_{number}.png")
        shutil.copyfile(comfyui.output(picture), target)
        kept.append(target)
    return kept


def _serve(address: str) -> None:
    say(f"ComfyUI is at {address}; stop it with Ctrl+C.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        say("Stopped.")


if __name__ == "__main__":
    sys.exit(main())
