"""The command `aetherflow`: results to stdout, progress and errors to stderr.

Exit status: 0 done; 1 the run failed; 2 what was given is wrong, and nothing has run.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    arguments = _parser().parse_args(argv)
    # Not before: pydantic and YAML are three quarters of the time that `--help` would take.
    from aetherflow.core import commands

    return commands.perform(arguments)


class _Version(argparse.Action):
    """Look the version up only where it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from aetherflow.core import __version__

        print(f"aetherflow-core {__version__}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aetherflow", description="Check a flow and run it once.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    # argparse does not hand allow_abbrev down: without it, `--res` would mean `--resume` today.
    validate = commands.add_parser("validate", help="check a flow, run nothing", allow_abbrev=False)
    validate.add_argument("flow", metavar="FLOW", type=Path, help="the YAML file of the flow")
    validate.add_argument("--json", action="store_true", help="print the findings as JSON")
    validate.set_defaults(command="validate")

    run = commands.add_parser("run", help="check a flow, then run it", allow_abbrev=False)
    run.add_argument("flow", metavar="FLOW", type=Path, help="the YAML file of the flow")
    run.add_argument("--job", metavar="J", help="run this job and what it depends on")
    run.add_argument(
        "--resume", action="store_true", help="go on after the last finished step of the last run"
    )
    run.add_argument(
        "--state",
        metavar="FILE",
        type=Path,
        help="the SQLite file that remembers the run (default: .aetherflow/ beside FLOW)",
    )
    run.set_defaults(command="run")

    steps = commands.add_parser(
        "steps", help="list the kinds of steps and connectors", allow_abbrev=False
    )
    steps.set_defaults(command="steps")
    return parser


if __name__ == "__main__":
    sys.exit(main())
