"""Cron expressions as a crontab means them, for APScheduler, which means something else.

APScheduler counts the days of the week from Monday = 0, cron from Sunday = 0; and it wants both
day of month and day of week to match, where cron is content with either.
"""

import re
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

_FIELDS = ("minute", "hour", "day", "month", "day_of_week")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY_RANGE = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")
_SHORT = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def parse_cron(text: str, zone: ZoneInfo) -> CronTrigger:
    """Return the trigger for a cron expression: five fields, or a word such as `@daily`.

    Raises:
        ValueError: It is not one, never fires, or restricts both day of month and day of week.
    """
    fields = dict(zip(_FIELDS, _split(text), strict=True))
    if fields["day"] != "*" and fields["day_of_week"] != "*":
        raise ValueError("restricts both day of month and day of week: write two schedules")
    fields["day_of_week"] = _days_of_week(fields["day_of_week"])
    try:
        trigger = CronTrigger(**fields, timezone=zone)
    except ValueError as error:
        raise ValueError(f"invalid cron expression `{text}`: {error}") from error
    if not next_times(trigger, datetime.now(timezone.utc), 1):
        raise ValueError(f"`{text}` never fires: there is no such day")
    return trigger


def next_times(trigger: BaseTrigger, after: datetime, count: int) -> list[datetime]:
    """Return the next times at which a trigger fires; fewer than `count` if there are no more."""
    times: list[datetime] = []
    last: datetime | None = None
    while len(times) < count:
        last = trigger.get_next_fire_time(last, after if last is None else last)
        if last is None:
            break
        times.append(last)
    return times


def _split(text: str) -> list[str]:
    """Return the five fields of an expression.

    Raises:
        ValueError: There are more, or fewer, or it is an unknown word.
    """
    lowered = text.strip().lower()
    if lowered.startswith("@") and lowered not in _SHORT:
        known = ", ".join(f"`{word}`" for word in _SHORT)
        raise ValueError(f"unknown word `{text}`: expected five fields or one of {known}")
    values = _SHORT.get(lowered, lowered).split()
    if len(values) != len(_FIELDS):
        raise ValueError(
            f"`{text}` has {len(values)} fields: expected minute, hour, day of month, month and "
            "day of week"
        )
    return values


def _days_of_week(text: str) -> str:
    """Return the field as names of days, which mean the same to both."""
    if text == "*":
        return text
    days: set[int] = set()
    for part in text.split(","):
        days |= _day_range(part)
    return ",".join(_DAYS[day] for day in sorted(days))


def _day_range(text: str) -> set[int]:
    match = _DAY_RANGE.fullmatch(text)
    if match is None:
        raise _not_a_day(text)
    if match["first"] is None:
        first, last = 0, 6
    else:
        first = _day(match["first"])
        last = _day(match["last"]) if match["last"] else (6 if match["step"] else first)
    if last < first:  # sat-mon, or fri-sun, whose Sunday is the 7 of 5-7
        last += 7
    step = int(match["step"] or 1)
    if step == 0:
        raise ValueError(f"`{text}` has a step of 0")
    return {day % 7 for day in range(first, last + 1, step)}


def _day(text: str) -> int:
    if text in _DAYS:
        return _DAYS.index(text)
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise _not_a_day(text)


def _not_a_day(text: str) -> ValueError:
    return ValueError(f"invalid day of week `{text}`: expected 0 to 7, or {', '.join(_DAYS)}")
