"""What the commands of `aetherflow` do, once their arguments are read: a module for each.

Results go to stdout, progress and errors to stderr.
"""

import argparse
import logging
import os
import sys

from aetherflow.core.commands import catalogue, history, run, validate
from aetherflow.core.errors import FlowError, InvalidDocument, RunFailed

_COMMANDS = {
    "run": run.perform,
    "runs": history.perform_runs,
    "schema": catalogue.perform_schema,
    "show": history.perform_show,
    "steps": catalogue.perform_steps,
    "validate": validate.perform,
}


def perform(arguments: argparse.Namespace) -> int:
    """Do what `arguments.command` names and return the exit status."""
    _log_to_stderr()
    try:
        status = _COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
        return status
    except InvalidDocument as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        return 2
    except FlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1 if isinstance(error, RunFailed) else 2
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        # What is still buffered would raise the same error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _log_to_stderr() -> None:
    """Show what this package logs; what other packages log is for the logs of steps."""
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger("aetherflow").handlers = [console]
    logging.getLogger().setLevel(logging.INFO)
