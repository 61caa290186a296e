"""What a run leaves behind, and the commands that show it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from aetherflow.core import state
from aetherflow.core.api import RunFailed, run_flow
from aetherflow.core.history import read_runs
from aetherflow.core.lock import Lock

FLOW = """
name: small
parameters: { n: { type: integer, default: 1 } }
jobs:
  one:
    steps:
      - { id: hello, type: run_process, inputs: { command: [echo, "${parameters.n}"] } }
      - { id: gate, type: run_process, inputs: { command: [test, -e, open] } }
  two:
    when: parameters.n > 1
    steps:
      - { id: bye, type: run_process, inputs: { command: [echo, bye] } }
"""


@pytest.fixture
def three_runs(write, aetherflow):
    """A run that failed, one that is done, and one that was killed."""
    write(FLOW)
    assert aetherflow("run", "flow.yaml").returncode == 1
    write("", "open")
    assert aetherflow("run", "flow.yaml", "--set", "n=2").returncode == 0
    Path("open").unlink()
    assert aetherflow("run", "flow.yaml").returncode == 1
    with closing(sqlite3.connect(".aetherflow/flow.yaml.sqlite3")) as db, db:
        db.execute("UPDATE run SET outcome = NULL, finished = NULL, error = NULL WHERE id = 3")


def test_runs_lists_them_the_last_one_first(three_runs, aetherflow):
    done = aetherflow("runs")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["RUN", "FLOW", "STARTED", "SECONDS", "STEPS", "OUTCOME"]
    cells = [row.split() for row in rows]
    assert [(row[0], row[1], row[5], row[6]) for row in cells] == [
        ("3", "flow.yaml", "1", "interrupted"),
        ("2", "flow.yaml", "3", "done"),
        ("1", "flow.yaml", "1", "failed:"),
    ]
    assert rows[2].endswith("failed: step `one.gate` failed: `test` ended with exit status 1")


@pytest.mark.parametrize("arguments", [["flow.yaml"], ["--state", ".aetherflow/flow.yaml.sqlite3"]])
def test_runs_as_json(three_runs, aetherflow, arguments):
    done = aetherflow("runs", *arguments, "--limit", "2", "--json")
    found = json.loads(done.stdout)
    assert [(run["run"], run["outcome"], run["parameters"]) for run in found] == [
        (3, "interrupted", {"n": 1}),
        (2, "done", {"n": 2}),
    ]
    assert found[0]["seconds"] is None
    assert found[1]["seconds"] > 0
    assert [step["step"] for step in found[1]["steps"]] == ["hello", "gate", "bye"]


def test_show(three_runs, aetherflow):
    done = aetherflow("show", "1")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == (
        "small, run 1: failed: step `one.gate` failed: `test` ended with exit status 1"
    )
    assert lines[2] == "parameter n=1"
    logs = ".aetherflow/flow.yaml.logs/1"
    assert [(row.split()[0], row.split()[1], row.split()[4]) for row in lines[5:7]] == [
        ("one.hello", "done", f"{logs}/one.hello.log"),
        ("one.gate", "failed", f"{logs}/one.gate.log"),
    ]
    assert lines[-1] == "one.gate: `test` ended with exit status 1"
    assert Path(logs, "one.hello.stdout").read_text() == "1\n"
    assert Path(logs, "one.gate.log").read_text().count("\n") > 2
    assert json.loads(aetherflow("show", "1", "flow.yaml", "--json").stdout)["outcome"] == "failed"


def test_show_wants_a_run_that_there_is_once(three_runs, write, aetherflow):
    done = aetherflow("show", "9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: no run 9 here\nhint: `aetherflow runs` lists the runs\n"
    write(FLOW, "other.yaml")
    aetherflow("run", "other.yaml")
    done = aetherflow("show", "1")
    assert done.stderr == (
        "error: 2 flows have a run 1: `flow.yaml`, `other.yaml`\n"
        "hint: name the flow: `aetherflow show 1 flow.yaml`\n"
    )
    assert aetherflow("show", "1", "other.yaml").returncode == 0


def test_without_a_run_there_is_nothing(aetherflow, tmp_path):
    assert aetherflow("runs").stdout == "no runs\n"
    assert json.loads(aetherflow("runs", "--json").stdout) == []
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_says_that_there_is_something_to_resume(three_runs, write, aetherflow):
    write("", "open")
    done = aetherflow("run", "flow.yaml")
    assert done.returncode == 0
    note, hint, *_ = done.stderr.splitlines()
    assert note == "note: run 3 was interrupted after 1 step; this is a new run"
    assert hint == "hint: `aetherflow run flow.yaml --resume --run 3` continues run 3"
    command = hint.split("`")[1].split()[1:]
    assert (
        aetherflow(*command).stdout
        == "small, run 3: done; 1 step run, 1 done before; skipped: two\n"
    )
    assert "note:" not in aetherflow("run", "flow.yaml").stderr


def test_the_history_can_be_read_while_the_flow_runs(write, installed, aetherflow, tmp_path):
    write("""
        name: slow
        jobs:
          j:
            steps:
              - { id: s, type: run_process, inputs: { command: [sh, -c, "touch begun; sleep 60"] } }
    """)
    running = subprocess.Popen([installed, "run", "flow.yaml"], cwd=tmp_path)
    try:
        end = time.monotonic() + 15
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        (run,) = json.loads(aetherflow("runs", "--json").stdout)
        assert (run["outcome"], run["steps"][0]["outcome"]) == ("running", "running")
        second = aetherflow("run", "flow.yaml")
        assert second.returncode == 1
        assert "error: another run of this flow is in progress" in second.stderr
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=15)
    assert read_runs(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")[0].outcome == "interrupted"


def test_a_look_at_the_history_keeps_no_run_from_starting(write, tmp_path):
    write("", "open")
    lock = tmp_path / ".aetherflow" / "flow.yaml.sqlite3.lock"
    held = Lock(lock)  # as `aetherflow runs` holds it for a moment
    threading.Timer(0.1, held.release).start()
    assert run_flow(write(FLOW)).run == 1


def test_only_the_last_runs_are_kept(write, monkeypatch, tmp_path):
    monkeypatch.setattr(state, "KEPT", 3)
    flow = write(FLOW)
    write("", "open")
    for _ in range(5):
        run_flow(flow)
    runs = read_runs(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")
    assert [run.run for run in runs] == [5, 4, 3]
    logs = tmp_path / ".aetherflow" / "flow.yaml.logs"
    assert sorted(path.name for path in logs.iterdir()) == ["3", "4", "5"]


@pytest.mark.parametrize("version", [1, 99])
def test_a_state_of_another_version_is_named(write, tmp_path, version):
    file = tmp_path / "state.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(RunFailed, match="was written by another version"):
        read_runs(file)
    write("", "open")
    if version == 1:
        assert run_flow(write(FLOW), state=file).run == 1
    else:
        with pytest.raises(RunFailed, match="was written by a newer version"):
            run_flow(write(FLOW), state=file)


class TestRunJson:
    def run(self, aetherflow, *arguments):
        done = aetherflow("run", "flow.yaml", "--json", *arguments)
        return done.returncode, json.loads(done.stdout)

    def test_done(self, write, aetherflow):
        write(FLOW)
        write("", "open")
        status, report = self.run(aetherflow)
        assert status == 0
        assert (report["run"], report["outcome"], report["error"]) == (1, "done", None)
        assert report["jobs"] == {"one": "done", "two": "skipped"}
        assert [(step["step"], step["outcome"]) for step in report["steps"]] == [
            ("hello", "done"),
            ("gate", "done"),
        ]
        assert report["outputs"]["one.hello.stdout"] == "1\n"
        assert report["problems"] == []

    def test_failed(self, write, aetherflow):
        write(FLOW)
        status, report = self.run(aetherflow)
        assert status == 1
        assert (report["run"], report["outcome"]) == (1, "failed")
        assert report["error"] == "step `one.gate` failed: `test` ended with exit status 1"
        assert [step["error"] for step in report["steps"]] == [
            None,
            "`test` ended with exit status 1",
        ]

    def test_refused(self, write, aetherflow):
        write(FLOW.replace("command: [test", "comand: [test"))
        status, report = self.run(aetherflow)
        assert status == 2
        assert (report["run"], report["outcome"], report["steps"]) == (None, "refused", [])
        assert [problem["path"] for problem in report["problems"]] == [
            "jobs.one.steps[1].inputs.command",
            "jobs.one.steps[1].inputs.comand",
        ]

    def test_the_run_of_one_job_among_others(self, write, aetherflow):
        write(FLOW)
        self.run(aetherflow, "--job", "one")
        self.run(aetherflow)
        write("", "open")
        status, report = self.run(aetherflow, "--job", "one", "--resume")
        assert (status, report["run"], report["outcome"]) == (0, 1, "done")

    def test_nothing_to_resume(self, write, aetherflow):
        write(FLOW)
        status, report = self.run(aetherflow, "--resume")
        assert status == 2
        assert report["problems"] == [
            {"path": "", "message": "nothing to resume: this flow has not been run yet"}
        ]


def test_steps_as_json(aetherflow):
    found = json.loads(aetherflow("steps", "--json").stdout)
    step = next(step for step in found["steps"] if step["name"] == "zip_files")
    assert step["outputs"] == ["path", "count"]
    assert step["inputs"][0] == {
        "name": "files",
        "type": "list of paths",
        "required": True,
        "default": None,
        "description": "The files and folders.",
    }
    assert [connector["name"] for connector in found["connectors"]] == [
        "local",
        "postgres",
        "sqlite",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
class TestTerminal:
    def on_terminal(self, tmp_path, *command, **env):
        """Run a command with stderr on a terminal; return its status, stdout and stderr."""
        import pty  # not on Windows

        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **env}
        process = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, env=environment
        )
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:
                break
            if not part:
                break
            shown += part
        os.close(ours)
        stdout = process.stdout.read().decode()
        process.stdout.close()
        return process.wait(timeout=15), stdout, shown.decode()

    def test_running_steps_are_shown_live(self, write, installed, tmp_path):
        write(FLOW.replace("[echo, bye]", "[sleep, '0.5']"))
        write("", "open")
        status, stdout, shown = self.on_terminal(
            tmp_path, installed, "run", "flow.yaml", "--set", "n=2"
        )
        assert (status, stdout) == (0, "small, run 1: done; 3 steps run, 0 done before\n")
        assert "\x1b[" in shown
        assert "two.bye" in shown.partition("two.bye: ")[0]  # while it ran
        assert "one.hello: " in shown

    def test_a_dumb_terminal_gets_plain_lines(self, write, installed, tmp_path):
        write(FLOW)
        write("", "open")
        for arguments, env in ([], {"TERM": "dumb"}), (["--progress", "plain"], {}):
            status, _, shown = self.on_terminal(
                tmp_path, installed, "run", "flow.yaml", *arguments, **env
            )
            assert status == 0
            assert "\x1b[" not in shown
            assert shown.startswith("one.hello: done in ")
