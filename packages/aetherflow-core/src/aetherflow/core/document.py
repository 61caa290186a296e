"""A YAML file becomes a pydantic model, or a list of problems with their paths inside the file.

Must not know flows: the scheduler reads its own documents through it.
"""

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from aetherflow.core.errors import InvalidDocument, Problem
from aetherflow.core.wording import problems_of

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Safe YAML with two differences: a duplicate key is an error, and a date stays text.

    PyYAML silently lets the last of two equal keys win. It turns `2026-01-31` into an object
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
                    problem = f"duplicate key `{key.value}`"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                seen.add(key.value)
        return node


def read_document(path: Path, model: type[Model]) -> Model:
    """Read a YAML file as `model`.

    Raises:
        InvalidDocument: The file cannot be read, is not YAML or does not fit the model.
    """
    try:
        return model.model_validate(load_document(path))
    except ValidationError as error:
        raise InvalidDocument(path, problems_of(error, model)) from error


def load_document(path: Path) -> dict[str, Any]:
    """Read a YAML file whose top is a mapping.

    Raises:
        InvalidDocument: The file cannot be read, is not YAML or holds something else.
    """

    def refuse(message: str, where: str = "") -> InvalidDocument:
        return InvalidDocument(path, [Problem(where, message)])

    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
        json.dumps(data)  # refuses what YAML can say and JSON cannot, such as a list in itself
    except OSError as error:
        raise refuse(f"cannot read the file: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise refuse(f"not UTF-8 text: {error.reason} at byte {error.start}") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise refuse(error.problem or "invalid YAML", where) from error
    except (yaml.YAMLError, ValueError) as error:  # control characters; numbers such as 0b_
        raise refuse(f"invalid YAML: {' '.join(str(error).split())}") from error
    except TypeError as error:
        raise refuse("holds a value other than text, a number, a list or a mapping") from error
    except RecursionError as error:
        raise refuse("nested too deeply") from error
    if not isinstance(data, dict):
        raise refuse("the file is empty" if data is None else "expected a mapping at the top")
    return data
