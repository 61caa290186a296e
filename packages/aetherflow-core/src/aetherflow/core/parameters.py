"""The values that a run is given from outside: parameters and environment variables."""

import math
import os
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from aetherflow.core.errors import Problem, did_you_mean
from aetherflow.core.model import Flow, ParameterSpec
from aetherflow.core.wording import kind_of

_EXPECTED = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` or `false`",
    "date": "a date like `2026-11-25`",
}
_DAYS_AGO = {"today": 0, "yesterday": 1}


def bind(
    flow: Flow, given: Mapping[str, Any], *, complete: bool
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the values by reference, such as `parameters.day`, and what is wrong with them.

    Args:
        flow: Declares the parameters and the environment variables.
        given: Values for parameters; text is read as the parameter's type.
        complete: Whether it is a problem that a value is lacking; otherwise it is left out.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name in given:
        if name not in flow.parameters:
            hint = did_you_mean(name, flow.parameters) or "; the flow declares none"
            problems.append(Problem("parameters", f"no parameter `{name}`{hint}"))
    for name, spec in flow.parameters.items():
        where = f"parameters.{name}"
        try:
            if "default" in spec.model_fields_set:
                where += ".default"
                values[f"parameters.{name}"] = read_value(spec, spec.default)
                where = f"parameters.{name}"
            if name in given:
                values[f"parameters.{name}"] = read_value(spec, given[name])
            elif complete and "default" not in spec.model_fields_set:
                problems.append(Problem(where, f"is required: set it with `--set {name}=VALUE`"))
        except ValueError as error:
            problems.append(Problem(where, str(error)))
    for name, value in _environment(flow):
        if value is not None:
            values[f"env.{name}"] = value
        elif complete:
            problems.append(Problem(f"env.{name}", f"environment variable `{name}` is not set"))
    return values, problems


def read_value(spec: ParameterSpec, value: Any) -> Any:
    """Return a value as the type of a parameter; text is read, as from a command line.

    Raises:
        ValueError: It is not of the type.
    """
    if spec.type == "date":
        return _date(value)
    if isinstance(value, str):
        found = _from_text(spec.type, value)
    elif spec.type == "number" and isinstance(value, int) and not isinstance(value, bool):
        found = float(value)
    else:
        found = value
    kinds: dict[str, type] = {"text": str, "integer": int, "number": float, "boolean": bool}
    if type(found) is kinds[spec.type]:
        return found
    shown = f"`{value}`" if isinstance(value, (str, int, float)) else kind_of(value)
    raise ValueError(f"expected {_EXPECTED[spec.type]}, found {shown}")


def _from_text(kind: str, text: str) -> Any:
    """Return what a text stands for, or None if it does not stand for a value of that kind."""
    if kind == "text":
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower())
    try:
        number = int(text) if kind == "integer" else float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(value: Any) -> str:
    if isinstance(value, str) and value in _DAYS_AGO:
        return str(date.today() - timedelta(days=_DAYS_AGO[value]))
    try:
        return str(date.fromisoformat(str(value)))
    except ValueError as error:
        raise ValueError(f"expected {_EXPECTED['date']}, found `{value}`") from error


def _environment(flow: Flow) -> Iterator[tuple[str, str | None]]:
    for name, spec in flow.env.items():
        yield name, os.environ.get(name, spec.default)
