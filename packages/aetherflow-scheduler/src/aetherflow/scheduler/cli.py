"""The command `aetherflow-scheduler`: results to stdout, progress and errors to stderr.

Exit status: 0 stopped by a signal, or a dry run without findings; 2 what was given is wrong, and
nothing has started.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from aetherflow.core.api import FlowError
from aetherflow.scheduler import __version__
from aetherflow.scheduler.cron import next_times
from aetherflow.scheduler.schedule import Schedule, read_schedules
from aetherflow.scheduler.service import serve

_DEFAULT = Path("scheduler.yaml")
_SHOWN = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        format="%(asctime)s %(message)s", level=logging.INFO, stream=sys.stderr, force=True
    )
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    try:
        return _run(arguments.schedule, arguments.dry_run)
    except FlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aetherflow-scheduler",
        description="Run flows at the times of cron expressions.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    # argparse does not hand allow_abbrev down.
    run = commands.add_parser(
        "run", help="start flows at their times until SIGTERM", allow_abbrev=False
    )
    run.add_argument(
        "schedule",
        metavar="SCHEDULE",
        type=Path,
        nargs="?",
        help=f"the YAML file of the schedule (default: {_DEFAULT})",
    )
    run.add_argument(
        "--dry-run",
        action="store_true",
        help="check every flow, print the next times, start nothing",
    )
    return parser


def _run(file: Path | None, dry_run: bool) -> int:
    if file is None and not _DEFAULT.exists():
        if dry_run:
            print(f"nothing to run: there is no {_DEFAULT} here")
            return 0
        print(f"error: there is no {_DEFAULT} here; name a schedule", file=sys.stderr)
        return 2
    schedules = read_schedules(file or _DEFAULT)
    if dry_run:
        for schedule in schedules:
            _show(schedule)
    else:
        serve(schedules)
    return 0


def _show(schedule: Schedule) -> None:
    print(f"{schedule.name}: {schedule.flow}, {schedule.text}")
    times = next_times(schedule.trigger, datetime.now(timezone.utc), _SHOWN)
    for time in times:
        print(f"  {time.isoformat()}")
    if not times:
        print("  never")


if __name__ == "__main__":
    sys.exit(main())
