"""Install into the environment of this interpreter with the tools' pip, then let pip check it.

Usage: ``install.py PIP CALLS``: the package folder of that pip, and a JSON list with the arguments
of every ``pip install``. One process does both, because pip takes longer to start than to check.
The exit code is 1 when something cannot be installed, 2 when ``pip check`` fails afterwards.
"""

import importlib
import importlib.util
import json
import sys
from collections.abc import Callable

INSTALL_FAILED = 1
CHECK_FAILED = 2


def _pip(folder: str) -> Callable[[list[str]], int]:
    """Return pip's command line; packages beside pip are neither importable nor visible to it."""
    init = f"{folder}/__init__.py"
    spec = importlib.util.spec_from_file_location("pip", init, submodule_search_locations=[folder])
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["pip"] = module
    spec.loader.exec_module(module)
    # Imported before anything is installed that could shadow them.
    for command in ("install", "check"):
        importlib.import_module(f"pip._internal.commands.{command}")
    return importlib.import_module("pip._internal.cli.main").main


def main(folder: str, calls: list[list[str]]) -> int:
    """Install, then check; return the exit code."""
    pip = _pip(folder)
    if any(pip(["install", *arguments]) for arguments in calls):
        return INSTALL_FAILED
    return CHECK_FAILED if pip(["check"]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
