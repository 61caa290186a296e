"""The command `aetherflow-scheduler`: results to stdout, progress and errors to stderr.

Exit status: 0 stopped by a signal, a dry run without findings, or the scheduler is running; 1 it
is not running (`status`); 2 what was given is wrong, and nothing has started.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

_DEFAULT = Path("scheduler.yaml")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    arguments = _parser().parse_args(argv)
    schedule: Path = arguments.schedule or _DEFAULT
    if arguments.schedule is None and not _DEFAULT.exists():
        if arguments.command == "run" and arguments.dry_run:
            print(f"nothing to run: there is no {_DEFAULT} here")
            return 0
        print(
            f"error: there is no {_DEFAULT} here\n"
            f"hint: name a schedule: `aetherflow-scheduler {arguments.command} SCHEDULE`",
            file=sys.stderr,
        )
        return 2
    # Not before: APScheduler, pydantic and YAML are most of the time that `--help` would take.
    from aetherflow.scheduler import commands

    if arguments.command == "status":
        return commands.status(schedule, as_json=arguments.json)
    return commands.run(schedule, dry_run=arguments.dry_run)


class _Version(argparse.Action):
    """Look the version up only when `--version` is given."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from aetherflow.scheduler import __version__

        print(f"{parser.prog} {__version__}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aetherflow-scheduler",
        description="Run flows at the times of cron expressions.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = _command(commands, "run", "start flows at their times until SIGTERM")
    run.add_argument(
        "--dry-run",
        action="store_true",
        help="check every flow, print the next times, start nothing",
    )
    status = _command(commands, "status", "show what a running scheduler does")
    status.add_argument("--json", action="store_true", help="print the status as JSON")
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, purpose: str
) -> argparse.ArgumentParser:
    # argparse does not hand allow_abbrev down.
    parser = commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
    parser.set_defaults(command=name)
    parser.add_argument(
        "schedule",
        metavar="SCHEDULE",
        type=Path,
        nargs="?",
        help=f"the YAML file of the schedule (default: {_DEFAULT})",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
