"""The reference of flows, steps and connectors in Markdown, written from their models."""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel

from aetherflow.core.describe import ConnectorInfo, InputInfo, StepInfo, fields_of
from aetherflow.core.model import Flow, JobSpec, ParameterSpec, ResourceSpec, StepSpec, VariableSpec

_HEAD = """\
# Reference

<!-- Written by `aetherflow steps --markdown`; a test holds it against the models. -->

Every input can be a reference: `${JOB.STEP.OUTPUT}`, `${parameters.NAME}` or `${env.NAME}`.
A relative path begins in the folder of the flow document.
"""

_PARTS: Mapping[str, type[BaseModel]] = {
    "The flow": Flow,
    "parameters.NAME": ParameterSpec,
    "env.NAME": VariableSpec,
    "resources.NAME": ResourceSpec,
    "jobs.NAME": JobSpec,
    "jobs.NAME.steps[]": StepSpec,
}


def reference(steps: Sequence[StepInfo], connectors: Sequence[ConnectorInfo]) -> str:
    """Return the reference of these steps and connectors."""
    return "\n".join(
        [
            _HEAD,
            "## The document\n",
            *(line for place, part in _PARTS.items() for line in _part(place, part)),
            "## Steps\n",
            *(line for step in steps for line in _step(step)),
            "## Connectors\n",
            *(line for connector in connectors for line in _connector(connector)),
        ]
    )


def _part(place: str, model: type[BaseModel]) -> Iterator[str]:
    yield f"### {place if ' ' in place else f'`{place}`'}\n"
    yield f"{inspect.getdoc(model)}\n"
    yield from _table("key", fields_of(model, {}))


def _step(step: StepInfo) -> Iterator[str]:
    yield f"### `{step}`\n"
    yield f"{step.summary}\n"
    yield from _table("input", step.inputs)
    outputs = ", ".join(f"`{name}`" for name in step.outputs)
    yield f"Outputs: {outputs or 'none'}.\n"


def _connector(connector: ConnectorInfo) -> Iterator[str]:
    yield f"### `{connector}`\n"
    yield f"{connector.summary}\n"
    yield from _table("config", connector.config)


def _table(head: str, inputs: Sequence[InputInfo]) -> Iterator[str]:
    if not inputs:
        return
    yield f"| {head} | type | default | meaning |"
    yield "|---|---|---|---|"
    for given in inputs:
        default = "required" if given.required else _default(given.default)
        cells = (f"`{given.name}`", given.type, default, given.description)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _default(value: object) -> str:
    return "none" if value in (None, "") else f"`{json.dumps(value)}`"
