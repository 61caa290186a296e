"""`${JOB.STEP.OUTPUT}`, `${parameters.NAME}`, `${env.NAME}`: how a flow refers to values.

A value that is one reference and nothing else becomes what it refers to, with its type; a
reference inside a longer text is put in as text. `$${` stands for a literal `${`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Location = tuple[str | int, ...]
"""The way to a value inside nested lists and mappings."""

Values = Mapping[str, Any]
"""JSON values by reference, such as `load.csv.rows` or `parameters.day`."""

SOURCES = ("parameters", "env")
"""What a reference of two names begins with; a job cannot be called so."""

_PATTERN = re.compile(r"\$\$\{|\$\{([^}]*)\}")


def parse_reference(text: str) -> str:
    """Return a reference without the spaces around it.

    Raises:
        ValueError: It does not have the names that a reference consists of.
    """
    reference = text.strip()
    parts = reference.split(".")
    if len(parts) != (2 if parts[0] in SOURCES else 3) or not all(parts):
        raise ValueError(
            f"invalid reference `{reference}`: "
            "expected `JOB.STEP.OUTPUT`, `parameters.NAME` or `env.NAME`"
        )
    return reference


def find_references(value: Any, location: Location = ()) -> Iterator[tuple[Location, str]]:
    """Yield the place and the text of every reference inside a value."""
    if isinstance(value, str):
        for match in _PATTERN.finditer(value):
            if match[1] is not None:
                yield location, match[1]
    for key, item in _items(value):
        yield from find_references(item, (*location, key))


def resolve(value: Any, values: Values) -> Any:
    """Return `value` with every reference replaced by what it refers to.

    Raises:
        KeyError: A value is not there; `check` makes sure that this does not happen.
    """
    if isinstance(value, dict):
        return {key: resolve(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = _PATTERN.fullmatch(value)
    if whole and whole[1] is not None:
        return values[parse_reference(whole[1])]
    return _PATTERN.sub(lambda match: _as_text(match, values), value)


def resolve_known(value: Any, values: Values) -> tuple[Any, set[Location]]:
    """Return `value` with the references resolved that can be, and the places of the others."""
    open_places: set[Location] = set()

    def walk(value: Any, location: Location) -> Any:
        if isinstance(value, dict):
            return {key: walk(item, (*location, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*location, i)) for i, item in enumerate(value)]
        try:
            return resolve(value, values)
        except (KeyError, ValueError):
            open_places.add(location)
            return value

    return walk(value, ()), open_places


def _as_text(match: re.Match[str], values: Values) -> str:
    if match[1] is None:
        return "${"
    value = values[parse_reference(match[1])]
    # As YAML writes them, not as Python does.
    return str(value).lower() if isinstance(value, bool) else str(value)


def _items(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)
