"""The flow of the guide, killed at ten moments and resumed, and run twice at once."""

import json
import os
import signal
import sqlite3
import time
import zipfile
from contextlib import closing

import pytest
from conftest import Handler

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")

RUN = ("aetherflow", "run", "report.yaml", "--set", "day=2026-11-24", "--jobs", "2", "--json")


def finished(process):
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stdout + stderr
    return json.loads(stdout)


def result(folder):
    """Return what the flow delivers: what is in its archive, and its tables."""
    with zipfile.ZipFile(folder / "out" / "reports" / "2026-11-24" / "sales.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    with closing(sqlite3.connect(folder / "out" / "warehouse.sqlite3")) as db:
        tables = [
            sorted(db.execute(f"SELECT * FROM {table}").fetchall(), key=str)
            for table in ("sales", "products")
        ]
    return packed, tables


def forget(folder):
    """Let the next run begin as if there had been none."""
    for name in ("out", ".aetherflow"):
        (folder / name).rename(folder.parent / f"{name}-{time.monotonic_ns()}")


def steps_done(folder):
    """Return how many steps the last run has done; -1 if there is none yet."""
    state = folder / ".aetherflow" / "report.yaml.sqlite3"
    if not state.exists():
        return -1
    try:
        with closing(sqlite3.connect(state, timeout=10)) as db:
            runs, done = db.execute(
                "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM step"
                " WHERE outcome = 'done')"
            ).fetchone()
    except sqlite3.OperationalError:  # the tables are not there yet
        return -1
    return done if runs else -1


# When it is killed: how many steps are done, and how many seconds later. The first two downloads
# run side by side and take `PAUSE`; the steps at the end take milliseconds.
PAUSE = 0.4
MOMENTS = [(-1, 0), (0, 0), (0, 0.1), (0, 0.2), (0, 0.3), (1, 0), (2, 0), (3, 0), (5, 0), (7, 0)]


def test_killed_at_ten_moments_and_resumed(folder, shops, start, monkeypatch):
    monkeypatch.setattr(Handler, "pause", PAUSE)
    finished(start(*RUN))
    expected = result(folder)
    resumed = 0
    for done, later in MOMENTS:
        forget(folder)
        process = start(*RUN)
        while steps_done(folder) < done and process.poll() is None:
            time.sleep(0.002)
        time.sleep(later)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        second = start(*RUN, "--resume")
        stdout, stderr = second.communicate(timeout=60)
        if second.returncode == 2:  # killed before it began, or when it was already over
            assert "nothing to resume" in stdout
            stdout = json.dumps(finished(start(*RUN)))
        else:
            assert second.returncode == 0, stdout + stderr
            resumed += 1
        assert json.loads(stdout)["outcome"] == "done"
        assert result(folder) == expected
    assert resumed >= 5


def test_two_runs_at_once(folder, shops, start, monkeypatch):
    monkeypatch.setattr(Handler, "pause", 0.5)
    first = start(*RUN)
    state = folder / ".aetherflow" / "report.yaml.sqlite3.lock"
    end = time.monotonic() + 20
    while not state.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    second = start(*RUN)
    stdout, _ = second.communicate(timeout=60)
    reports = [json.loads(stdout), json.loads(first.communicate(timeout=60)[0])]
    # One of them runs, whichever came first; the other says so and changes nothing.
    assert sorted([first.returncode, second.returncode]) == [0, 1]
    (refused,) = [report for report in reports if report["outcome"] != "done"]
    assert "another run of this flow is in progress" in refused["error"]
    assert result(folder)[0]["totals.csv"].startswith(b"region,product,total\nnorth,")


def test_a_copy_of_the_flow_runs_at_the_same_time(folder, shops, start, monkeypatch):
    monkeypatch.setattr(Handler, "pause", 0.3)
    other = (folder / "report.yaml").read_text().replace("out/", "out2/")
    (folder / "other.yaml").write_text(other)
    (folder / "out2").mkdir()
    both = [start(*RUN), start(*(part.replace("report.yaml", "other.yaml") for part in RUN))]
    assert [finished(process)["outcome"] for process in both] == ["done", "done"]
