"""The guide is true: its files are those of the example, and its commands say what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[1] / "docs" / "guide.md"
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What differs from run to run, and from system to system.
VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "TIME"),
    (re.compile(r"^  \d{4}-\d\d-\d\dT02:30:00\+0\d:00$", re.MULTILINE), "  NEXT"),
    (re.compile(r" +\d+\.\d\d"), " SECONDS"),
    (re.compile(r"\[(WinError|Errno) \d+\] [\w ]+"), "REFUSED"),
    (re.compile(r"127\.0\.0\.1:\d+"), "SERVER"),
    (re.compile(r"^SECONDS|(?<=STARTED) +SECONDS", re.MULTILINE), " SECONDS"),
]
NOT_HERE = ("pip install", "python -m http.server")  # what the test itself has done
PROGRESS = re.compile(r"^[\w.]+: done (in [\d.]+ s|before)\n", re.MULTILINE)


def blocks(language):
    text = GUIDE.read_text(encoding="utf-8") if GUIDE.exists() else ""
    return [(more or "", body) for found, more, body in BLOCK.findall(text) if found == language]


def normal(text):
    for pattern, word in VOLATILE:
        text = pattern.sub(word, text)
    return re.sub(r" {2,}", "  ", text).strip()


def commands(body):
    """Yield each command of a block with the output that the guide shows."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.mark.skipif(sys.platform == "win32", reason="the guide is written for a POSIX shell")
def test_the_commands_say_what_the_guide_shows(folder, shops, environment):
    compared = 0
    for setting, body in blocks("console"):
        if setting == "server=stopped":
            shops.stop()
        for command, expected in commands(body):
            if command.startswith(NOT_HERE):
                continue
            done = subprocess.run(
                command,
                shell=True,
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            said = done.stdout + PROGRESS.sub("", done.stderr)
            assert normal(said) == normal(expected), command
            compared += 1
        if setting == "server=stopped":
            shops.start()
    assert compared > 10


def test_the_files_are_those_of_the_example(folder):
    shown = [body.strip() for _, body in blocks("yaml")]
    for name, text in zip(("report.yaml", "scheduler.yaml"), shown, strict=True):
        assert (folder / name).read_text(encoding="utf-8").strip().endswith(text)


def test_the_python_of_the_guide_runs(folder, shops, environment):
    ((_, code),) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "5 totals\n", "")
