"""`${JOB.STEP.OUTPUT}`: how a step's input refers to an earlier step's output.

An input that is one reference and nothing else becomes the value itself, with its type; a
reference inside a longer text is put in as text. `$${` stands for a literal `${`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Location = tuple[str | int, ...]
"""The way to a value inside nested lists and mappings."""


class Reference(NamedTuple):
    """The name of one output of one step."""

    job: str
    step: str
    output: str

    def __str__(self) -> str:
        """Return the reference as it is written in a flow."""
        return ".".join(self)


Outputs = Mapping[Reference, Any]
"""The outputs of all steps that are done; the values are JSON values."""

_PATTERN = re.compile(r"\$\$\{|\$\{([^}]*)\}")


def parse_reference(text: str) -> Reference:
    """Read `JOB.STEP.OUTPUT`.

    Raises:
        ValueError: The text does not consist of three names.
    """
    parts = text.strip().split(".")
    if len(parts) != 3 or not all(parts):
        raise ValueError(f"'{text.strip()}' is no reference: write JOB.STEP.OUTPUT")
    return Reference(*parts)


def find_references(value: Any, location: Location = ()) -> Iterator[tuple[Location, str]]:
    """Yield the place and the text of every reference inside a value."""
    if isinstance(value, str):
        for match in _PATTERN.finditer(value):
            if match[1] is not None:
                yield location, match[1]
    for key, item in _items(value):
        yield from find_references(item, (*location, key))


def resolve(value: Any, outputs: Outputs) -> Any:
    """Return `value` with every reference replaced by what it refers to.

    Raises:
        KeyError: An output is not there; `check` makes sure that this does not happen.
    """
    if isinstance(value, dict):
        return {key: resolve(item, outputs) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, outputs) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PATTERN.fullmatch(value)
    if whole and whole[1] is not None:
        return outputs[parse_reference(whole[1])]
    return _PATTERN.sub(lambda match: _as_text(match, outputs), value)


def _as_text(match: re.Match[str], outputs: Outputs) -> str:
    return "${" if match[1] is None else str(outputs[parse_reference(match[1])])


def _items(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
