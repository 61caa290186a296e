"""`http_request` and `download` against a real server on loopback."""

import hashlib
import json
import time
from pathlib import Path

import pytest
from server import CONTENT

from aetherflow.core.api import PermanentError
from aetherflow.core.builtin.http import Download, HttpRequest


def request(server, path, **inputs):
    return HttpRequest(url=f"{server.url}/{path}", **inputs).run().outputs


class TestHttpRequest:
    def test_sends_what_it_is_told_and_hands_on_the_answer(self, server):
        answer = request(
            server,
            "echo?page=1",
            method="POST",
            headers={"x-token": "t"},
            query={"size": 5},
            body={"a": [1]},
        )
        assert answer["status"] == 200
        assert answer["headers"]["content-type"] == "application/json"
        said = answer["json"]
        assert json.loads(answer["body"]) == said
        assert (said["method"], said["query"]) == ("POST", {"page": "1", "size": "5"})
        assert json.loads(said["body"]) == {"a": [1]}
        assert said["headers"]["x-token"] == "t"
        assert said["headers"]["content-type"] == "application/json"
        assert said["headers"]["user-agent"] == "aetherflow"

    def test_a_body_of_text_is_sent_as_it_is(self, server):
        assert request(server, "echo", method="PUT", body="käse")["json"]["body"] == "käse"

    def test_text_is_read_in_the_encoding_of_the_answer(self, server):
        answer = request(server, "latin")
        assert (answer["body"], answer["json"]) == ("Käse", None)

    def test_redirects_are_followed(self, server):
        assert request(server, "redirect")["body"].startswith("day,amount")

    @pytest.mark.parametrize("status", [400, 401, 404, 410])
    def test_an_error_of_ours_is_not_retried(self, server, status):
        with pytest.raises(PermanentError, match=rf"answered {status} .*: as you wish$"):
            request(server, f"status/{status}")
        assert request(server, f"status/{status}", accept=[status])["status"] == status

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
    def test_an_error_that_may_pass_is(self, server, status):
        with pytest.raises(RuntimeError, match=f"answered {status}") as caught:
            request(server, f"status/{status}")
        assert not isinstance(caught.value, PermanentError)

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("broken_json", "the answer is not JSON"),
            ("redirect/circle", "redirects"),
            ("cut", "closed connection|incomplete"),
        ],
    )
    def test_an_invalid_answer_is_an_error(self, server, path, message):
        with pytest.raises(RuntimeError, match=message):
            request(server, path)

    def test_a_server_that_is_not_there_is_named_without_secrets(self, server):
        url = server.url.replace("http://", "http://user:hunter2@").rpartition(":")[0]
        with pytest.raises(RuntimeError, match=r"^GET http://127\.0\.0\.1:1/x: ") as caught:
            HttpRequest(url=f"{url}:1/x?token=hunter2").run()
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize("url", ["ftp://x/y", "x", "http://", "/x"])
    def test_only_http_is_spoken(self, url):
        with pytest.raises(ValueError, match="expected an address that begins with `http://`"):
            HttpRequest(url=url)

    def test_a_long_answer_is_for_download(self, server, monkeypatch):
        monkeypatch.setattr("aetherflow.core.builtin.http._BODY_AT_MOST", 1000)
        with pytest.raises(PermanentError, match="use the step `download`"):
            request(server, "file")


class TestDownload:
    def test_writes_the_file_and_tells_its_digest(self, server, tmp_path):
        target = tmp_path / "new" / "x.csv"
        digest = hashlib.sha256(CONTENT).hexdigest()
        step = Download(url=f"{server.url}/file", target=target, sha256=digest.upper())
        assert step.run().outputs == {"path": str(target), "bytes": len(CONTENT), "sha256": digest}
        assert target.read_bytes() == CONTENT

    @pytest.mark.parametrize(
        ("path", "inputs"),
        [("status/404", {}), ("cut", {}), ("file", {"sha256": "0" * 64})],
        ids=["error", "cut off", "wrong digest"],
    )
    def test_what_fails_leaves_the_old_file(self, server, tmp_path, path, inputs):
        target = tmp_path / "x.csv"
        target.write_text("old")
        with pytest.raises(RuntimeError):
            Download(url=f"{server.url}/{path}", target=target, **inputs).run()
        assert target.read_text() == "old"
        assert list(tmp_path.iterdir()) == [target]


FLOW = """
name: web
parameters: {{ server: {{}} }}
jobs:
  get:
    steps:
      - id: page
        type: {kind}
        retries: {retries}
        backoff: 0.01
        timeout: {timeout}
        inputs: {{ url: "${{parameters.server}}/{path}", {more} }}
"""


def flow(write, path, kind="http_request", retries=0, timeout=30, more=""):
    return write(FLOW.format(path=path, kind=kind, retries=retries, timeout=timeout, more=more))


def test_a_flaky_server_is_asked_again(write, server, aetherflow):
    flow(write, "flaky/2", retries=2)
    done = aetherflow("run", "flow.yaml", "--set", f"server={server.url}")
    assert done.returncode == 0
    assert done.stderr.count("get.page: failed, next attempt in 0.0") == 2
    assert server.asked["/flaky/2"] == 3


def test_a_missing_page_is_not(write, server, aetherflow):
    flow(write, "status/404", retries=5)
    assert aetherflow("run", "flow.yaml", "--set", f"server={server.url}").returncode == 1
    assert server.asked["/status/404"] == 1


@pytest.mark.parametrize("path", ["slow", "silent"])
@pytest.mark.parametrize("kind", ["http_request", "download"])
def test_the_timeout_of_the_step_holds(write, server, aetherflow, path, kind):
    flow(write, path, kind, timeout=0.4, more="target: x" if kind == "download" else "")
    started = time.monotonic()
    done = aetherflow("run", "flow.yaml", "--set", f"server={server.url}")
    assert time.monotonic() - started < 15
    assert done.returncode == 1
    assert "took longer than its timeout of 0.4 s\nlog" in done.stderr
    assert not Path("x").exists()
