"""What the commands of `aetherflow-scheduler` do, once their arguments are read."""

import json
import logging
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from aetherflow.core.api import FlowError, InvalidDocument
from aetherflow.scheduler.cron import next_times
from aetherflow.scheduler.schedule import Schedule, read_schedules
from aetherflow.scheduler.service import serve
from aetherflow.scheduler.status import ScheduleStatus, Status, read_status, status_file

_SHOWN = 3


def run(file: Path, *, dry_run: bool) -> int:
    """Run the schedules of a file until a signal, or only show them; return the exit status."""
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(_WithFlow("%(asctime)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[console], force=True)
    # What APScheduler warns of, the service says in its own words.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        schedules = read_schedules(file)
        if dry_run:
            for schedule in schedules:
                _show(schedule)
        else:
            serve(schedules, file=file)
    except InvalidDocument as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        return 2
    except FlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


class _WithFlow(logging.Formatter):
    """Names the flow that a line is about: several may run at the same time."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        flow = getattr(record, "flow", "")
        record.message = f"{flow}: {record.message}" if flow else record.message
        return super().formatMessage(record)


def status(file: Path, *, as_json: bool) -> int:
    """Print the status of the scheduler of a file; return 0 if it is running, else 1."""
    try:
        found = read_status(status_file(file))
    except (OSError, ValueError) as error:
        print(f"error: cannot read the status: {error}", file=sys.stderr)
        return 2
    if as_json:
        alive = found is not None and found.alive
        print(json.dumps({"running": alive, **(asdict(found) if found else {})}, indent=2))
    else:
        _print_status(file, found)
    return 0 if found and found.alive else 1


def _show(schedule: Schedule) -> None:
    print(f"{schedule.name}: {schedule.flow}, {schedule.text}")
    for time in next_times(schedule.trigger, datetime.now(timezone.utc), _SHOWN):
        print(f"  {time.isoformat()}")


def _print_status(file: Path, status: Status | None) -> None:
    if status is None:
        print(f"{file}: not running")
        return
    if not status.alive:
        seen = datetime.fromtimestamp(status.beat).astimezone().isoformat(timespec="seconds")
        print(f"{file}: not running; {'stopped' if status.stopped else 'last seen'} at {seen}")
        return
    print(f"{file}: running since {status.started}, process {status.process}")
    for schedule in status.schedules:
        print(f"{schedule.name}: {_state(schedule)}; next at {schedule.next or 'never'}")
        if schedule.error:
            print(f"  {schedule.error}")


def _state(schedule: ScheduleStatus) -> str:
    parts = []
    if schedule.running:
        parts.append(f"running since {schedule.started}")
    if schedule.outcome:
        run = f", run {schedule.run}" if schedule.run else ""
        parts.append(f"{schedule.outcome} after {schedule.seconds:.2f} s{run}")
    if schedule.passed_over:
        parts.append(f"{schedule.passed_over} passed over")
    return "; ".join(parts) or "not started yet"
