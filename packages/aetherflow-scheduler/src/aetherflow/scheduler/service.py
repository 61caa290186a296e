"""Starting flows at their times until a signal ends it."""

import copy
import logging
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from aetherflow.core.api import FlowError, StepFailed, run_flow
from aetherflow.scheduler.schedule import Schedule, read_schedules
from aetherflow.scheduler.status import BEAT_EVERY, Board, status_file

logger = logging.getLogger("aetherflow.scheduler")

_AWAKE_EVERY = 0.5
"""Seconds by which the answer to a signal may be late."""

_AT_ONCE = 1000
"""Flows that run at the same time, at most. A thread for each is made when it is needed."""


def serve(schedules: Sequence[Schedule], *, file: Path | None = None) -> None:
    """Run flows at their times until SIGTERM or SIGINT; then let the running ones end.

    Must be called from the main thread. A second signal ends the process at once.

    Args:
        schedules: What is run.
        file: The document that they come from: SIGHUP reads it again, and the status is kept
            beside it. With None, there is neither.
    """
    _Service(schedules, file).run()


class _Service:
    def __init__(self, schedules: Sequence[Schedule], file: Path | None) -> None:
        self._schedules: dict[str, Schedule] = {}
        self._wanted = schedules
        self._file = file
        self._stop = threading.Event()
        self._reload = threading.Event()
        self._board = Board(status_file(file) if file else None)
        self._scheduler = BackgroundScheduler(
            timezone=timezone.utc, executors={"default": ThreadPoolExecutor(_AT_ONCE)}
        )
        self._scheduler.add_listener(self._passed_over, EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def run(self) -> None:
        with _signals(self._stop, self._reload if self._file else None):
            self._scheduler.start(paused=True)
            self._apply(self._wanted)
            self._scheduler.resume()
            logger.info("serving %s", ", ".join(self._schedules))
            self._wait()
            logger.info("stopping: running flows end, no new ones start")
            self._scheduler.pause()  # or it would go on handing flows to a pool that takes no more
            self._scheduler.shutdown(wait=True)
            self._board.stop()

    def _wait(self) -> None:
        """Wait for a signal to stop, and do meanwhile what other signals ask for."""
        beat = -BEAT_EVERY
        # Awake from time to time: a signal that another thread takes, or that comes just before
        # this one sleeps, wakes nobody, and its handler waits for the main thread.
        while not self._stop.wait(_AWAKE_EVERY):
            if self._reload.is_set():
                self._reload.clear()
                self._read_again()
                beat = -BEAT_EVERY
            if time.monotonic() - beat >= BEAT_EVERY:
                beat = time.monotonic()
                self._board.beat(self._next_times())

    def _read_again(self) -> None:
        assert self._file is not None
        try:
            schedules = read_schedules(self._file)
        except FlowError as error:
            logger.error("not reloaded, the schedules stay as they are: %s", error)
            return
        self._apply(schedules)
        logger.info("reloaded, serving %s", ", ".join(self._schedules))

    def _apply(self, schedules: Sequence[Schedule]) -> None:
        """Make the schedules those that are given; one that has not changed is left alone."""
        wanted = {schedule.name: schedule for schedule in schedules}
        for name in [name for name, old in self._schedules.items() if wanted.get(name) != old]:
            self._scheduler.remove_job(name)
        for name, schedule in wanted.items():
            if self._schedules.get(name) != schedule:
                self._add(schedule)
        self._schedules = wanted
        self._board.plan({name: (str(s.flow), s.text) for name, s in wanted.items()})
        self._board.beat(self._next_times())

    def _add(self, schedule: Schedule) -> None:
        self._scheduler.add_job(
            self._run,
            _jittered(schedule.trigger, schedule.jitter),
            [schedule],
            id=schedule.name,
            name=schedule.name,
            misfire_grace_time=schedule.misfire_grace_time,
            coalesce=schedule.coalesce,
            max_instances=schedule.max_instances,
        )

    def _next_times(self) -> dict[str, str | None]:
        return {job.id: _text(job.next_run_time) for job in self._scheduler.get_jobs()}

    def _run(self, schedule: Schedule) -> None:
        if self._stop.is_set():  # handed to the pool just before the signal came
            return
        logger.info("%s: started", schedule.name)
        self._board.started(schedule.name)
        began = time.monotonic()
        run: int | None = None
        failure: str | None = None
        try:
            result = run_flow(
                schedule.flow,
                job=schedule.job,
                parameters=schedule.parameters,
                jobs=schedule.jobs,
                overlap=schedule.max_instances > 1,
            )
            run = result.run
            logger.info("%s: done, run %d", schedule.name, run)
        except FlowError as error:
            failure = str(error)
            hint = ""
            if isinstance(error, StepFailed):
                job = f" --job {schedule.job}" if schedule.job else ""
                hint = f"\nhint: `aetherflow run {schedule.flow} --resume{job}` continues it"
            logger.error("%s: failed: %s%s", schedule.name, error, hint)
        except Exception as error:  # a bug, here or in a plugin, must not end the schedule
            failure = f"{type(error).__name__}: {error}"
            logger.exception("%s: failed", schedule.name)
        self._board.ended(schedule.name, time.monotonic() - began, run=run, error=failure)

    def _passed_over(self, event: JobEvent) -> None:
        schedule = self._schedules.get(event.job_id)
        if schedule is None or self._stop.is_set():
            return
        if event.code == EVENT_JOB_MISSED:
            reason = f"more than {schedule.misfire_grace_time} s late"
        elif schedule.max_instances == 1:
            reason = "its last run is still in progress"
        else:
            reason = f"{schedule.max_instances} of its runs are still in progress"
        logger.warning("%s: a start is passed over: %s", schedule.name, reason)
        self._board.passed_over(schedule.name)


def _jittered(trigger: BaseTrigger, seconds: int) -> BaseTrigger:
    if not seconds:
        return trigger
    jittered = copy.copy(trigger)
    jittered.jitter = seconds
    return jittered


def _text(time: datetime | None) -> str | None:
    return time.isoformat(timespec="seconds") if time else None


@contextmanager
def _signals(stop: threading.Event, reload: threading.Event | None) -> Iterator[None]:
    """Let the first SIGTERM or SIGINT set `stop`, the second one end the process.

    SIGHUP sets `reload`, if it is given, where the operating system has that signal.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle_stop(number: int, frame: FrameType | None) -> None:
        # Not Python's own handler for SIGINT: its exception would still wait for all threads.
        for other in (signal.SIGTERM, signal.SIGINT):
            signal.signal(other, signal.SIG_DFL)
        stop.set()

    for number in before:
        signal.signal(number, handle_stop)
    if reload and hasattr(signal, "SIGHUP"):
        before[signal.SIGHUP] = signal.getsignal(signal.SIGHUP)
        signal.signal(signal.SIGHUP, lambda number, frame: reload.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
