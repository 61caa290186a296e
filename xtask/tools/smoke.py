"""Smoke-test what is installed beside this interpreter, as JSON.

Reads an object from standard input: ``imports`` (module names), ``commands`` (argument lists; the
word ``python`` is this interpreter), ``versions`` (distribution to version), ``timeout`` (seconds
for each check). Prints an array with one object per check: ``check``, ``ok``, ``seconds`` and
``output`` (what it printed, where it failed).

Standard input stays open as long as somebody waits for the answer. When it closes early, the
running check is ended and so is this process.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

# Run in a process of its own. The module has to come from what was installed, not from Python
# itself (a distribution may be called as a module of the standard library is), and its
# `__version__` has to be that of the distribution whose RECORD lists the module's file.
IMPORT = """
import importlib, json, pathlib, sys, sysconfig
from importlib import metadata
name, versions = sys.argv[1], json.loads(sys.argv[2])
module = importlib.import_module(name)
shown, file = getattr(module, "__version__", None), getattr(module, "__file__", None)
places = [file] if file else list(getattr(module, "__path__", []))
sites = [pathlib.Path(sysconfig.get_path(site)).resolve() for site in ("purelib", "platlib")]
if not any(pathlib.Path(place).resolve().is_relative_to(s) for place in places for s in sites):
    sys.exit(f"{name} comes from {(places or ['Python itself'])[0]}, not from what was installed")
if shown is not None and file is not None:
    file = pathlib.Path(file).resolve()
    for distribution, version in versions.items():
        files = metadata.files(distribution) or []
        if any(pathlib.Path(entry.locate()).resolve() == file for entry in files):
            if shown != version:
                sys.exit(f"{name}.__version__ is {shown}, but {distribution} {version} was built")
"""

running: set[subprocess.Popen[str]] = set()


def _kill(process: subprocess.Popen[str]) -> None:
    """End a check and everything it started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _exit_with_parent(stream: TextIO) -> None:
    stream.read()
    for process in list(running):
        _kill(process)
    os._exit(1)


def _run(name: str, arguments: list[str], timeout: float) -> dict[str, Any]:
    start = time.monotonic()
    try:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return {"check": name, "ok": False, "seconds": 0.0, "output": f"cannot be started: {error}"}
    running.add(process)
    try:
        output, _ = process.communicate(timeout=timeout)
        ok = process.returncode == 0
    except subprocess.TimeoutExpired:
        _kill(process)
        output, _ = process.communicate()
        output, ok = f"{output}\nended after {timeout:g} s", False
    running.discard(process)
    seconds = round(time.monotonic() - start, 3)
    return {"check": name, "ok": ok, "seconds": seconds, "output": "" if ok else output}


def _check_version(distribution: str, expected: str) -> dict[str, Any]:
    try:
        found = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        found = "not installed"
    output = "" if found == expected else f"installed: {found}"
    name = f"version of {distribution} is {expected}"
    return {"check": name, "ok": found == expected, "seconds": 0.0, "output": output}


def _argv(command: list[str]) -> list[str]:
    if command[0] == "python":
        return [sys.executable, "-I", *command[1:]]
    # The environment's own scripts come first, and nothing of the caller's is activated.
    return [str(Path(sys.executable).parent / command[0]), *command[1:]]


def main() -> None:
    """Run every check and print what came of it."""
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_exit_with_parent, args=(sys.stdin,), daemon=True).start()
    timeout, versions = task["timeout"], task["versions"]
    results = [_check_version(name, version) for name, version in versions.items()]
    for module in task["imports"]:
        arguments = [sys.executable, "-I", "-c", IMPORT, module, json.dumps(versions)]
        results.append(_run(f"import {module}", arguments, timeout))
    for command in task["commands"]:
        results.append(_run(" ".join(command), _argv(command), timeout))
    print(json.dumps(results), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
