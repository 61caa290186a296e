"""The command `aetherflow`: its arguments. What they ask for is done in `commands`.

Exit status: 0 done; 1 the run failed; 2 what was given is wrong, and nothing has run; 130
interrupted.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "run" and arguments.run and not arguments.resume:
        parser.error("--run names the run to resume: add --resume")
    # Not before: pydantic and YAML are three quarters of the time that `--help` would take.
    from aetherflow.core import commands

    return commands.perform(arguments)


class _Version(argparse.Action):
    """Look the version up only when `--version` is given."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from aetherflow.core import __version__

        print(f"aetherflow-core {__version__}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="aetherflow", description="Check flows and run them.", allow_abbrev=False
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (purpose, fill) in _COMMANDS.items():
        # argparse does not hand allow_abbrev down: without it, `--res` would mean `--resume` today.
        command = commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
        command.set_defaults(command=name)
        fill(command)
    return parser


def _fill_validate(validate: argparse.ArgumentParser) -> None:
    _add_flow(validate)
    _add_set(validate)
    validate.add_argument(
        "--no-files",
        action="store_true",
        help="do not look whether the files that steps read are there",
    )
    _add_json(validate, "print the findings as JSON")


def _fill_run(run: argparse.ArgumentParser) -> None:
    _add_flow(run)
    _add_set(run)
    run.add_argument("--job", metavar="J", help="run this job and what it depends on")
    run.add_argument(
        "--jobs",
        metavar="N",
        type=_positive,
        default=1,
        help="run up to N independent jobs at the same time (default: 1)",
    )
    run.add_argument(
        "--resume", action="store_true", help="continue the last run after its last finished steps"
    )
    run.add_argument(
        "--run", metavar="R", type=_positive, help="with --resume: continue run R instead"
    )
    _add_state(run)
    run.add_argument(
        "--progress",
        choices=["auto", "live", "plain"],
        default="auto",
        help="how steps are shown: live on a terminal, else plain lines (default: auto)",
    )
    _add_json(run, "print what became of the run as JSON")


def _fill_runs(runs: argparse.ArgumentParser) -> None:
    _add_flow(runs, optional=True)
    _add_state(runs)
    runs.add_argument(
        "--limit", metavar="N", type=_positive, default=20, help="at most N runs (default: 20)"
    )
    _add_json(runs, "print the runs with their steps as JSON")


def _fill_show(show: argparse.ArgumentParser) -> None:
    show.add_argument("run", metavar="RUN", type=_positive, help="the number of the run")
    _add_flow(show, optional=True)
    _add_state(show)
    _add_json(show, "print the run as JSON")


def _fill_steps(steps: argparse.ArgumentParser) -> None:
    form = steps.add_mutually_exclusive_group()
    _add_json(form, "print them as JSON")
    form.add_argument("--markdown", action="store_true", help="print them as a reference")


def _add_flow(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    text = "the YAML file of the flow"
    if optional:
        help_text = f"{text} (default: all flows that were run in this folder)"
        parser.add_argument("flow", metavar="FLOW", type=Path, nargs="?", help=help_text)
    else:
        parser.add_argument("flow", metavar="FLOW", type=Path, help=text)


def _add_set(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        type=_assignment,
        action="append",
        default=[],
        help="set a parameter of the flow; can be given several times",
    )


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        metavar="FILE",
        type=Path,
        help="the SQLite file that remembers the runs (default: in .aetherflow/ beside FLOW)",
    )


def _add_json(parser: argparse._ActionsContainer, text: str) -> None:
    parser.add_argument("--json", action="store_true", help=text)


_COMMANDS = {
    "validate": ("check a flow, run nothing", _fill_validate),
    "run": ("check a flow, then run it", _fill_run),
    "runs": ("list earlier runs with their duration and outcome", _fill_runs),
    "show": ("show an earlier run with its steps and logs", _fill_show),
    "steps": ("list the kinds of steps and connectors", _fill_steps),
    "schema": ("print the JSON Schema of a flow, for editors", lambda schema: None),
}


def _assignment(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign):
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, found `{text}`")
    return name, value


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, found `{text}`")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
