"""What pydantic finds, in the words of this package: what is expected, and what was found."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from aetherflow.core.errors import Problem, did_you_mean

_EXPECTED: Mapping[str, str] = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "mapping_type": "a mapping",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "path_type": "a path",
    "string_type": "text",
}
"""What pydantic's type of an error expects."""

_Word = Callable[[Mapping[str, Any]], str]

_LIMITS: Mapping[str, _Word] = {
    "greater_than": lambda ctx: f"must be greater than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"must be at least {ctx['ge']:g}",
    "less_than": lambda ctx: f"must be less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"must be at most {ctx['le']:g}",
    "string_too_long": lambda ctx: f"must be at most {_characters(ctx['max_length'])} long",
    "string_too_short": lambda ctx: (
        "must not be empty"
        if ctx["min_length"] == 1
        else f"must be at least {_characters(ctx['min_length'])} long"
    ),
    "too_long": lambda ctx: f"expected at most {ctx['max_length']} items",
    "too_short": lambda ctx: "must not be empty",
}


def problems_of(
    error: ValidationError,
    model: type[BaseModel] | None = None,
    prefix: str = "",
    *,
    secret: Callable[[str], bool] = lambda path: False,
) -> list[Problem]:
    """Return pydantic's findings as problems.

    Args:
        error: What pydantic raised.
        model: What was validated, which tells the keys that an unknown one may be meant for.
        prefix: The path that all paths begin with.
        secret: Whether the value at a path must not be quoted.
    """
    problems = []
    for found in error.errors(include_url=False):
        path = join_path(prefix, found["loc"])
        problems.append(Problem(path, _message(dict(found), model, quote=not secret(path))))
    return problems


def join_path(prefix: str, location: Iterable[str | int]) -> str:
    """Return `prefix` with a location appended: `("steps", 1, "id")` reads `.steps[1].id`."""
    path = prefix
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part != "[key]":  # pydantic's mark for "the key itself, not its value"
            path += f".{part}" if path else part
    return path


def kind_of(value: Any) -> str:
    """Return what kind of value it is, with its article."""
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list"}
    return kinds.get(type(value), "null" if value is None else "a mapping")


def _message(found: Mapping[str, Any], model: type[BaseModel] | None, *, quote: bool) -> str:
    kind, context, value = found["type"], found.get("ctx", {}), found["input"]
    if kind == "missing":
        return "is required"
    if kind == "extra_forbidden":
        return f"unknown key{did_you_mean(str(found['loc'][-1]), _keys(model, found['loc'][:-1]))}"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {_found(value, quote)}"
    if kind == "literal_error":
        choice = context["expected"].replace("'", "`")
        return f"expected {choice}, found {_found(value, quote)}"
    if kind in _LIMITS:
        return _LIMITS[kind](context)
    message: str = found["msg"]
    if kind in {"value_error", "assertion_error"}:
        return message.partition(", ")[2]
    return message[:1].lower() + message[1:]


def _found(value: Any, quote: bool) -> str:
    if quote and isinstance(value, (str, int, float)) and len(str(value)) <= 60:
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        return f"`{shown}`" if shown.strip() else "empty text"
    return kind_of(value)


def _characters(number: int) -> str:
    return "1 character" if number == 1 else f"{number} characters"


def _keys(model: type[BaseModel] | None, location: Iterable[str | int]) -> list[str]:
    """Return the keys that are known at a location inside a model."""
    kind: Any = model
    for part in location:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(part))
            kind = _inner(field.annotation) if field else None
        elif get_origin(kind) in {list, dict}:
            kind = _inner(get_args(kind)[-1])
    known = isinstance(kind, type) and issubclass(kind, BaseModel)
    return sorted(kind.model_fields) if known else []


def _inner(annotation: Any) -> Any:
    """Return what is left of an annotation without `Annotated` and `| None`."""
    if get_origin(annotation) in {list, dict} or isinstance(annotation, type):
        return annotation
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return _inner(parts[0]) if parts else annotation
