"""The link between the engine and the step that it runs: whether to go on, and where files go.

Must not know flows or the engine: a step that is run by itself, in a test for instance, has no
control, and everything here answers accordingly.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path


class Cancelled(BaseException):
    """The run is being stopped. Not an `Exception`, so that no step swallows it by accident."""


class TimedOut(RuntimeError):
    """A step took longer than its `timeout`."""


@dataclass
class Control:
    """What the engine tells one attempt of one step.

    Attributes:
        files: The path of the step's log without its suffix; other files of the step begin alike.
        cancelled: Set once the run is to stop.
        timeout: Seconds that the attempt may take; None is no limit.
    """

    files: Path
    cancelled: threading.Event
    timeout: float | None

    def __post_init__(self) -> None:
        """Start the clock."""
        self._started = time.monotonic()

    @property
    def log(self) -> Path:
        """The log of the step."""
        return self.files.with_name(f"{self.files.name}.log")

    def left(self) -> float | None:
        """Return the seconds that are left, negative once it is too late; None is no limit."""
        if self.timeout is None:
            return None
        return self._started + self.timeout - time.monotonic()

    def checkpoint(self) -> float | None:
        """Return the seconds that are left; None is no limit.

        Raises:
            Cancelled: The run is being stopped.
            TimedOut: No time is left.
        """
        if self.cancelled.is_set():
            raise Cancelled
        return self.check_time()

    def check_time(self) -> float | None:
        """Return the seconds that are left; None is no limit.

        Raises:
            TimedOut: No time is left.
        """
        left = self.left()
        if left is not None and left <= 0:
            raise TimedOut(f"took longer than its timeout of {self.timeout:g} s")
        return left


_current: ContextVar[Control | None] = ContextVar("aetherflow_control", default=None)


def current() -> Control | None:
    """Return the control of the step that this thread runs, if it runs one."""
    return _current.get()


@contextmanager
def controlled(control: Control) -> Iterator[None]:
    """Let everything inside, on this thread, be under `control`."""
    token = _current.set(control)
    try:
        yield
    finally:
        _current.reset(token)


def checkpoint() -> float | None:
    """Return the seconds that the running step has left; None is no limit.

    Raises:
        Cancelled: The run is being stopped.
        TimedOut: No time is left.
    """
    control = current()
    return control.checkpoint() if control else None


def must_stop() -> bool:
    """Return whether `checkpoint` would raise; for callbacks of C code, which must not."""
    control = current()
    if control is None:
        return False
    left = control.left()
    return control.cancelled.is_set() or (left is not None and left <= 0)
