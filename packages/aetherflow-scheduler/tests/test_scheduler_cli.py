"""The command as a user meets it: text on stdout and stderr, and the exit status."""

import subprocess
import sys
from datetime import datetime, timedelta
from importlib.metadata import distribution, version

import pytest

import aetherflow.scheduler

GOOD = """
timezone: Europe/Berlin
schedules:
  nightly: { flow: flow.yaml, cron: 30 2 * * mon-fri }
"""


def test_the_installed_command(installed, tmp_path):
    shown = subprocess.run(
        [installed, "run", "--dry-run"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (shown.stdout, shown.stderr) == ("nothing to run: there is no scheduler.yaml here\n", "")


def test_the_version_is_that_of_the_installed_distribution(scheduler):
    assert aetherflow.scheduler.__version__ == version("aetherflow-scheduler")
    shown = scheduler("--version").stdout
    assert shown == f"aetherflow-scheduler {version('aetherflow-scheduler')}\n"


def test_the_namespace_is_left_open_and_typed():
    files = set(map(str, distribution("aetherflow-scheduler").files))
    assert "aetherflow/__init__.py" not in files
    assert "aetherflow/scheduler/py.typed" in files


@pytest.mark.parametrize("arguments", [[], ["run"], ["status"]])
def test_help(scheduler, arguments):
    shown = scheduler(*arguments, "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith("usage: aetherflow-scheduler")


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run", "--dry"]])
def test_a_wrong_command_line_is_usage(scheduler, arguments):
    done = scheduler(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: aetherflow-scheduler")


def test_without_a_schedule_a_dry_run_has_nothing_to_do_and_a_run_is_refused(scheduler):
    dry = scheduler("run", "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout == "nothing to run: there is no scheduler.yaml here\n"
    done = scheduler("run")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: there is no scheduler.yaml here\n"
        "hint: name a schedule: `aetherflow-scheduler run SCHEDULE`\n"
    )


@pytest.mark.parametrize(
    "arguments", [["run", "--dry-run"], ["run", "scheduler.yaml", "--dry-run"]]
)
def test_a_dry_run_shows_the_next_times_and_starts_nothing(
    scheduler, write, flow, tmp_path, arguments
):
    flow("open('ran', 'w')")
    write(GOOD)
    done = scheduler(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    first, *times = done.stdout.splitlines()
    assert first == "nightly: flow.yaml, 30 2 * * mon-fri (Europe/Berlin)"
    shown = [datetime.fromisoformat(time.strip()) for time in times]
    assert len(shown) == 3
    assert all((time.hour, time.minute, time.weekday() < 5) == (2, 30, True) for time in shown)
    assert all(time.utcoffset() in (timedelta(hours=1), timedelta(hours=2)) for time in shown)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "flow.yaml", tmp_path / "scheduler.yaml"]


@pytest.mark.parametrize("arguments", [["run"], ["run", "--dry-run"]])
def test_a_bad_schedule_is_one_message_and_nothing_starts(scheduler, write, flow, arguments):
    flow("pass")
    write(GOOD.replace("30 2 * * mon-fri", "30 2"))
    done = scheduler(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "error: scheduler.yaml: schedules.nightly.cron: "
        "`30 2` has 2 fields: expected minute, hour, day of month, month and day of week\n"
    )


@pytest.mark.parametrize("arguments", [["run", "no.yaml"], ["run", "no.yaml", "--dry-run"]])
def test_a_named_schedule_has_to_be_there(scheduler, arguments):
    done = scheduler(*arguments)
    assert done.returncode == 2
    assert done.stderr == "error: no.yaml: cannot read the file: No such file or directory\n"


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_waits_for_nothing_that_it_does_not_need(option):
    code = (
        "import sys; from aetherflow.scheduler.cli import main\n"
        f"try: main([{option!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert not {'apscheduler', 'httpx', 'pydantic', 'rich', 'yaml'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
