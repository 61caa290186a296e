"""What a plugin writes: a `Step` or a `Connector` is a pydantic model of what YAML gives it.

    class Greet(Step):
        \"\"\"Say hello.\"\"\"

        outputs = ("greeting",)
        name: str

        def run(self) -> StepResult:
            return StepResult({"greeting": f"Hello, {self.name}"})

By the time `run` is called, every field is checked and every reference is resolved.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler

from aetherflow.core.errors import did_you_mean


@dataclass(frozen=True)
class Scope:
    """What the flow around a step or a connector lends it while its fields are checked.

    Attributes:
        folder: The folder of the flow document, absolute; relative paths begin here.
        resources: The flow's resources by name; None while they themselves are being checked.
    """

    folder: Path
    resources: Mapping[str, "Connector"] | None = None


_C = TypeVar("_C", bound="Connector")


class _Inputs(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    @field_validator("*")
    @classmethod
    def _from_flow_folder(cls, value: Any, info: ValidationInfo) -> Any:
        """Make paths absolute: what a flow does must not depend on where it is started."""
        return _absolute(value, info.context.folder) if isinstance(info.context, Scope) else value


class Connector(_Inputs):
    """A resource; its fields are the `config` that a flow gives it.

    A step that needs a resource has a field of the connector's type, and the flow names the
    resource there. `Path` fields are absolute once they are checked.
    """

    @model_validator(mode="wrap")
    @classmethod
    def _from_name(
        cls: type[_C], value: Any, handler: ModelWrapValidatorHandler[_C], info: ValidationInfo
    ) -> _C:
        resources = info.context.resources if isinstance(info.context, Scope) else None
        if resources is None:
            return handler(value)
        if not isinstance(value, str):
            raise ValueError("must be the name of a resource")
        if value not in resources:
            raise ValueError(f"no resource '{value}'" + did_you_mean(value, resources))
        found = resources[value]
        if not isinstance(found, cls):
            raise ValueError(
                f"resource '{value}' is a {type(found).__name__}, and this needs a {cls.__name__}"
            )
        return found


@dataclass(frozen=True)
class StepResult:
    """What a step hands on.

    Attributes:
        outputs: A JSON value for each name in the step's `outputs`.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)


class Step(_Inputs, ABC):
    """A kind of step; its fields are the `inputs` that a flow gives it.

    The first line of a subclass's docstring is what `aetherflow steps` shows.

    Attributes:
        outputs: The names of what `run` hands on.
    """

    outputs: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def run(self) -> StepResult:
        """Do it.

        A step may be run again after an interruption, so it had better put its result in place
        as the last thing it does.

        Raises:
            Exception: Anything stops the run. OSError, ValueError and RuntimeError are shown by
                their message alone, so let it be a sentence for the author of the flow.
        """


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    return value
