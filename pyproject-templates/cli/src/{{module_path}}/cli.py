"""The command `{{name}}`."""

import argparse
from collections.abc import Sequence

from {{module}} import __version__


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="{{name}}", description="Say in one line what {{name}} is for."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is returned."""
    _parser().parse_args(arguments)
    return 0
