"""Retries, backoff and timeouts of steps."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from aetherflow.core import attempt as attempts
from aetherflow.core import engine, registry
from aetherflow.core.api import (
    PermanentError,
    Step,
    StepFailed,
    StepResult,
    register_step,
    run_flow,
)
from aetherflow.core.history import read_runs


@pytest.fixture(autouse=True)
def own_steps(monkeypatch):
    monkeypatch.setattr(registry, "_steps", dict(registry._steps))


@pytest.fixture
def shaky():
    """A step that fails as often as it is told."""

    class Shaky(Step):
        """Fail some times."""

        fails: int
        permanently: bool = False

        def run(self):
            Shaky.at.append(time.monotonic())
            if len(Shaky.at) <= self.fails:
                raise (PermanentError if self.permanently else ValueError)(f"try {len(Shaky.at)}")
            return StepResult()

    Shaky.at = []
    register_step("shaky", Shaky)
    return Shaky


def flow(write, settings, kind="shaky", inputs="fails: 3"):
    step = f"{{ id: s, type: {kind}, {settings}, inputs: {{ {inputs} }} }}"
    return write(f"name: f\njobs: {{ j: {{ steps: [{step}] }} }}")


def test_a_step_is_retried_with_growing_pauses(write, shaky, tmp_path):
    run_flow(flow(write, "retries: 3, backoff: 0.1"))
    pauses = [b - a for a, b in zip(shaky.at, shaky.at[1:], strict=False)]
    for pause, least in zip(pauses, [0.1, 0.2, 0.4], strict=True):
        assert least <= pause < least + 10
    (run,) = read_runs(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")
    assert [(step.outcome, step.attempts) for step in run.steps] == [("done", 4)]
    log = run.steps[0].log.read_text()
    assert log.count("failed") == 3
    assert "ValueError: try 3" in log
    assert log.endswith(" done\n")


def test_the_last_failure_is_the_one_that_is_told(write, shaky, tmp_path):
    with pytest.raises(StepFailed, match=r"^step `j\.s` failed: try 3$") as caught:
        run_flow(flow(write, "retries: 2, backoff: 0.01"))
    assert caught.value.log == tmp_path / ".aetherflow" / "flow.yaml.logs" / "1" / "j.s.log"
    assert len(shaky.at) == 3


def test_a_permanent_error_is_not_retried(write, shaky):
    with pytest.raises(StepFailed, match="try 1"):
        run_flow(flow(write, "retries: 9", inputs="fails: 3, permanently: true"))
    assert len(shaky.at) == 1


def test_no_pause_is_longer_than_five_minutes(monkeypatch, write, shaky):
    pauses = []

    class NoWait(threading.Event):
        def wait(self, timeout=None):
            if timeout is None:  # a thread waits until it has started
                return super().wait()
            pauses.append(timeout)
            return False

    monkeypatch.setattr(engine.threading, "Event", NoWait)
    run_flow(flow(write, "retries: 12, backoff: 1", inputs="fails: 12"))
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert attempts._LONGEST_PAUSE == 300


def test_a_step_that_exits_has_failed(write):
    class Exits(Step):
        """Call `sys.exit`."""

        def run(self):
            sys.exit("gone")

    register_step("exits", Exits)
    with pytest.raises(StepFailed, match=r"step `j\.s` failed: SystemExit: gone$"):
        run_flow(flow(write, "retries: 0", "exits", ""))


class Careful(Step):
    """Look at the time."""

    def run(self):
        while True:
            assert 0 < self.checkpoint() <= 0.3
            time.sleep(0.01)


class Careless(Step):
    """Do not look at the time."""

    seconds: float

    def run(self):
        time.sleep(self.seconds)
        return StepResult()


def test_a_step_that_looks_at_the_time_stops_in_time(write):
    register_step("careful", Careful)
    started = time.monotonic()
    with pytest.raises(StepFailed, match=r"took longer than its timeout of 0\.3 s$"):
        run_flow(flow(write, "timeout: 0.3", "careful", ""))
    assert time.monotonic() - started < 10


def test_a_step_that_does_not_is_late_all_the_same(write):
    register_step("careless", Careless)
    with pytest.raises(StepFailed, match=r"took longer than its timeout of 0\.3 s$"):
        run_flow(flow(write, "timeout: 0.3", "careless", "seconds: 0.6"))


def test_a_step_that_does_not_stop_is_given_up(write, monkeypatch):
    monkeypatch.setattr(engine, "_LATE_AT_MOST", 0.2)
    register_step("careless", Careless)
    started = time.monotonic()
    with pytest.raises(StepFailed, match=r"timeout of 0\.3 s, and does not stop$"):
        run_flow(flow(write, "timeout: 0.3, retries: 5", "careless", "seconds: 20"))
    assert time.monotonic() - started < 15


def test_a_timeout_is_that_of_one_attempt(write, shaky, tmp_path):
    register_step("careful", Careful)
    with pytest.raises(StepFailed):
        run_flow(flow(write, "timeout: 0.1, retries: 2, backoff: 0.01", "careful", ""))
    (run,) = read_runs(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")
    assert run.steps[0].attempts == 3


def test_without_an_engine_there_is_no_limit():
    assert Step.checkpoint() is None


def test_a_query_stops_in_time(write, tmp_path):
    write("n\n1\n", "a.csv")
    slow = write("""
        name: slow
        resources: { db: { driver: sqlite, config: { path: x.db } } }
        jobs:
          j:
            steps:
              - { id: l, type: csv_to_table, inputs: { source: a.csv, database: db, table: t } }
              - id: s
                type: query_to_csv
                timeout: 0.3
                inputs:
                  database: db
                  query: |
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
                    SELECT max(i) FROM n
                  target: out.csv
    """)
    started = time.monotonic()
    with pytest.raises(StepFailed, match=r"`j\.s` failed: took longer than its timeout of 0\.3 s$"):
        run_flow(slow)
    assert time.monotonic() - started < 10
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_a_program_is_killed_in_time_with_all_that_it_started(write, tmp_path):
    pulse = tmp_path / "pulse"
    beat = "import time\nwhile True: open('pulse', 'a').write('.'); time.sleep(0.02)"
    write(beat, "beat.py")
    write(f"import subprocess, sys; subprocess.run([{sys.executable!r}, 'beat.py'])", "start.py")
    command = f"command: [{sys.executable}, start.py]"
    with pytest.raises(StepFailed, match=r"took longer than its timeout of 4 s$"):
        run_flow(flow(write, "timeout: 4", "run_process", command))
    beats = pulse.stat().st_size
    assert beats
    time.sleep(0.3)
    assert pulse.stat().st_size == beats


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_a_pause_and_all_running_steps(write, installed, tmp_path):
    write("""
        name: waiting
        jobs:
          a: { steps: [{ id: s, type: run_process, inputs: { command: [sh, -c, "touch a; sleep 60"] } }] }
          b: { steps: [{ id: s, type: run_process, inputs: { command: [sh, -c, "touch b; sleep 60"] } }] }
          c:
            steps:
              - { id: s, type: run_process, retries: 3, backoff: 60, inputs: { command: ["false"] } }
    """)  # noqa: E501
    running = subprocess.Popen(
        [installed, "run", "flow.yaml", "--jobs", "3"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while "c.s: failed, next attempt in 60 s" not in running.stderr.readline():
            assert running.poll() is None
        end = time.monotonic() + 15
        while not ((tmp_path / "a").exists() and (tmp_path / "b").exists()):
            assert time.monotonic() < end
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        started = time.monotonic()
        _, stderr = running.communicate(timeout=20)
    finally:
        running.kill()
    assert time.monotonic() - started < 15
    assert (running.returncode, stderr.splitlines()[-2]) == (130, "interrupted")
    (run,) = read_runs(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")
    assert run.outcome == "interrupted"
    assert {step.outcome for step in run.steps} == {"interrupted", "failed"}
