"""The schedule document: which flow starts when, in which time zone, under which policies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel

from aetherflow.core.api import InvalidDocument, Problem, read_document, validate_flow
from aetherflow.scheduler.cron import parse_cron


@dataclass(frozen=True)
class Schedule:
    """One flow, the times at which it starts, and the policies for that.

    Two are equal if they mean the same, whatever their triggers are.

    Attributes:
        name: What the schedule is called in the document.
        flow: The flow document.
        trigger: APScheduler's trigger, without jitter.
        job: The one job of the flow that is run; None for all.
        text: The cron expression and its time zone, to be shown.
        parameters: Values for the parameters of the flow.
        jobs: How many independent jobs of the flow run at the same time, at most.
        misfire_grace_time: Seconds by which a start may be late; None is any number.
        coalesce: Whether several starts that are late together become one.
        max_instances: How many runs of the schedule may go on at the same time.
        jitter: Seconds by which a start is delayed at most, at random.
    """

    name: str
    flow: Path
    trigger: BaseTrigger = field(compare=False)
    job: str | None = None
    text: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    jobs: int = 1
    misfire_grace_time: int | None = 60
    coalesce: bool = True
    max_instances: int = 1
    jitter: int = 0


def read_schedules(file: Path) -> list[Schedule]:
    """Read a schedule document and check it, together with every flow that it names.

    Raises:
        InvalidDocument: The document is refused; the error lists all that is wrong with it.
    """
    problems: list[Problem] = []
    document: _Document | None = None
    try:
        document = read_document(file, _Document)
    except InvalidDocument as error:
        problems += error.problems
    raw = read_document(file, _Anything).root
    problems += _Check(file, raw, problems).problems()
    if problems or document is None:
        raise InvalidDocument(file, problems)
    return [_schedule(file, document, name) for name in document.schedules]


def _schedule(file: Path, document: "_Document", name: str) -> Schedule:
    entry = document.schedules[name]
    zone = entry.timezone or document.timezone
    return Schedule(
        name=name,
        flow=file.parent / entry.flow,
        trigger=parse_cron(entry.cron, ZoneInfo(zone)),
        text=f"{entry.cron} ({zone})",
        **entry.model_dump(exclude={"flow", "cron", "timezone"}),
    )


class _Check:
    """Checks what the shape of a document does not show, also where the shape is wrong elsewhere.

    Otherwise the author of a schedule would fix its shape only to learn of the next mistake.
    """

    def __init__(self, file: Path, raw: Mapping[str, Any], known: list[Problem]) -> None:
        self._file = file
        self._raw = raw
        self._broken = {problem.path for problem in known}
        self._reported: set[str] = set()

    def problems(self) -> list[Problem]:
        entries = self._raw.get("schedules")
        if not isinstance(entries, dict):
            return []
        found: list[Problem] = []
        for name, entry in entries.items():
            if isinstance(entry, dict):
                where = f"schedules.{name}"
                found += self._flow(entry, where)
                found += self._cron(entry, where)
        return found

    def _cron(self, entry: Mapping[str, Any], where: str) -> list[Problem]:
        cron = self._sound(entry, "cron", where, str)
        if cron is None:
            return []
        try:
            parse_cron(cron, ZoneInfo("UTC"))
        except ValueError as error:
            return [Problem(f"{where}.cron", str(error))]
        return []

    def _flow(self, entry: Mapping[str, Any], where: str) -> list[Problem]:
        name = self._sound(entry, "flow", where, str)
        if not name:
            return []
        flow = self._file.parent / name
        parameters = self._sound(entry, "parameters", where, dict) or {}
        try:
            jobs = validate_flow(flow, parameters=parameters).jobs
        except InvalidDocument as error:
            return [Problem(f"{where}.flow", line) for line in self._new(error)]
        job = self._sound(entry, "job", where, str)
        if job is not None and job not in jobs:
            known = ", ".join(f"`{name}`" for name in jobs)
            return [Problem(f"{where}.job", f"no job `{job}` in {flow}: expected one of {known}")]
        return []

    def _new(self, error: InvalidDocument) -> Iterator[str]:
        """Yield the findings of a flow that no other schedule has had."""
        for problem in error.problems:
            line = ": ".join(filter(None, (str(error.file), problem.path, problem.message)))
            own = problem.path.startswith("parameters")  # each schedule has its own values
            if own or line not in self._reported:
                self._reported.add(line)
                yield line

    def _sound(self, entry: Mapping[str, Any], key: str, where: str, kind: type) -> Any:
        """Return a value if it is there and its shape is right."""
        value = entry.get(key)
        sound = isinstance(value, kind) and f"{where}.{key}" not in self._broken
        return value if sound else None


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:  # unknown, malformed, or only a region
        raise ValueError(
            f"unknown time zone `{value}`: expected one like `Europe/Berlin` or `UTC`"
        ) from error
    return value


_TimeZone = Annotated[str, AfterValidator(_time_zone)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Entry(_Part):
    flow: str = Field(min_length=1)
    cron: str
    timezone: _TimeZone | None = None
    job: str | None = None
    parameters: dict[str, Any] = {}
    jobs: int = Field(1, ge=1)
    misfire_grace_time: int | None = Field(60, ge=1)
    coalesce: bool = True
    max_instances: int = Field(1, ge=1)
    jitter: int = Field(0, ge=0)


class _Document(_Part):
    timezone: _TimeZone
    schedules: dict[str, _Entry] = Field(min_length=1)


class _Anything(RootModel[dict[str, Any]]):
    """A document whose shape does not matter."""
