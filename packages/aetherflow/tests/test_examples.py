"""The examples of the repository, run as their README says, on a copy."""

import shutil
import subprocess
import sysconfig
import zipfile
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples"
TOTALS = "region,total\nsouth,385.0\nnorth,270.5\nwest,60.25\n"

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="needs the repository")


@pytest.fixture
def examples(tmp_path):
    made = shutil.ignore_patterns("out", ".aetherflow")
    return shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=made)


def run(command, *arguments):
    program = Path(sysconfig.get_path("scripts"), command)
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_the_flow_delivers_its_report(examples):
    done = run("aetherflow", "run", examples / "daily-sales.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "daily-sales, run 1: done; 4 steps run, 0 done before\n"
    assert (examples / "out" / "totals.csv").read_text(encoding="utf-8") == TOTALS
    with zipfile.ZipFile(examples / "out" / "drop" / "report-3-regions.zip") as report:
        assert report.read("totals.csv").decode() == TOTALS


def test_the_flow_goes_on_where_it_stopped(examples):
    blocked = examples / "out" / "drop"
    blocked.parent.mkdir()
    blocked.write_text("a file, where a folder is needed")
    stopped = run("aetherflow", "run", examples / "daily-sales.yaml")
    assert stopped.returncode == 1
    assert "error: step `deliver.copy` failed: " in stopped.stderr
    blocked.unlink()
    resumed = run("aetherflow", "run", examples / "daily-sales.yaml", "--resume")
    assert resumed.stdout == "daily-sales, run 1: done; 1 step run, 3 done before\n"
    assert (blocked / "report-3-regions.zip").exists()


def test_the_schedule_is_valid(examples):
    done = run("aetherflow-scheduler", "run", examples / "scheduler.yaml", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("nightly: ")
    assert len(done.stdout.splitlines()) == 4
