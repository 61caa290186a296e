"""`aetherflow validate`: checks a flow, runs nothing."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from aetherflow.core.check import check_flow
from aetherflow.core.errors import FlowError, InvalidDocument, Problem, count
from aetherflow.core.model import Flow
from aetherflow.core.order import execution_order


def perform(arguments: argparse.Namespace) -> int:
    """Check a flow and print what was found."""
    if arguments.json:
        return _print_json(arguments)
    flow = _check(arguments)
    steps = sum(len(job.steps) for job in flow.jobs.values())
    print(f"{arguments.flow}: valid; {count(len(flow.jobs), 'job')}, {count(steps, 'step')}")
    return 0


def _print_json(arguments: argparse.Namespace) -> int:
    report: dict[str, Any] = {
        "flow": str(arguments.flow),
        "valid": True,
        "jobs": [],
        "problems": [],
    }
    try:
        report["jobs"] = execution_order(_check(arguments).jobs)
    except InvalidDocument as error:
        report.update(valid=False, problems=[asdict(problem) for problem in error.problems])
    except FlowError as error:
        report.update(valid=False, problems=[asdict(Problem("", str(error)))])
    print(json.dumps(report, indent=2))
    return 0 if report["valid"] else 2


def _check(arguments: argparse.Namespace) -> Flow:
    given = dict(arguments.set)
    return check_flow(arguments.flow, given, complete=False, files=not arguments.no_files).flow
