"""The scheduler as a process, stopped by a signal. A short interval stands in for cron."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

SERVE = """
import logging, sys
from datetime import timezone
from pathlib import Path
from apscheduler.triggers.interval import IntervalTrigger
from aetherflow.scheduler.schedule import Schedule
from aetherflow.scheduler.service import serve

logging.basicConfig(level=logging.INFO, format="%(message)s")
logging.getLogger("apscheduler").setLevel(logging.ERROR)
often = IntervalTrigger(seconds=0.3, timezone=timezone.utc)
serve([Schedule(Path(name).stem, Path(name), often) for name in sys.argv[1:]])
logging.info("served")
"""


@pytest.fixture
def start(tmp_path):
    """Start a process in the test's own folder, and see to it that it is gone after the test."""
    running = []

    def start(*command):
        process = subprocess.Popen(
            [str(part) for part in command], cwd=tmp_path, stderr=subprocess.PIPE, text=True
        )
        # Who waits for a line that does not come is not to wait for ever.
        limit = threading.Timer(60, process.kill)
        limit.start()
        running.append((process, limit))
        return process

    yield start
    (tmp_path / "go").touch()  # what a flow has started may be waiting for it
    for process, limit in running:
        limit.cancel()
        process.kill()
        process.communicate()


@pytest.fixture
def serve(start):
    """Start the scheduler over some flows, each of them started again and again."""
    return lambda *flows: start(sys.executable, "-c", SERVE, *flows)


def wait_for(path, text="", seconds=15):
    end = time.monotonic() + seconds
    while not (path.exists() and path.read_text().startswith(text)):
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.01)


# Begins, waits for a file of the name `go`, and says that it has ended.
SLOW = (
    "import os, time; open('log', 'a').write('begun ');"
    " exec('while not os.path.exists(\\\\'go\\\\'): time.sleep(0.01)');"
    " open('log', 'a').write('ended ')"
)


def test_sigterm_lets_a_running_flow_end_and_starts_no_other(serve, flow, tmp_path):
    scheduler = serve(flow(SLOW), flow("pass", "quick.yaml"))
    wait_for(tmp_path / "log", "begun")
    scheduler.send_signal(signal.SIGTERM)
    while "stopping" not in scheduler.stderr.readline():
        assert scheduler.poll() is None
    time.sleep(1)  # long enough for three more starts to be due
    assert scheduler.poll() is None
    (tmp_path / "go").touch()
    _, stderr = scheduler.communicate(timeout=15)
    assert scheduler.returncode == 0
    assert (tmp_path / "log").read_text() == "begun ended "
    assert stderr.count("quick: started") <= 1  # one may just have been on its way
    assert stderr.endswith("flow: done, run 1\nserved\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(serve, flow, tmp_path, number):
    scheduler = serve(flow(SLOW))
    wait_for(tmp_path / "log", "begun")
    scheduler.send_signal(signal.SIGTERM)
    while "stopping" not in scheduler.stderr.readline():
        assert scheduler.poll() is None
    scheduler.send_signal(number)
    assert scheduler.wait(timeout=15) == -number


def test_a_flow_that_fails_stops_neither_itself_nor_others(serve, flow, tmp_path):
    failing = flow("open('tried', 'a').write('.'); raise SystemExit(3)", "failing.yaml")
    working = flow("open('worked', 'a').write('.')", "working.yaml")
    scheduler = serve(failing, working)
    wait_for(tmp_path / "tried", "..")
    wait_for(tmp_path / "worked", "..")
    scheduler.send_signal(signal.SIGTERM)
    _, stderr = scheduler.communicate(timeout=15)
    assert scheduler.returncode == 0
    assert "failing: failed: job 'one', step 'step': " in stderr
    assert "ended with exit status 3" in stderr
    assert "Traceback" not in stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_with_nothing_running_ends_it(installed, start, write, flow, number):
    flow("pass")
    # A day that is far away, so that nothing starts while the test looks.
    far = "timezone: UTC\nschedules: { far: { flow: flow.yaml, cron: 0 0 29 2 * } }"
    scheduler = start(installed, "run", write(far))
    assert scheduler.stderr.readline().endswith("serving far\n")
    scheduler.send_signal(number)
    _, stderr = scheduler.communicate(timeout=15)
    assert scheduler.returncode == 0
    assert stderr.endswith("stopping: running flows end, no new ones start\n")
