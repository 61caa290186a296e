"""A YAML file becomes a pydantic model, or a list of problems with their paths inside the file.

Knows nothing of flows: the scheduler reads its own documents through it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from aetherflow.core.errors import InvalidDocument, Problem

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Safe YAML with two differences: a key given twice is an error, and a date stays text.

    PyYAML lets the last of two equal keys win silently. It turns `2026-01-31` into an object
    that is neither JSON nor what the author of a flow typed.
    """

    yaml_implicit_resolvers = {
        first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Refuse duplicates here, because later on merge keys (`<<`) make them legitimate."""
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    problem = f"the key '{key.value}' is given twice"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                seen.add(key.value)
        return node


def read_document(path: Path, model: type[Model]) -> Model:
    """Read a YAML file as `model`.

    Raises:
        InvalidDocument: The file cannot be read, is not YAML or does not fit the model.
    """
    try:
        return model.model_validate(_load(path))
    except ValidationError as error:
        raise InvalidDocument(path, problems_of(error)) from error


def problems_of(error: ValidationError, prefix: str = "") -> list[Problem]:
    """Return pydantic's findings as problems, their paths beginning with `prefix`."""
    return [Problem(join_path(prefix, found["loc"]), _message(found)) for found in error.errors()]


def join_path(prefix: str, location: Iterable[str | int]) -> str:
    """Return `prefix` with a location appended: `("steps", 1, "id")` reads `.steps[1].id`."""
    path = prefix
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":  # pydantic's mark for "the key itself, not its value"
            path += f".{part}" if path else part
    return path


def _load(path: Path) -> dict[str, Any]:
    def refuse(message: str, where: str = "") -> InvalidDocument:
        return InvalidDocument(path, [Problem(where, message)])

    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
        json.dumps(data)  # refuses what YAML can say and JSON cannot, such as a list in itself
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise refuse(f"is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise refuse(error.problem or "is not YAML", where) from error
    except (yaml.YAMLError, ValueError) as error:  # control characters; numbers such as 0b_
        raise refuse(f"is not YAML: {' '.join(str(error).split())}") from error
    except TypeError as error:
        raise refuse("holds a value that is no text, number, list or mapping") from error
    except RecursionError as error:
        raise refuse("is nested too deeply") from error
    if not isinstance(data, dict):
        raise refuse("is empty" if data is None else "must be a mapping of names to values")
    return data


def _message(found: Mapping[str, Any]) -> str:
    if found["type"] == "missing":
        return "is required"
    if found["type"] == "extra_forbidden":
        return "is not known here"
    message: str = found["msg"]
    if found["type"] == "value_error":
        return message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
