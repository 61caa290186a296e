"""Run ``twine check --strict`` on built files.

A question is a list of paths. The answer is an object: ``ok``, and the ``output`` of twine.
"""

import contextlib
import io
from typing import Any

from twine import cli


def answer(paths: list[str]) -> dict[str, Any]:
    """Return the verdict of ``twine check --strict`` on these files."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
        failed = cli.dispatch(["--no-color", "check", "--strict", *paths])
    return {"ok": not failed, "output": printed.getvalue()}
