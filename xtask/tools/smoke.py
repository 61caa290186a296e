"""Smoke-test the distributions that are installed in the environment of this interpreter.

Reads a JSON object, one line of standard input: ``imports`` (module names), ``commands`` (argument
lists; the word ``python`` is this interpreter), ``versions`` (distribution to version), ``timeout``
(seconds for each check) and ``packaging`` (a folder with the package ``packaging``). Prints a JSON
array with one object for each check: ``check``, ``ok`` and ``output`` (everything that it printed,
if it failed).

Standard input stays open while the process that started this one waits. When it closes early, the
running check is killed, and this process ends.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from importlib import metadata
from pathlib import Path
from typing import TextIO, TypedDict

# Run in a process of its own. The module has to come from an installed distribution, not from
# Python itself (a distribution can have the name of a module of the standard library), and its
# `__version__` has to be the version of the distribution whose RECORD lists the module's file.
IMPORT = """
import importlib, json, pathlib, sys, sysconfig
from importlib import metadata
name, versions, packaging = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
module = importlib.import_module(name)
shown, file = getattr(module, "__version__", None), getattr(module, "__file__", None)
places = [file] if file else list(getattr(module, "__path__", []))
sites = [pathlib.Path(sysconfig.get_path(site)).resolve() for site in ("purelib", "platlib")]
if not any(pathlib.Path(place).resolve().is_relative_to(s) for place in places for s in sites):
    origin = (places or ['Python itself'])[0]
    sys.exit(f"`{name}` comes from {origin}, not from an installed distribution")
if isinstance(shown, str) and file is not None:
    sys.path.append(packaging)
    from packaging.version import InvalidVersion, Version

    def is_same(one, other):
        try:
            return Version(one) == Version(other)
        except InvalidVersion:
            return False

    file = pathlib.Path(file).resolve()
    for distribution, version in versions.items():
        files = metadata.files(distribution) or []
        if any(pathlib.Path(entry.locate()).resolve() == file for entry in files):
            if not is_same(shown, version):
                sys.exit(f"`{name}.__version__` is {shown}, but {distribution} is {version}")
"""


class Result(TypedDict):
    """One check, and how it went."""

    check: str
    ok: bool
    output: str


running: set[subprocess.Popen[str]] = set()


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill a check and everything that it started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _exit_with_parent(stream: TextIO) -> None:
    stream.read()
    for process in list(running):
        _kill(process)
    os._exit(1)


def _run(name: str, arguments: list[str], timeout: float) -> Result:
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
        return {"check": name, "ok": False, "output": f"cannot start it: {error}"}
    running.add(process)
    try:
        output, _ = process.communicate(timeout=timeout)
        ok = process.returncode == 0
    except subprocess.TimeoutExpired:
        _kill(process)
        output, _ = process.communicate()
        output, ok = f"{output}\nkilled after {timeout:g} s", False
    running.discard(process)
    return {"check": name, "ok": ok, "output": "" if ok else output}


def _check_version(distribution: str, expected: str) -> Result:
    from packaging.version import Version

    name = f"version of {distribution} is {expected}"
    try:
        found = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return {"check": name, "ok": False, "output": "it is not installed"}
    # A version may be spelled in several ways, and pip has parsed this one.
    ok = Version(found) == Version(expected)
    return {"check": name, "ok": ok, "output": "" if ok else f"installed: {found}"}


def _argv(command: list[str]) -> list[str]:
    if command[0] == "python":
        return [sys.executable, "-I", *command[1:]]
    # A script of this environment: none of another one that may be on PATH.
    return [str(Path(sys.executable).parent / command[0]), *command[1:]]


def main() -> None:
    """Make every check and print the results."""
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_exit_with_parent, args=(sys.stdin,), daemon=True).start()
    timeout, versions = task["timeout"], task["versions"]
    # After what is installed: checks are made in processes of their own.
    sys.path.append(task["packaging"])
    results = [_check_version(name, version) for name, version in versions.items()]
    for module in task["imports"]:
        arguments = [sys.executable, "-I", "-c", IMPORT, module]
        arguments += [json.dumps(versions), task["packaging"]]
        results.append(_run(f"import {module}", arguments, timeout))
    for command in task["commands"]:
        results.append(_run(" ".join(command), _argv(command), timeout))
    print(json.dumps(results), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
