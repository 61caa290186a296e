"""Starting flows at their times until somebody says stop."""

import logging
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timezone
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from aetherflow.core.api import FlowError, run_flow
from aetherflow.scheduler.schedule import Schedule

logger = logging.getLogger("aetherflow.scheduler")

_LATE_AT_MOST = 60
"""Seconds by which a start may be late; after that it is passed over."""

_AWAKE_EVERY = 0.5
"""Seconds by which the answer to a signal may be late."""


def serve(schedules: Sequence[Schedule]) -> None:
    """Run flows at their times until SIGTERM or SIGINT; then let the running ones end.

    Must be called from the main thread. A second signal ends the process at once.
    """
    stop = threading.Event()
    with _stopping_on_signals(stop):
        scheduler = BackgroundScheduler(
            timezone=timezone.utc,
            executors={"default": ThreadPoolExecutor(len(schedules))},
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": _LATE_AT_MOST,
            },
        )
        for schedule in schedules:
            scheduler.add_job(
                _run, schedule.trigger, [schedule, stop], id=schedule.name, name=schedule.name
            )
        scheduler.start()
        logger.info("serving %s", ", ".join(schedule.name for schedule in schedules))
        # Awake from time to time: a signal that another thread takes, or that comes just before
        # this one sleeps, wakes nobody, and its handler waits for the main thread.
        while not stop.wait(_AWAKE_EVERY):
            pass
        logger.info("stopping: running flows end, no new ones start")
        scheduler.pause()  # or it would go on handing flows to a pool that takes no more
        scheduler.shutdown(wait=True)


def _run(schedule: Schedule, stop: threading.Event) -> None:
    if stop.is_set():  # handed to the pool just before the signal came
        return
    logger.info("%s: started", schedule.name)
    try:
        result = run_flow(schedule.flow, job=schedule.job)
    except FlowError as error:
        logger.error("%s: failed: %s", schedule.name, error)
    else:
        logger.info("%s: done, run %d", schedule.name, result.run)


@contextmanager
def _stopping_on_signals(stop: threading.Event) -> Iterator[None]:
    """Let the first SIGTERM or SIGINT set `stop`, and the second one end the process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        # Not Python's own handler for SIGINT: its exception would still wait for all threads.
        for other in before:
            signal.signal(other, signal.SIG_DFL)
        stop.set()

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
