"""The scheduler as a process, stopped by a signal. A short interval replaces cron."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from aetherflow.scheduler import service
from aetherflow.scheduler.cron import parse_cron
from aetherflow.scheduler.schedule import Schedule

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
        # A line that does not come must not be waited for without end.
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
    assert "failing: failed: step `one.step` failed: " in stderr
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


OFTEN = """
import logging, sys
from pathlib import Path
from apscheduler.triggers.interval import IntervalTrigger
from aetherflow.scheduler import cron, schedule

# Cron knows no seconds: here, an expression is a number of tenths of a second.
schedule.parse_cron = lambda text, zone: IntervalTrigger(seconds=int(text) / 10, timezone=zone)
from aetherflow.scheduler.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def run(start):
    """Start `aetherflow-scheduler run`, with expressions that are tenths of a second."""
    return lambda: start(sys.executable, "-c", OFTEN, "run", "scheduler.yaml")


def ended(process, number=signal.SIGTERM):
    process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 0
    return stderr


def schedules(**entries):
    lines = "".join(f"  {name}: {{ {entry} }}\n" for name, entry in entries.items())
    return f"timezone: UTC\nschedules:\n{lines}"


APPEND = "open('NAME', 'a').write('.')"


def test_sighup_reads_the_schedules_again(run, write, flow, tmp_path):
    for name in ("kept", "gone", "new"):
        flow(APPEND.replace("NAME", name), f"{name}.yaml")
    write(schedules(kept='flow: kept.yaml, cron: "2"', gone='flow: gone.yaml, cron: "2"'))
    process = run()
    wait_for(tmp_path / "kept", ".")
    wait_for(tmp_path / "gone", ".")
    write(schedules(kept='flow: kept.yaml, cron: "2"', new='flow: new.yaml, cron: "2"'))
    process.send_signal(signal.SIGHUP)
    wait_for(tmp_path / "new", ".")
    time.sleep(0.5)  # what was on its way may still start
    gone, kept = ((tmp_path / name).stat().st_size for name in ("gone", "kept"))
    wait_for(tmp_path / "kept", "." * (kept + 2))
    assert (tmp_path / "gone").stat().st_size == gone
    assert "reloaded, serving kept, new\n" in ended(process)


def test_a_bad_schedule_is_not_reloaded(run, write, flow, tmp_path):
    flow(APPEND.replace("NAME", "kept"), "kept.yaml")
    write(schedules(kept='flow: kept.yaml, cron: "2"'))
    process = run()
    wait_for(tmp_path / "kept", ".")
    write(schedules(kept='flow: lost.yaml, cron: "2"'))
    process.send_signal(signal.SIGHUP)
    while "not reloaded, the schedules stay as they are: " not in (
        line := process.stderr.readline()
    ):
        assert process.poll() is None
    assert "schedules.kept.flow: lost.yaml: cannot read the file" in line
    before = (tmp_path / "kept").stat().st_size
    wait_for(tmp_path / "kept", "." * (before + 2))
    ended(process)


def test_a_start_is_passed_over_while_the_last_run_goes_on(run, write, flow, tmp_path):
    flow(SLOW)
    write(schedules(slow='flow: flow.yaml, cron: "2"'))
    process = run()
    while "slow: a start is passed over: its last run is still in progress" not in (
        process.stderr.readline()
    ):
        assert process.poll() is None
    (tmp_path / "go").touch()
    ended(process)


def test_two_runs_at_once_if_the_schedule_allows_them(run, write, flow, tmp_path):
    flow(SLOW)
    write(schedules(slow='flow: flow.yaml, cron: "2", max_instances: 2'))
    process = run()
    wait_for(tmp_path / "log", "begun begun ")
    while "slow: a start is passed over: 2 of its runs are still in progress" not in (
        process.stderr.readline()
    ):
        assert process.poll() is None
    assert (tmp_path / "log").read_text() == "begun begun "
    (tmp_path / "go").touch()
    assert "another run of this flow" not in ended(process)


def test_every_line_says_what_it_is_about(run, write, flow, tmp_path):
    flow(APPEND.replace("NAME", "kept"), "kept.yaml")
    write(schedules(a='flow: kept.yaml, cron: "2"'))
    process = run()
    wait_for(tmp_path / "kept", "..")
    lines = [line.split(" ", 2)[2] for line in ended(process).splitlines()]
    assert any(line.startswith("small: one.step: done in ") for line in lines)
    known = ("serving a", "stopping", "a: ", "small: one.step: done in ")
    assert all(line.startswith(known) for line in lines)


def test_jitter_delays_starts_at_random():
    trigger = parse_cron("@hourly", ZoneInfo("UTC"))
    jittered = service._jittered(trigger, 600)
    start = datetime(2026, 1, 5, 0, 30, tzinfo=timezone.utc)
    due = datetime(2026, 1, 5, 1, tzinfo=timezone.utc)
    delays = {(jittered.get_next_fire_time(None, start) - due).total_seconds() for _ in range(20)}
    assert len(delays) > 10
    assert all(0 <= delay <= 600 for delay in delays)
    assert trigger.get_next_fire_time(None, start) == due  # what is shown stays as it is


def test_status(run, write, flow, scheduler, tmp_path):
    flow("raise SystemExit(3)", "bad.yaml")
    flow(APPEND.replace("NAME", "worked"), "good.yaml")
    write(
        schedules(
            good='flow: good.yaml, cron: "2"',
            bad='flow: bad.yaml, cron: "2"',
            far='flow: good.yaml, cron: "99999"',
        )
    )
    none = scheduler("status")
    assert (none.returncode, none.stdout) == (1, "scheduler.yaml: not running\n")
    process = run()
    wait_for(tmp_path / "worked", "...")
    end = time.monotonic() + 15
    while True:
        shown = scheduler("status", "--json")
        found = json.loads(shown.stdout)
        by_name = {entry["name"]: entry for entry in found["schedules"]}
        if by_name["good"]["outcome"] and by_name["bad"]["outcome"]:
            break
        assert time.monotonic() < end
        time.sleep(0.05)
    assert shown.returncode == 0
    assert (found["running"], found["process"]) == (True, process.pid)
    assert (by_name["good"]["outcome"], by_name["good"]["error"]) == ("done", None)
    assert by_name["good"]["run"] >= 1
    assert by_name["bad"]["outcome"] == "failed"
    assert by_name["bad"]["error"].startswith("step `one.step` failed: ")
    assert by_name["far"]["started"] is None
    assert datetime.fromisoformat(by_name["far"]["next"]) > datetime.now(timezone.utc)
    text = scheduler("status").stdout
    assert text.startswith(f"scheduler.yaml: running since {found['started']}, process ")
    assert "far: not started yet; next at 20" in text
    ended(process)
    gone = scheduler("status")
    assert gone.returncode == 1
    assert gone.stdout.startswith("scheduler.yaml: not running; stopped at 20")


def test_a_scheduler_that_was_killed_is_not_running(run, write, flow, scheduler, tmp_path):
    flow("pass")
    write(schedules(a='flow: flow.yaml, cron: "99999"'))
    process = run()
    assert process.stderr.readline().endswith("serving a\n")
    process.kill()
    process.wait()
    file = tmp_path / ".aetherflow" / "scheduler.yaml.status.json"
    written = json.loads(file.read_text())
    written["beat"] -= 60
    file.write_text(json.dumps(written))
    done = scheduler("status")
    assert (done.returncode, done.stdout.partition(" at ")[0]) == (
        1,
        "scheduler.yaml: not running; last seen",
    )


def test_a_status_that_cannot_be_written_stops_nothing(run, write, flow, tmp_path):
    flow(APPEND.replace("NAME", "kept"), "deep/kept.yaml")
    write("", ".aetherflow")  # a file where a folder is needed
    write(schedules(a='flow: deep/kept.yaml, cron: "2"'))
    process = run()
    wait_for(tmp_path / "deep" / "kept", "..")
    assert ended(process).count("cannot write the status") == 1


def test_an_invalid_status_is_named(write, scheduler):
    write("timezone: UTC")
    write('{"schedules": [{"nam": 1}]}', ".aetherflow/scheduler.yaml.status.json")
    done = scheduler("status")
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot read the status: ")


def test_the_policies_reach_apscheduler():
    trigger = parse_cron("@hourly", ZoneInfo("UTC"))
    plain = Schedule("plain", Path("a.yaml"), trigger)
    told = Schedule(
        "told",
        Path("b.yaml"),
        trigger,
        misfire_grace_time=None,
        coalesce=False,
        max_instances=3,
        jitter=30,
    )
    running = service._Service([plain, told], None)
    running._scheduler.start(paused=True)
    try:
        running._apply([plain, told])
        jobs = {job.id: job for job in running._scheduler.get_jobs()}
        policies = {
            name: (job.misfire_grace_time, job.coalesce, job.max_instances, job.trigger.jitter)
            for name, job in jobs.items()
        }
    finally:
        running._scheduler.shutdown()
    assert policies == {"plain": (60, True, 1, None), "told": (None, False, 3, 30)}


def test_the_flow_is_told_its_parameters_and_runs_its_jobs_side_by_side(run, write, tmp_path):
    # Each of the two jobs waits for the file of the other.
    wait = (
        "import os, sys, time\n"
        "own, other = sys.argv[1:]\n"
        "open(own, 'w').close()\n"
        "end = time.monotonic() + 30  # even if nobody is left to end it\n"
        "while not os.path.exists(other) and time.monotonic() < end: time.sleep(0.01)\n"
    )
    write(wait, "wait.py")
    step = "id: s, type: run_process, timeout: 20"
    command = f"command: [{sys.executable}, wait.py"
    write(
        f"""
        name: told
        parameters: {{ a: {{}} }}
        jobs:
          a:
            steps:
              - {{ {step}, inputs: {{ {command}, "${{parameters.a}}", b] }} }}
          b:
            steps:
              - {{ {step}, inputs: {{ {command}, b, "${{parameters.a}}"] }} }}
          c:
            depends_on: [a, b]
            steps:
              - {{ {step}, inputs: {{ command: [touch, met] }} }}
        """,
        "told.yaml",
    )
    write(schedules(a='flow: told.yaml, cron: "2", jobs: 2, parameters: { a: special }'))
    process = run()
    wait_for(tmp_path / "met")
    assert (tmp_path / "special").exists()
    ended(process)
