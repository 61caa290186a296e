"""What a flow document may say. Only its shape: whether names exist is `check`'s business."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", value):
        raise ValueError(
            f"invalid name `{value}`: expected letters, digits, `_` and `-`, "
            "beginning with a letter or `_`"
        )
    return value


def _condition(value: Any) -> Any:
    """Let YAML's `true` and `false` count as the expressions that they are."""
    return str(value).lower() if isinstance(value, bool) else value


Name = Annotated[str, AfterValidator(_name)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ParameterSpec(_Part):
    """A value that a run is given with `--set`; steps refer to it as `${parameters.NAME}`."""

    type: Literal["text", "integer", "number", "boolean", "date"] = Field(
        "text", description="A date is written as 2026-11-25 and handed on as text."
    )
    default: Any = Field(
        None,
        description="Used unless a run sets the parameter; without it, every run has to. "
        "A date can be `today` or `yesterday`.",
    )
    description: str = Field("", description="What it is for.")


class VariableSpec(_Part):
    """An environment variable that a run reads; steps refer to it as `${env.NAME}`."""

    default: str | None = Field(
        None, description="Used where the variable is not set; without it, a run is refused."
    )
    description: str = Field("", description="What it is for.")


class ResourceSpec(_Part):
    """Something outside the flow that its steps use, opened by a connector."""

    driver: str = Field(description="The kind of connector; `aetherflow steps` lists them.")
    config: dict[str, Any] = Field({}, description="What the connector has to know.")


class StepSpec(_Part):
    """One thing to do. Other steps refer to its outputs as `${JOB.ID.OUTPUT}`."""

    id: Name = Field(description="Its name inside the job.")
    type: str = Field(description="The kind of step; `aetherflow steps` lists them.")
    inputs: dict[str, Any] = Field({}, description="What the step works on.")
    retries: int = Field(
        0, ge=0, le=100, description="How often it is tried again when it has failed."
    )
    backoff: float = Field(
        1.0,
        gt=0,
        le=3600,
        description="Seconds before the first retry; twice as many before each further one, "
        "up to five minutes.",
    )
    timeout: float | None = Field(
        None, gt=0, description="Seconds that one attempt may take; no limit unless given."
    )


class JobSpec(_Part):
    """Steps that run one after the other, once the jobs in `depends_on` are done."""

    depends_on: list[Name] = Field([], description="Jobs that are done before this one starts.")
    when: Annotated[str | None, BeforeValidator(_condition)] = Field(
        None, description="The job is skipped, with all that depend on it, unless this is true."
    )
    steps: list[StepSpec] = Field(min_length=1, description="They run one after the other.")


class Flow(_Part):
    """The document as a whole."""

    name: Name = Field(description="The name of the flow.")
    description: str = Field("", description="What the flow is for.")
    parameters: dict[Name, ParameterSpec] = Field(
        {}, description="Values that differ from run to run."
    )
    env: dict[Name, VariableSpec] = Field(
        {}, description="Environment variables that the flow reads; there are no others."
    )
    resources: dict[Name, ResourceSpec] = Field(
        {}, description="Databases and folders that steps use."
    )
    jobs: dict[Name, JobSpec] = Field(
        min_length=1, description="The jobs, in any order: `depends_on` decides."
    )
