"""The schedule document: which flow starts when, and in which time zone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from aetherflow.core.api import InvalidDocument, Problem, read_document, validate_flow
from aetherflow.scheduler.cron import parse_cron


@dataclass(frozen=True)
class Schedule:
    """One flow and the times at which it starts.

    Attributes:
        name: What the schedule is called in the document.
        flow: The flow document.
        trigger: APScheduler's trigger.
        job: The one job of the flow that is asked for; None for all.
        text: The cron expression and its time zone, to be shown.
    """

    name: str
    flow: Path
    trigger: BaseTrigger
    job: str | None = None
    text: str = ""


def read_schedules(file: Path) -> list[Schedule]:
    """Read a schedule document and check it, together with every flow that it names.

    Raises:
        InvalidDocument: The document is refused; the error lists all that is wrong with it.
        PluginError: A plugin of the engine cannot be loaded.
    """
    document = read_document(file, _Document)
    schedules: list[Schedule] = []
    problems: list[Problem] = []
    for name, entry in document.schedules.items():
        zone = entry.timezone or document.timezone
        flow = file.parent / entry.flow
        problems += _flow_problems(flow, entry.job, f"schedules.{name}")
        try:
            trigger = parse_cron(entry.cron, ZoneInfo(zone))
        except ValueError as error:
            problems.append(Problem(f"schedules.{name}.cron", str(error)))
            continue
        schedules.append(Schedule(name, flow, trigger, entry.job, f"{entry.cron} ({zone})"))
    if problems:
        raise InvalidDocument(file, problems)
    return schedules


def _flow_problems(flow: Path, job: str | None, where: str) -> list[Problem]:
    try:
        jobs = validate_flow(flow).jobs
    except InvalidDocument as error:
        return [Problem(f"{where}.flow", line) for line in str(error).splitlines()]
    if job is not None and job not in jobs:
        return [Problem(f"{where}.job", f"{flow} has no job '{job}'")]
    return []


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:  # unknown, malformed, or only a region
        raise ValueError(f"'{value}' is no time zone; write one like 'Europe/Berlin'") from error
    return value


_TimeZone = Annotated[str, AfterValidator(_time_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Entry(_Part):
    flow: str = Field(min_length=1)
    cron: str
    timezone: _TimeZone | None = None
    job: str | None = None


class _Document(_Part):
    timezone: _TimeZone
    schedules: dict[str, _Entry] = Field(min_length=1)
