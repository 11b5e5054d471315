"""Life of a sandbox: limits, restarts, webhooks, controls, and the command."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from kling_pack.sandbox.behaviour import Behaviour, Limit
from kling_pack.sandbox.pictures import opened
from kling_pack.sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]
TEXT = {"prompt": "a lake at dawn"}


class TestLimits:
    def test_in_flight(self, client: Any) -> None:
        body, _ = client.simple("eachlabs")
        client.behave(seconds=3600, limits={"eachlabs": {"in_flight": 2}})
        tasks = [client.created("eachlabs", body) for _ in range(2)]
        answer = client.create("eachlabs", body)
        assert answer.status_code == 429
        assert answer.json()["status"] == 429 and answer.json()["error"] == "too many requests"
        client.call("POST", "eachlabs", f"/prediction/{tasks[0]}/cancel")
        assert client.create("eachlabs", body).status_code == 200
        counts = client.stats("eachlabs")
        assert (counts["most_in_flight"], counts["given_429"], counts["creates_accepted"]) == (2, 1, 3)

    def test_limits_belong_to_a_key(self, client: Any) -> None:
        client.behave(seconds=3600, limits={"modellix": {"in_flight": 1}})
        path = "/kling/kling-v2-t2i/async"
        answers = [
            client.call("POST", "modellix", path, json=TEXT, headers={"Authorization": f"Bearer {key}"})
            for key in ("one", "two", "one")
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 429]

    def test_requests_a_minute(self, client: Any) -> None:
        client.behave(limits={"modellix": {"requests_per_minute": 3}})
        answers = [client.call("GET", "modellix", "/team/balance") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[3].json()["code"] == 429
        assert int(answers[3].headers["X-RateLimit-Reset"]) >= int(time.time()) + 50

    def test_puts_and_downloads_do_not_count(self, client: Any, picture: Any) -> None:
        client.behave(limits={"apimodels": {"requests_per_minute": 3}})
        link = client.upload("apimodels", picture())
        task = client.created("apimodels", {"model": "kling-v2", "prompt": "a", "image_url": link})
        assert len(client.results("apimodels", task)) == 1
        assert client.poll("apimodels", task).status_code == 429

    def test_by_default_they_are_what_the_pages_state(self) -> None:
        limits = Behaviour().limits
        assert limits == {"eachlabs": Limit(10, 60), "modellix": Limit(None, 100), "apimodels": Limit()}


class TestRestart:
    def test_tasks_and_links_survive_on_another_port(
        self, own: Any, client_of: Any, sandboxes: Any, tmp_path: Path
    ) -> None:
        task = own.created("modellix", TEXT, "kling-v2-t2i")
        before = own.download(own.links("modellix", task)[0]).content
        old = own.sandbox.origin
        own.sandbox.stop()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", int(old.rpartition(":")[2])))
            taken.listen()
            later = client_of(sandboxes())
            assert later.sandbox.origin != old
            link = later.links("modellix", task)[0]
            assert link.startswith(later.sandbox.origin)
            assert later.download(link).content == before

    def test_without_a_named_port_it_comes_back_on_the_same(self, own: Any, sandboxes: Any) -> None:
        port = own.sandbox.port
        own.sandbox.stop()
        assert sandboxes().port == port

    def test_a_task_that_was_running_goes_on_by_the_clock(self, own: Any, client_of: Any, sandboxes: Any) -> None:
        own.behave(seconds=3600)
        task = own.created("modellix", TEXT, "kling-v2-t2i")
        own.sandbox.stop()
        later = client_of(sandboxes())
        assert later.poll("modellix", task).json()["data"]["status"] == "pending"
        assert later.tasks()[0]["body"] == TEXT

    def test_pictures_that_were_not_painted_are(
        self, own: Any, client_of: Any, sandboxes: Any, picture: Any, tmp_path: Path
    ) -> None:
        body = {"prompt": "a", "image": own.inline(picture())}
        task = own.created("modellix", body, "kling-v3-i2i")
        before = own.download(own.links("modellix", task)[0]).content
        own.sandbox.stop()
        for path in (tmp_path / "home" / "results" / task).iterdir():
            path.unlink()
        (tmp_path / "home" / "results" / task).rmdir()
        later = client_of(sandboxes())
        assert later.download(later.links("modellix", task)[0]).content == before

    def test_old_tasks_are_cleaned(self, own: Any, client_of: Any, sandboxes: Any, tmp_path: Path) -> None:
        body = own.filled("modellix", {"prompt": "a", "image": "PICTURE"})
        task = own.created("modellix", body, "kling-v3-i2i")
        own.links("modellix", task)
        own.sandbox.stop()
        later = client_of(sandboxes(Behaviour(keep_days=0)))
        assert later.poll("modellix", task).status_code == 404
        assert list((tmp_path / "home" / "results").iterdir()) == []
        assert list((tmp_path / "home" / "pictures").iterdir()) == []


class TestStartAndStop:
    def test_nothing_before_start(self, tmp_path: Path) -> None:
        sandbox = Sandbox(tmp_path / "home")
        assert not (tmp_path / "home").exists()
        with pytest.raises(RuntimeError, match="not running"):
            _ = sandbox.port

    def test_a_named_port_that_is_taken(self, tmp_path: Path) -> None:
        with Sandbox(tmp_path / "one") as first, pytest.raises(OSError, match=str(first.port)):
            Sandbox(tmp_path / "two", first.port).start()

    def test_it_answers_on_loopback_only_and_no_web_page(self, client: Any) -> None:
        stats = f"{client.sandbox.origin}/sandbox/stats"
        assert client.sandbox.origin.startswith("http://127.0.0.1:")
        assert requests.get(stats, headers={"Host": "evil.example"}, timeout=9).status_code == 403
        assert requests.get(stats, headers={"Origin": "https://evil.example"}, timeout=9).status_code == 403

    def test_stop_ends_what_hangs(self, own: Any) -> None:
        own.fault("hang", on="poll")
        ended: queue.Queue[type[BaseException]] = queue.Queue()

        def ask() -> None:
            try:
                own.poll("modellix", "x")
            except requests.RequestException as error:
                ended.put(type(error))

        thread = threading.Thread(target=ask)
        thread.start()
        while not own.stats("modellix")["polls"]:
            pass
        own.sandbox.stop()
        assert issubclass(ended.get(timeout=5), requests.ConnectionError)
        thread.join()


class TestTruth:
    def test_bodies_are_kept_exactly_with_pictures_as_digests(self, client: Any, picture: Any) -> None:
        data = picture()
        client.created("modellix", {"prompt": "a", "image": client.inline(data)}, "kling-v3-i2i")
        told = client.tasks()[0]
        digest = hashlib.sha256(data).hexdigest()
        assert told["body"] == {"prompt": "a", "image": f"sha256:{digest} ({len(data)} bytes)"}
        assert told["pictures"] == [digest]
        assert "Authorization" in told["headers"]
        assert "key" not in json.dumps(told["headers"])
        assert (told["model"], told["operation"]) == ("kling-v3-i2i", "image")

    def test_counts(self, client: Any) -> None:
        task = client.created("modellix", TEXT, "kling-v2-t2i")
        client.create("modellix", {}, "kling-v2-t2i")
        client.results("modellix", task)
        counts = client.stats("modellix")
        expected = {"requests": 4, "creates_accepted": 1, "creates_refused": 1, "polls": 1, "downloads": 1}
        assert expected.items() <= counts.items()
        assert counts["reasons"] == {"400 prompt: is required": 1}

    def test_reset_forgets(self, client: Any) -> None:
        client.fault("http_500", on="poll")
        task = client.created("modellix", TEXT, "kling-v2-t2i")
        assert client.control("POST", "/reset").status_code == 200
        assert client.tasks() == [] and client.stats("modellix")["requests"] == 0
        assert client.poll("modellix", task).status_code == 404
        assert client.control("GET", "/behaviour").json()["faults"] == []


class TestRepaint:
    def pictures(self, client: Any, *orders: dict[str, Any]) -> list[bytes]:
        tasks = [client.created("modellix", order, "kling-v2-t2i") for order in orders]
        return [client.download(client.links("modellix", task)[0]).content for task in tasks]

    def test_by_default_every_task_has_a_picture_of_its_own(self, client: Any) -> None:
        assert len(set(self.pictures(client, TEXT, TEXT))) == 2

    def test_off_orders_that_differ_in_their_words_alone_share_one(self, client: Any) -> None:
        client.behave(repaint=False)
        first, other_words = self.pictures(client, TEXT, {"prompt": "a city at night"})
        assert first == other_words
        assert opened(self.pictures(client, TEXT | {"aspect_ratio": "1:1"})[0]).size != opened(first).size


class TestLengths:
    def test_every_further_picture_may_take_as_long_again(self, client: Any) -> None:
        client.behave(seconds=0.01, each_picture=True)
        for pictures in (1, 3):
            client.created("modellix", TEXT | {"n": pictures}, "kling-v2-t2i")
        assert sorted(task["seconds"] for task in client.tasks()) == pytest.approx([0.01, 0.03])


class TestWebhooks:
    @pytest.fixture
    def hook(self) -> Iterator[tuple[str, queue.Queue[tuple[dict[str, Any], str | None]]]]:
        """A receiver on loopback and what reached it: payload and secret."""
        received: queue.Queue[tuple[dict[str, Any], str | None]] = queue.Queue()

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.put((json.loads(body), self.headers.get("X-Webhook-Secret")))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", received
        server.shutdown()
        server.server_close()

    def test_eachlabs(self, client: Any, hook: Any) -> None:
        url, received = hook
        body, _ = client.simple("eachlabs")
        task = client.created("eachlabs", body | {"webhook_url": url, "webhook_secret": "s3cret"})
        payload, secret = received.get(timeout=9)
        assert secret == "s3cret"
        link = payload["output"]
        assert payload == {"exec_id": task, "status": "succeeded", "output": link, "error": ""}
        assert client.download(link).content

    def test_eachlabs_failure(self, client: Any, hook: Any) -> None:
        url, received = hook
        body, _ = client.simple("eachlabs")
        client.fault("task_failed", reason="no")
        task = client.created("eachlabs", body | {"webhook_url": url})
        payload, _ = received.get(timeout=9)
        assert payload == {"exec_id": task, "status": "failed", "output": [{"error": "no"}], "error": ""}

    def test_apimodels_posts_what_a_get_answers(self, client: Any, hook: Any) -> None:
        url, received = hook
        task = client.created("apimodels", {"model": "kling-v2", "prompt": "a", "callback_url": url})
        payload, _ = received.get(timeout=9)
        assert payload == client.poll("apimodels", task).json()

    def test_other_hosts_are_not_called(self, client: Any) -> None:
        client.created("apimodels", {"model": "kling-v2", "prompt": "a", "callback_url": "https://example.com/"})
        assert client.stats("apimodels")["webhooks"] == 0


def test_the_command_prints_its_addresses_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "--port",
        "0",
        "--home",
        str(tmp_path),
        "--behaviour",
        '{"seconds": 0}',
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        assert set(addresses) == {"eachlabs", "modellix", "apimodels", "control"}
        assert requests.get(addresses["control"] + "/stats", timeout=9).json()["tasks"] == []
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(timeout=9) == 0
