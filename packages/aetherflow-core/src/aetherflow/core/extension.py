"""What a plugin writes: a `Step` or a `Connector` is a pydantic model of what YAML gives it.

    class Greet(Step):
        \"\"\"Say hello.\"\"\"

        outputs = ("greeting",)
        name: str = Field(description="The one to greet.")

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

from aetherflow.core import control
from aetherflow.core.errors import did_you_mean, one_of


@dataclass(frozen=True)
class Scope:
    """What the flow around a step or a connector lends it while its fields are checked.

    Attributes:
        folder: The folder of the flow document, absolute; relative paths begin here.
        resources: The flow's resources by name; None while they themselves are being checked.
        drivers: All kinds of connectors by the name that a flow gives them.
    """

    folder: Path
    resources: Mapping[str, "Connector"] | None = None
    drivers: Mapping[str, type["Connector"]] = field(default_factory=dict)


_C = TypeVar("_C", bound="Connector")


class _Inputs(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,  # a log with a traceback must not hold secrets
    )

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
        scope = info.context
        if not isinstance(scope, Scope) or scope.resources is None:
            return handler(value)
        if not isinstance(value, str):
            raise ValueError("expected the name of a resource")
        if value not in scope.resources:
            raise ValueError(f"no resource `{value}`{did_you_mean(value, scope.resources)}")
        found = scope.resources[value]
        if not isinstance(found, cls):
            names = [name for name, kind in scope.drivers.items() if kind is type(found)]
            fitting = [name for name, kind in scope.drivers.items() if issubclass(kind, cls)]
            kind = names[0] if names else type(found).__name__
            expected = one_of(sorted(fitting) or [cls.__name__])
            raise ValueError(f"resource `{value}` has the driver `{kind}`; expected {expected}")
        return found


@dataclass(frozen=True)
class StepResult:
    """What a step hands on.

    Attributes:
        outputs: A JSON value for each name in the step's `outputs`.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """What is known of a step before the flow runs, for `aetherflow validate`.

    Attributes:
        reads: The files and folders that must be there when it starts, by input name.
        writes: The files and folders that it makes, with all that is inside; None if it may make
            any, which keeps the files that later steps read from being reported as missing.
        problems: What is wrong with its inputs, by input name.
    """

    reads: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    writes: tuple[Path, ...] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


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

        A step may be run again after an interruption, so it should put its result in place as
        the last thing it does. It runs on a thread of its own, beside steps of other jobs.

        Raises:
            Exception: Any exception fails the step, and is retried if the flow says so.
                `PermanentError` is not retried. OSError, ValueError and RuntimeError are shown by
                their message alone, so let it be a sentence for the author of the flow.
        """

    def preview(self) -> Preview:
        """Return what is known beforehand; must neither run, open nor write anything."""
        return Preview()

    @staticmethod
    def checkpoint() -> float | None:
        """Return the seconds left until the step's `timeout`; None is no limit.

        A step that takes long calls this from time to time: it raises once the step has to stop,
        and the exception should be left alone.
        """
        return control.checkpoint()


def _absolute(value: Any, folder: Path) -> Any:
    if isinstance(value, Path):
        return folder / value
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    return value
