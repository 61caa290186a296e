"""What a flow document may say. Only its shape: whether names exist is `check`'s business."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", value):
        raise ValueError(
            f"'{value}' is no name: letters, digits, '_' and '-', with a letter or '_' first"
        )
    return value


Name = Annotated[str, AfterValidator(_name)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ResourceSpec(_Part):
    """Something outside the flow that its steps use, opened by a connector."""

    driver: str
    config: dict[str, Any] = {}


class StepSpec(_Part):
    """One thing to do. Other steps refer to its outputs as `${JOB.ID.OUTPUT}`."""

    id: Name
    type: str
    inputs: dict[str, Any] = {}


class JobSpec(_Part):
    """Steps that run one after the other, once the jobs in `depends_on` are done."""

    depends_on: list[Name] = []
    when: str | None = None
    steps: list[StepSpec] = Field(min_length=1)


class Flow(_Part):
    """A whole flow document."""

    name: Name
    resources: dict[Name, ResourceSpec] = {}
    jobs: dict[Name, JobSpec] = Field(min_length=1)
