"""What steps and connectors are, read from their models: for `list_steps`, help and reference."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from aetherflow.core.errors import one_of
from aetherflow.core.extension import Connector, Step

_Drivers = Mapping[str, type[Connector]]

_SIMPLE: Mapping[Any, str] = {
    Any: "any value",
    Path: "path",
    bool: "true or false",
    float: "number",
    int: "whole number",
    str: "text",
}


@dataclass(frozen=True)
class InputInfo:
    """One input of a step, or one key of a connector's `config`.

    Attributes:
        name: What a flow calls it.
        type: What it is, in words: `text`, `path`, `list of paths`.
        required: Whether a flow has to give it.
        default: What it is otherwise, a JSON value; None if it is required.
        description: What it is for.
    """

    name: str
    type: str
    required: bool
    default: Any
    description: str


class StepInfo(str):
    """The name of a kind of step, with what is known of it; compares and hashes like the name.

    Attributes:
        summary: What it does, in one sentence.
        inputs: What a flow gives it.
        outputs: The names of what it hands on.
    """

    __slots__ = ("inputs", "outputs", "summary")

    summary: str
    inputs: tuple[InputInfo, ...]
    outputs: tuple[str, ...]

    def __new__(
        cls,
        name: str,
        summary: str = "",
        inputs: tuple[InputInfo, ...] = (),
        outputs: tuple[str, ...] = (),
    ) -> "StepInfo":
        """Return the name with its attributes; `copy` and `pickle` set them afterwards."""
        info = super().__new__(cls, name)
        info.summary, info.inputs, info.outputs = summary, inputs, outputs
        return info


class ConnectorInfo(str):
    """The name of a kind of connector, with what is known of it; compares like the name.

    Attributes:
        summary: What it is, in one sentence.
        config: What a flow gives it.
    """

    __slots__ = ("config", "summary")

    summary: str
    config: tuple[InputInfo, ...]

    def __new__(
        cls, name: str, summary: str = "", config: tuple[InputInfo, ...] = ()
    ) -> "ConnectorInfo":
        """Return the name with its attributes; `copy` and `pickle` set them afterwards."""
        info = super().__new__(cls, name)
        info.summary, info.config = summary, config
        return info


def step_info(name: str, kind: type[Step], drivers: _Drivers) -> StepInfo:
    """Return what is known of a kind of step."""
    return StepInfo(name, _summary(kind), fields_of(kind, drivers), tuple(kind.outputs))


def connector_info(name: str, kind: type[Connector], drivers: _Drivers) -> ConnectorInfo:
    """Return what is known of a kind of connector."""
    return ConnectorInfo(name, _summary(kind), fields_of(kind, drivers))


def is_resource(annotation: Any) -> bool:
    """Return whether a field of that type is given the name of a resource."""
    return isinstance(annotation, type) and issubclass(annotation, Connector)


def fitting_drivers(annotation: type[Connector], drivers: _Drivers) -> list[str]:
    """Return the names of the connectors that a field of that type takes, sorted."""
    return sorted(name for name, kind in drivers.items() if issubclass(kind, annotation))


def _summary(kind: type[Step] | type[Connector]) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def fields_of(model: type[BaseModel], drivers: _Drivers) -> tuple[InputInfo, ...]:
    """Return what is known of the fields of a model."""
    return tuple(_input(name, info, drivers) for name, info in model.model_fields.items())


def _input(name: str, info: FieldInfo, drivers: _Drivers) -> InputInfo:
    required = info.is_required()
    default = None if required else info.get_default(call_default_factory=True)
    return InputInfo(
        name=info.alias or name,
        type=_type_name(info.annotation, drivers),
        required=required,
        default=str(default) if isinstance(default, Path) else default,
        description=info.description or "",
    )


def _type_name(annotation: Any, drivers: _Drivers) -> str:
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if is_resource(annotation):
        return f"resource ({one_of(fitting_drivers(annotation, drivers))})"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(arguments[0], drivers)
    if origin is Literal:
        return one_of([str(argument) for argument in arguments])
    if origin in {Union, UnionType}:
        kinds = [_type_name(item, drivers) for item in arguments if item is not NoneType]
        return " or ".join(kinds)
    if origin is list:
        return f"list of {_plural(_type_name(arguments[0], drivers))}"
    if origin is dict:
        values = _type_name(arguments[1], drivers)
        return "mapping" if values == "any value" else f"mapping of names to {_plural(values)}"
    # A part of the flow document, such as `StepSpec`, or whatever a plugin has made up.
    return getattr(annotation, "__name__", "any value").removesuffix("Spec").lower()


def _plural(noun: str) -> str:
    if noun in {"text", "true or false"} or noun.startswith("`"):
        return noun
    return f"{noun}s"
