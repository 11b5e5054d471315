"""``python -m sandbox --home DIR``: serves until it is told to stop, and prints where, as one line of
JSON."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from .behaviour import PROVIDERS, Behaviour
from .server import Sandbox


def main() -> int:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder for tasks and pictures")
    parser.add_argument("--port", type=int, default=0, help="0 for any free one")
    parser.add_argument("--behaviour", default="{}", help="JSON, see behaviour.py")
    args = parser.parse_args()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        sandbox = Sandbox(args.home, args.port, Behaviour.from_json(json.loads(args.behaviour))).start()
    except (ValueError, TypeError, OSError) as error:
        parser.error(str(error))
    with sandbox:
        addresses = {name: sandbox.base_url(name) for name in PROVIDERS}
        addresses["control"] = f"{sandbox.origin}/sandbox"
        sys.stdout.write(json.dumps(addresses) + "\n")
        sys.stdout.flush()
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
