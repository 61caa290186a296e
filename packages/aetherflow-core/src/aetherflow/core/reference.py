"""The reference of steps and connectors in Markdown, written from what their models say."""

import json
from collections.abc import Iterator, Sequence

from aetherflow.core.describe import ConnectorInfo, InputInfo, StepInfo

_HEAD = """\
# Reference

<!-- Written by `aetherflow steps --markdown`; a test holds it against the models. -->

Every input can be a reference: `${JOB.STEP.OUTPUT}`, `${parameters.NAME}` or `${env.NAME}`.
A relative path begins in the folder of the flow document.
"""


def reference(steps: Sequence[StepInfo], connectors: Sequence[ConnectorInfo]) -> str:
    """Return the reference of these steps and connectors."""
    return "\n".join(
        [
            _HEAD,
            "## Steps\n",
            *(line for step in steps for line in _step(step)),
            "## Connectors\n",
            *(line for connector in connectors for line in _connector(connector)),
        ]
    )


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
        default = "required" if given.required else f"`{json.dumps(given.default)}`"
        cells = (f"`{given.name}`", given.type, default, given.description)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""
