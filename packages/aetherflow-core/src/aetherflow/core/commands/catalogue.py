"""`aetherflow steps` and `aetherflow schema`: what a flow can use."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from aetherflow.core.describe import ConnectorInfo, InputInfo, StepInfo
from aetherflow.core.reference import reference
from aetherflow.core.registry import list_connectors, list_steps
from aetherflow.core.schema import flow_schema


def perform_steps(arguments: argparse.Namespace) -> int:
    """Print the kinds of steps and connectors: as text, as JSON or as Markdown."""
    steps, connectors = list_steps(), list_connectors()
    if arguments.json:
        print(json.dumps(_as_json(steps, connectors), indent=2))
    elif arguments.markdown:
        print(reference(steps, connectors), end="")
    else:
        print("Steps")
        for step in steps:
            print(f"  {step:<14}{step.summary}")
            print(f"      inputs: {_names(step.inputs)}")
            print(f"      outputs: {', '.join(step.outputs) or 'none'}")
        print("\nConnectors")
        for connector in connectors:
            print(f"  {connector:<14}{connector.summary}")
            print(f"      config: {_names(connector.config)}")
    return 0


def perform_schema(_: argparse.Namespace) -> int:
    """Print the JSON Schema of a flow document."""
    print(json.dumps(flow_schema(), indent=2))
    return 0


def _names(inputs: Sequence[InputInfo]) -> str:
    names = [given.name if given.required else f"[{given.name}]" for given in inputs]
    return ", ".join(names) or "none"


def _as_json(
    steps: Sequence[StepInfo], connectors: Sequence[ConnectorInfo]
) -> dict[str, list[dict[str, object]]]:
    return {
        "steps": [
            {
                "name": str(step),
                "summary": step.summary,
                "inputs": [asdict(given) for given in step.inputs],
                "outputs": list(step.outputs),
            }
            for step in steps
        ],
        "connectors": [
            {
                "name": str(connector),
                "summary": connector.summary,
                "config": [asdict(given) for given in connector.config],
            }
            for connector in connectors
        ],
    }
