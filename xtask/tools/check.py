"""Let twine check built files, strictly.

A question is a list of paths; the answer an object: ``ok``, and what twine ``said``.
"""

import contextlib
import io
from typing import Any

from twine import cli


def answer(paths: list[str]) -> dict[str, Any]:
    """Return what ``twine check --strict`` has to say about these files."""
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
        failed = cli.dispatch(["--no-color", "check", "--strict", *paths])
    return {"ok": not failed, "said": said.getvalue()}
