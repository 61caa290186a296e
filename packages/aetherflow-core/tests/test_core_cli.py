"""The command as a user meets it: text on stdout and stderr, and the exit status."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.metadata import version

import pytest

FLOW = """
name: small
jobs:
  one:
    steps:
      - id: hello
        type: run_process
        inputs: { command: [PYTHON, -c, "print('hello')"] }
      - id: gate
        type: run_process
        inputs:
          command: [PYTHON, -c, "import os, sys; sys.exit(0 if os.path.exists('open') else 5)"]
      - id: bye
        type: run_process
        inputs: { command: [PYTHON, -c, "import sys; print(sys.argv[1])", "${one.hello.stdout}"] }
""".replace("PYTHON", sys.executable)


def test_the_installed_command(installed):
    shown = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"aetherflow-core {version('aetherflow-core')}\n"


def test_version_and_help(aetherflow):
    assert aetherflow("--version").stdout == f"aetherflow-core {version('aetherflow-core')}\n"
    for arguments in ([], ["validate"], ["run"], ["runs"], ["show"], ["steps"], ["schema"]):
        shown = aetherflow(*arguments, "--help")
        assert shown.returncode == 0
        assert shown.stdout.startswith("usage: aetherflow")


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["run"], ["run", "flow.yaml", "--res"], ["run", "f", "--run", "1"]]
)
def test_a_wrong_command_line_is_usage(aetherflow, arguments):
    done = aetherflow(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: aetherflow")


def test_validate(write, aetherflow):
    write(FLOW)
    done = aetherflow("validate", "flow.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "flow.yaml: valid; 1 job, 3 steps\n"


def test_validate_json(write, aetherflow):
    write(FLOW)
    done = aetherflow("validate", "flow.yaml", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == {
        "flow": "flow.yaml",
        "valid": True,
        "jobs": ["one"],
        "problems": [],
    }
    write(FLOW.replace("type: run_process", "type: run", 1))
    done = aetherflow("validate", "flow.yaml", "--json")
    assert done.returncode == 2
    report = json.loads(done.stdout)
    assert (report["valid"], report["jobs"]) == (False, [])
    assert report["problems"][0]["path"] == "jobs.one.steps[0].type"


@pytest.mark.parametrize("command", ["validate", "run"])
def test_a_bad_flow_is_one_message_and_nothing_is_done(write, aetherflow, command, tmp_path):
    write(FLOW.replace("one.hello.stdout", "one.hello.stdin"))
    done = aetherflow(command, "flow.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: flow.yaml: jobs.one.steps[2].inputs.command[3]: "
        "unknown reference `one.hello.stdin`; did you mean `one.hello.stdout`?\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["flow.yaml"]


def test_a_missing_flow(aetherflow):
    done = aetherflow("run", "no.yaml")
    assert done.returncode == 2
    assert done.stderr == "error: no.yaml: cannot read the file: No such file or directory\n"


def test_a_failed_run_is_resumed(write, aetherflow):
    write(FLOW)
    failed = aetherflow("run", "flow.yaml")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "error: step `one.gate` failed: " in failed.stderr
    assert failed.stderr.endswith(
        "log: .aetherflow/flow.yaml.logs/1/one.gate.log\n"
        "hint: `aetherflow run flow.yaml --resume` continues after the last finished step\n"
    )
    assert "ended with exit status 5" in failed.stderr
    write("", "open")
    resumed = aetherflow("run", "flow.yaml", "--resume")
    assert resumed.returncode == 0
    assert resumed.stdout == "small, run 1: done; 2 steps run, 1 done before\n"
    assert resumed.stderr.startswith("one.hello: done before\none.gate: done in ")
    again = aetherflow("run", "flow.yaml", "--resume")
    assert again.returncode == 2
    assert again.stderr == "error: nothing to resume: the last run of this flow is finished\n"


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"])
def test_a_killed_run_is_resumed(write, aetherflow, installed, tmp_path, number):
    number = getattr(signal, number)
    waiting = "import os, time; open('begun', 'a').write('.'); time.sleep(WAIT)"
    gate = FLOW[FLOW.index("import os, sys") : FLOW.index('"]\n      - id: bye')]
    write(FLOW.replace(gate, waiting.replace("WAIT", "0 if os.path.exists('open') else 5")))
    running = subprocess.Popen(
        [installed, "run", "flow.yaml"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(tmp_path / "begun")
        running.send_signal(number)
        _, stderr = running.communicate(timeout=10)
    finally:
        running.kill()
    assert running.returncode == (-number if number == signal.SIGKILL else 130)
    if number != signal.SIGKILL:
        assert stderr.endswith(
            "interrupted\n"
            "hint: `aetherflow run flow.yaml --resume` continues after the last finished step\n"
        )
    write("", "open")
    resumed = aetherflow("run", "flow.yaml", "--resume")
    assert resumed.stdout == "small, run 1: done; 2 steps run, 1 done before\n"
    assert (tmp_path / "begun").read_text() == ".."


def wait_for(path, seconds=10):
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.01)


@pytest.mark.skipif(os.name != "posix", reason="pipes that break")
def test_a_reader_that_has_seen_enough_is_not_an_error(installed):
    command = f"'{installed}' schema | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_waits_for_nothing_that_it_does_not_need(option):
    code = (
        "import sys; from aetherflow.core.cli import main\n"
        f"try: main([{option!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'httpx', 'psycopg', 'pydantic', 'rich', 'yaml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
