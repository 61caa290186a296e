"""The JSON Schema of a flow document, for editors that complete and check YAML."""

from typing import Any

from aetherflow.core.describe import is_resource
from aetherflow.core.extension import Connector, Step
from aetherflow.core.model import Flow
from aetherflow.core.registry import known_connectors, known_steps

_REFERENCE = {"type": "string", "pattern": r"\$\{[^}]*\}"}
"""An input can always be a reference, whatever it stands for."""


def flow_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a flow document, with all known steps and connectors."""
    schema = Flow.model_json_schema(ref_template="#/$defs/{model}")
    definitions = schema["$defs"]
    steps, connectors = known_steps(), known_connectors()
    for name, step in steps.items():
        definitions[f"step {name}"] = _inputs(step, definitions, f"step {name}")
    for name, connector in connectors.items():
        definitions[f"connector {name}"] = _inputs(connector, definitions, f"connector {name}")
    _decide(definitions["StepSpec"], "type", "inputs", "step", sorted(steps))
    _decide(definitions["ResourceSpec"], "driver", "config", "connector", sorted(connectors))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _decide(schema: dict[str, Any], key: str, then: str, kind: str, names: list[str]) -> None:
    """Let the value of one key decide the schema of another."""
    schema["properties"][key]["enum"] = names
    schema["allOf"] = [
        {
            "if": {"properties": {key: {"const": name}}},
            "then": {"properties": {then: {"$ref": f"#/$defs/{kind} {name}"}}},
        }
        for name in names
    ]


def _inputs(
    kind: type[Step] | type[Connector], definitions: dict[str, Any], title: str
) -> dict[str, Any]:
    # Each kind has its own definitions: two plugins may call two models the same.
    full = kind.model_json_schema(ref_template=f"#/$defs/{title} {{model}}")
    resources = {name for name, field in kind.model_fields.items() if is_resource(field.annotation)}
    for name, inner in full.pop("$defs", {}).items():
        definitions[f"{title} {name}"] = inner
    for name, found in full.get("properties", {}).items():
        if name in resources:
            description = kind.model_fields[name].description or ""
            full["properties"][name] = {"type": "string", "description": description}
        elif found.get("type") != "string":
            meta = {key: found.pop(key) for key in ("title", "description") if key in found}
            full["properties"][name] = {**meta, "anyOf": [found, _REFERENCE]}
    return {"title": title, **{key: value for key, value in full.items() if key != "title"}}
