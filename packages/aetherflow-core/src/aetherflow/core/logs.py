"""The logs of steps: what a step logs or prints goes to a file of its own."""

import io
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TextIO

from aetherflow.core.control import current

_TELLTALES = ("httpx", "httpcore")
"""Loggers that write down whole addresses, which can hold secrets, of every request."""

_FORMAT = logging.Formatter("%(levelname)s %(name)s: %(message)s")


def note(text: str) -> None:
    """Append a line to the log of the step that this thread runs, if it runs one."""
    time = datetime.now().astimezone().isoformat(sep=" ", timespec="milliseconds")
    _append(f"{time} {text.rstrip()}\n")


def _append(text: str) -> None:
    control = current()
    if control is None:
        return
    control.log.parent.mkdir(parents=True, exist_ok=True)
    with control.log.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


class _StepLogs(logging.Handler):
    """Appends each record to the log of the step whose thread it comes from."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING and record.name.startswith(_TELLTALES):
            return
        try:
            note(self.format(record))
        except OSError:
            self.handleError(record)


_mutex = threading.Lock()
_handler = _StepLogs()
_handler.setFormatter(_FORMAT)
_users = 0


@contextmanager
def step_logs() -> Iterator[None]:
    """Write what steps log to their files, from whichever logger it comes."""
    global _users
    root = logging.getLogger()
    with _mutex:
        _users += 1
        root.addHandler(_handler)  # adding it twice does nothing
    try:
        yield
    finally:
        with _mutex:
            _users -= 1
            if not _users:
                root.removeHandler(_handler)


class StepOutput(io.TextIOBase):
    """Takes the place of `sys.stdout`: what a step prints goes to its log."""

    def __init__(self, stdout: TextIO) -> None:
        """Take the stream for everything that no step prints."""
        self._stdout = stdout

    def write(self, text: str) -> int:
        """Write a text, and return its length."""
        if current() is None:
            return self._stdout.write(text)
        _append(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stdout.flush()
