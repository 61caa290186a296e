"""The status of a running scheduler: a JSON file that it keeps up to date, for others to read."""

import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

logger = logging.getLogger("aetherflow.scheduler")

BEAT_EVERY = 5.0
"""Seconds between two signs of life."""

_SILENT_AT_MOST = 4 * BEAT_EVERY
"""Seconds without a sign of life after which a scheduler counts as gone."""


@dataclass
class ScheduleStatus:
    """What became of one schedule since the scheduler started.

    Attributes:
        name: Its name.
        flow: The flow document.
        cron: The cron expression and its time zone.
        next: When it fires next; ISO 8601. None if it does not.
        running: How many runs are going on.
        started: When the last run began; ISO 8601, in UTC.
        seconds: How long the last run that ended took.
        outcome: How that ended: `done` or `failed`.
        run: Its number.
        error: Why it failed.
        passed_over: How many starts were passed over.
    """

    name: str
    flow: str
    cron: str
    next: str | None = None
    running: int = 0
    started: str | None = None
    seconds: float | None = None
    outcome: str | None = None
    run: int | None = None
    error: str | None = None
    passed_over: int = 0


@dataclass
class Status:
    """What a scheduler says of itself.

    Attributes:
        process: The number of its process.
        started: When it started; ISO 8601, in UTC.
        beat: Its last sign of life; seconds since 1970.
        stopped: Whether it has ended by itself.
        schedules: Its schedules.
    """

    process: int
    started: str
    beat: float
    stopped: bool = False
    schedules: list[ScheduleStatus] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether the scheduler is running."""
        return not self.stopped and time.time() - self.beat < _SILENT_AT_MOST


class Board:
    """Keeps the status of this process in a file, or only in memory; safe for threads."""

    def __init__(self, file: Path | None) -> None:
        """Begin an empty status.

        Args:
            file: Where it is written; None writes nothing.
        """
        self._file = file
        self._mutex = threading.Lock()
        self._status = Status(os.getpid(), now(), time.time())
        self._by_name: dict[str, ScheduleStatus] = {}

    def plan(self, schedules: Mapping[str, tuple[str, str]]) -> None:
        """Set the schedules: the flow and the cron expression of each, by name."""
        with self._mutex:
            self._by_name = {
                name: self._by_name.get(name) or ScheduleStatus(name, flow, cron)
                for name, (flow, cron) in schedules.items()
            }
            for name, (flow, cron) in schedules.items():
                self._by_name[name].flow, self._by_name[name].cron = flow, cron

    def beat(self, next_times: Mapping[str, str | None]) -> None:
        """Give a sign of life, and say when the schedules fire next."""
        with self._mutex:
            for name, status in self._by_name.items():
                status.next = next_times.get(name)
            self._write()

    def started(self, name: str) -> None:
        """Say that a run has begun."""
        with self._mutex:
            if status := self._by_name.get(name):
                status.running += 1
                status.started = now()
            self._write()

    def ended(self, name: str, seconds: float, *, run: int | None, error: str | None) -> None:
        """Say how a run has ended: with an error, or without."""
        with self._mutex:
            if status := self._by_name.get(name):
                status.running = max(0, status.running - 1)
                status.seconds = round(seconds, 3)
                status.outcome = "failed" if error else "done"
                status.run, status.error = run, error
            self._write()

    def passed_over(self, name: str) -> None:
        """Say that a start was passed over."""
        with self._mutex:
            if status := self._by_name.get(name):
                status.passed_over += 1
            self._write()

    def stop(self) -> None:
        """Say that the scheduler has ended."""
        with self._mutex:
            self._status.stopped = True
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        self._status.beat = time.time()
        self._status.schedules = list(self._by_name.values())
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(asdict(self._status), indent=2), encoding="utf-8")
            draft.replace(self._file)  # a reader sees the old file or the new one, whole
        except OSError as error:
            logger.warning("cannot write the status, `status` will not work: %s", error)
            self._file = None


def status_file(schedule: Path) -> Path:
    """Return the file with the status of the scheduler of a schedule document."""
    return schedule.parent / ".aetherflow" / f"{schedule.name}.status.json"


def read_status(file: Path) -> Status | None:
    """Return the status in a file; None if no scheduler has written one.

    Raises:
        ValueError: The file holds something else.
        OSError: It cannot be read.
    """
    try:
        data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    try:
        schedules = [ScheduleStatus(**found) for found in data.pop("schedules")]
        return Status(**data, schedules=schedules)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file} was written by another version: {error}") from error


def now() -> str:
    """Return the time, in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
