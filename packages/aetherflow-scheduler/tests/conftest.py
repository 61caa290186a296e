"""What the tests share. They run against the installed distribution, never against src/."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from textwrap import dedent

import pytest

from aetherflow.scheduler.cli import main


@pytest.fixture
def write(tmp_path):
    """Write a dedented text to a file in the test's own folder."""

    def write(text, name="scheduler.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def flow(write):
    """Write a flow of one job that runs a line of Python in the test's own folder."""

    def flow(code, name="flow.yaml"):
        return write(
            f"""
            name: small
            jobs:
              one:
                steps:
                  - id: step
                    type: run_process
                    inputs: {{ command: [{sys.executable}, -c, "{code}"] }}
            """,
            name,
        )

    return flow


@pytest.fixture
def installed():
    """The command as it was installed. Slow: a process for every call."""
    return Path(sysconfig.get_path("scripts"), "aetherflow-scheduler")


@pytest.fixture
def scheduler(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, in the test's own folder."""

    def scheduler(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    monkeypatch.chdir(tmp_path)
    return scheduler
