"""What the commands of `aetherflow` do, once their arguments are read."""

import argparse
import inspect
import json
import logging
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from aetherflow.core.check import validate_flow
from aetherflow.core.engine import run_flow
from aetherflow.core.errors import FlowError, InvalidDocument, Problem, RunFailed
from aetherflow.core.extension import Connector, Step
from aetherflow.core.order import execution_order
from aetherflow.core.registry import known_connectors, known_steps


def perform(arguments: argparse.Namespace) -> int:
    """Do what `arguments.command` names and return the exit status."""
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr, force=True)
    commands = {"validate": _validate, "run": _run, "steps": _steps}
    try:
        return commands[arguments.command](arguments)
    except FlowError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1 if isinstance(error, RunFailed) else 2
    except KeyboardInterrupt:
        print("interrupted; `aetherflow run --resume` goes on from here", file=sys.stderr)
        return 130


def _validate(arguments: argparse.Namespace) -> int:
    if arguments.json:
        return _validate_json(arguments.flow)
    flow = validate_flow(arguments.flow)
    steps = sum(len(job.steps) for job in flow.jobs.values())
    print(f"{arguments.flow}: valid; {_count(len(flow.jobs), 'job')}, {_count(steps, 'step')}")
    return 0


def _validate_json(file: Path) -> int:
    report: dict[str, Any] = {"flow": str(file), "valid": True, "jobs": [], "problems": []}
    try:
        report["jobs"] = execution_order(validate_flow(file).jobs)
    except InvalidDocument as error:
        report.update(valid=False, problems=[asdict(problem) for problem in error.problems])
    except FlowError as error:
        report.update(valid=False, problems=[asdict(Problem("", str(error)))])
    print(json.dumps(report, indent=2))
    return 0 if report["valid"] else 2


def _run(arguments: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    result = run_flow(
        arguments.flow, job=arguments.job, resume=arguments.resume, state=arguments.state
    )
    counts = f"{_count(result.executed, 'step')} run, {result.restored} done before"
    skipped = [job for job, status in result.jobs.items() if status == "skipped"]
    note = f"; skipped: {', '.join(skipped)}" if skipped else ""
    print(f"{result.flow}, run {result.run}: done; {counts}{note}")
    return 0


def _steps(_: argparse.Namespace) -> int:
    print("Steps")
    for name, step in sorted(known_steps().items()):
        _describe(name, step)
        print(f"      outputs: {', '.join(step.outputs) or 'none'}")
    print("\nConnectors")
    for name, connector in sorted(known_connectors().items()):
        _describe(name, connector)
    return 0


def _describe(name: str, kind: type[Step] | type[Connector]) -> None:
    summary = (inspect.getdoc(kind) or "").partition("\n")[0]
    fields = ", ".join(_field(field, info) for field, info in kind.model_fields.items())
    print(f"  {name:<14}{summary}")
    print(f"      {'inputs' if issubclass(kind, Step) else 'config'}: {fields or 'none'}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _field(name: str, info: FieldInfo) -> str:
    return name if info.is_required() else f"[{name}]"


def _interrupt(*_: object) -> None:
    """End like Ctrl-C does, so that a step can stop the program that it is waiting for."""
    raise KeyboardInterrupt
