"""Run ``twine check`` on built files.

A question is a list of paths. The answer is an object: ``ok``, the ``output`` of twine, and its
``warnings``, each once: what it takes exception to although an index accepts it.
"""

import contextlib
import io
from typing import Any

from twine import cli

# Then it also says that the type of the description is missing.
NO_DESCRIPTION = "`long_description` missing"


def answer(paths: list[str]) -> dict[str, Any]:
    """Return the verdict of ``twine check`` on these files."""
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.redirect_stderr(printed):
        failed = cli.dispatch(["--no-color", "check", *paths])
    output = printed.getvalue()
    lines = [line.partition("WARNING ") for line in output.splitlines()]
    warnings = {text.strip().rstrip(".") for _, mark, text in lines if mark}
    if NO_DESCRIPTION in warnings:
        warnings = {NO_DESCRIPTION}
    return {"ok": not failed, "output": output, "warnings": sorted(warnings)}
