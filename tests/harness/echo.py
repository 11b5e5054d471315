"""A provider in Modellix' dialect that tells back every key it is given, wherever it can."""

from __future__ import annotations

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

SIGNATURE = "5f1e9a7b3c2d4e6f8091a2b3c4d5e6f7"
LINK = f"https://10.11.12.13/a.png?X-Amz-Signature={SIGNATURE}&Expires=99"
BASE64 = "UGxhbnRlZEJhc2U2NA" * 60


class Echo:
    """What becomes of a task is the first word of its prompt. Use as a context manager.

    refused: 401 · lost: no answer · failed: taken, then failed · unreadable: done, without pictures ·
    elsewhere: done, with a link that must not be followed
    """

    def __enter__(self) -> Echo:
        numbers = itertools.count(1)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                word = json.loads(body)["prompt"].split()[0]
                if word == "lost":
                    return
                if word == "refused":
                    self.say(401, {"code": 401, "message": f"Incorrect API key: {self.told()}"})
                else:
                    self.say(200, {"code": 0, "data": {"task_id": f"{word}-{next(numbers)}"}, "seen": self.told()})

            def do_GET(self) -> None:
                word = self.path.rpartition("/")[2].partition("-")[0]
                data: dict[str, Any] = {"status": "success", "request": self.told(), "input": {"image": BASE64}}
                if word == "failed":
                    data |= {"status": "failed", "error": f"{self.told()} {LINK} {BASE64}"}
                elif word == "elsewhere":
                    data["result"] = {"resources": [{"url": LINK}]}
                else:
                    data["result"] = {"odd": [LINK, self.told()]}
                self.say(200, {"code": 0, "data": data})

            def told(self) -> str:
                return f"{self.headers['Authorization']} (api_key={self.headers['Authorization'].split()[-1]})"

            def say(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api/v1"
