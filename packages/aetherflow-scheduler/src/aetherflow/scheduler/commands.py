"""What `aetherflow-scheduler run` does, once its arguments are read."""

import logging
import sys
from datetime import datetime, timezone
from pathlib import Path

from aetherflow.core.api import FlowError
from aetherflow.scheduler.cron import next_times
from aetherflow.scheduler.schedule import Schedule, read_schedules
from aetherflow.scheduler.service import serve

_SHOWN = 3


def run(file: Path, *, dry_run: bool) -> int:
    """Run the schedules of a file until a signal, or only show them; return the exit status."""
    logging.basicConfig(
        format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stderr, force=True
    )
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    try:
        schedules = read_schedules(file)
        if dry_run:
            for schedule in schedules:
                _show(schedule)
        else:
            serve(schedules)
    except FlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _show(schedule: Schedule) -> None:
    print(f"{schedule.name}: {schedule.flow}, {schedule.text}")
    times = next_times(schedule.trigger, datetime.now(timezone.utc), _SHOWN)
    for time in times:
        print(f"  {time.isoformat()}")
    if not times:
        print("  never")
