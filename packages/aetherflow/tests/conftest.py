"""What the tests of the guide share: a copy of its folder, its web server, and the commands."""

import os
import shutil
import subprocess
import sysconfig
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[3] / "examples" / "sales-report"


class Handler(SimpleHTTPRequestHandler):
    """Serves files, after a pause if the test wants one, and says nothing."""

    pause = 0.0

    def do_GET(self):
        time.sleep(self.pause)
        super().do_GET()

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    """Does not mind clients that are killed."""

    def handle_error(self, *_):
        pass


class Shops:
    """The web server of the guide, which can be stopped and started again."""

    def __init__(self, folder):
        self._handler = partial(Handler, directory=folder)
        self._server = None
        self.port = 0
        self.start()

    def start(self):
        self._server = Server(("127.0.0.1", self.port), self._handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self):
        if self._server:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None


@pytest.fixture
def folder(tmp_path):
    """A copy of the folder of the guide."""
    if not EXAMPLE.is_dir():
        pytest.skip("needs the repository")
    made = shutil.ignore_patterns("out", ".aetherflow")
    return shutil.copytree(EXAMPLE, tmp_path / "sales-report", ignore=made)


@pytest.fixture
def shops(folder):
    """The web server, at a free port that the flow is told."""
    shops = Shops(folder / "data")
    flow = folder / "report.yaml"
    flow.write_text(flow.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{shops.port}"))
    yield shops
    shops.stop()


@pytest.fixture
def environment():
    """The environment of a shell in which the distributions are installed."""
    scripts = sysconfig.get_path("scripts")
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**kept, "PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")])}


@pytest.fixture
def start(folder, environment):
    """Start a command in the folder; none of them outlives the test."""
    started = []

    def start(*command):
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
