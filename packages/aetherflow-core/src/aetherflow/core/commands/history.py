"""`aetherflow runs` and `aetherflow show`: what became of earlier runs."""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from aetherflow.core.errors import count
from aetherflow.core.history import RunRecord, read_runs
from aetherflow.core.state import default_state


def perform_runs(arguments: argparse.Namespace) -> int:
    """Print the runs of a flow, or of all flows of the current folder, the last one first."""
    found = [
        (_flow_of(state), record)
        for state in _states(arguments)
        for record in read_runs(state, arguments.limit)
    ]
    found.sort(key=lambda pair: pair[1].started, reverse=True)
    found = found[: arguments.limit]
    if arguments.json:
        print(json.dumps([_as_json(flow, record) for flow, record in found], indent=2))
        return 0
    if not found:
        print("no runs")
        return 0
    rows = [("RUN", "FLOW", "STARTED", "SECONDS", "STEPS", "OUTCOME")]
    for flow, record in found:
        steps = sum(step.outcome == "done" for step in record.steps)
        started = _local(record.started)
        seconds = _seconds(record.seconds)
        rows.append((str(record.run), flow, started, seconds, str(steps), _outcome(record)))
    _print_table(rows, right={0, 3, 4})
    return 0


def perform_show(arguments: argparse.Namespace) -> int:
    """Print one run with its steps."""
    found = [
        (_flow_of(state), record)
        for state in _states(arguments)
        for record in read_runs(state)
        if record.run == arguments.run
    ]
    if len(found) != 1:
        print(f"error: {_not_one(arguments, [flow for flow, _ in found])}", file=sys.stderr)
        return 2
    ((flow, record),) = found
    if arguments.json:
        print(json.dumps(_as_json(flow, record), indent=2))
        return 0
    print(f"{record.flow}, run {record.run}: {_outcome(record)}")
    print(f"started {_local(record.started)}, took {_seconds(record.seconds)} s")
    if record.job:
        print(f"job {record.job}")
    for name, value in record.parameters.items():
        print(f"parameter {name}={value}")
    rows = [("STEP", "OUTCOME", "SECONDS", "ATTEMPTS", "LOG")]
    for step in record.steps:
        place = f"{step.job}.{step.step}"
        attempts = str(step.attempts)
        seconds = _seconds(step.seconds)
        rows.append((place, step.outcome, seconds, attempts, _short(step.log)))
    print()
    _print_table(rows, right={2, 3})
    for step in record.steps:
        if step.error and step.outcome == "failed":
            print(f"\n{step.job}.{step.step}: {step.error}")
    return 0


def _states(arguments: argparse.Namespace) -> list[Path]:
    """Return the state files that a command line means."""
    if arguments.state:
        return [arguments.state]
    if arguments.flow:
        return [default_state(arguments.flow.absolute())]
    return sorted(Path(".aetherflow").glob("*.sqlite3"))


def _not_one(arguments: argparse.Namespace, flows: Sequence[str]) -> str:
    if not flows:
        where = f" of {arguments.flow}" if arguments.flow else " here"
        return f"no run {arguments.run}{where}\nhint: `aetherflow runs` lists the runs"
    names = ", ".join(f"`{flow}`" for flow in flows)
    return (
        f"{count(len(flows), 'flow')} have a run {arguments.run}: {names}\n"
        f"hint: name the flow: `aetherflow show {arguments.run} {flows[0]}`"
    )


def _flow_of(state: Path) -> str:
    """Return the file name of the flow that a state file belongs to."""
    return state.name.removesuffix(".sqlite3")


def _as_json(flow: str, record: RunRecord) -> dict[str, Any]:
    steps = [{**asdict(step), "log": str(step.log)} for step in record.steps]
    return {"document": flow, **asdict(record), "steps": steps}


def _outcome(record: RunRecord) -> str:
    return f"failed: {record.error}" if record.outcome == "failed" else record.outcome


def _local(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone():%Y-%m-%d %H:%M:%S}"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f}"


def _short(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _print_table(rows: Sequence[Sequence[str]], right: Iterable[int]) -> None:
    """Print rows in columns as wide as needed, those in `right` aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
