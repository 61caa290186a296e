"""What the tests share. They run against the installed distribution, never against src/."""

import logging
import signal
import subprocess
import sysconfig
from pathlib import Path
from textwrap import dedent

import pytest
from server import serving

from aetherflow.core.cli import main


@pytest.fixture
def server(monkeypatch):
    """A real HTTP server on loopback; see `server.py`."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as server:
        yield server


@pytest.fixture
def write(tmp_path):
    """Write a dedented text to a file in the test's own folder."""

    def write(text, name="flow.yaml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def installed():
    """The command as it was installed. Slow: a process for every call."""
    return Path(sysconfig.get_path("scripts"), "aetherflow")


@pytest.fixture
def aetherflow(tmp_path, monkeypatch, capsys):
    """Run the command line in this process, in the test's own folder."""

    def aetherflow(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code
        return subprocess.CompletedProcess(arguments, status, *capsys.readouterr())

    monkeypatch.chdir(tmp_path)
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    level = logging.getLogger().level
    yield aetherflow
    for number, handler in before.items():
        signal.signal(number, handler)
    logging.getLogger().setLevel(level)
    logging.getLogger("aetherflow").handlers.clear()
