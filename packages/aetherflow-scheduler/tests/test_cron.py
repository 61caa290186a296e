"""Cron expressions: when they fire, and which are refused."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from aetherflow.scheduler.cron import next_times, parse_cron

UTC = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def times(text, count, zone=UTC, after=MONDAY):
    return [time.isoformat() for time in next_times(parse_cron(text, zone), after, count)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*/20 * * * *", ["2026-01-05T00:00:00+00:00", "2026-01-05T00:20:00+00:00"]),
        ("30 2 * * *", ["2026-01-05T02:30:00+00:00", "2026-01-06T02:30:00+00:00"]),
        ("0 0 31 * *", ["2026-01-31T00:00:00+00:00", "2026-03-31T00:00:00+00:00"]),
        ("0 12 1 JAN,jul *", ["2026-07-01T12:00:00+00:00", "2027-01-01T12:00:00+00:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00:00+00:00", "2032-02-29T00:00:00+00:00"]),
    ],
)
def test_times(text, expected):
    assert times(text, 2) == expected


@pytest.mark.parametrize(
    ("field", "days"),
    [
        ("*", "Mon Tue Wed Thu Fri Sat Sun"),
        ("0", "Sun"),
        ("7", "Sun"),
        ("1", "Mon"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("MON-fri", "Mon Tue Wed Thu Fri"),
        ("5-7", "Fri Sat Sun"),
        ("0-2", "Mon Tue Sun"),
        ("sat-mon", "Mon Sat Sun"),
        ("6,0", "Sat Sun"),
        ("*/2", "Tue Thu Sat Sun"),
        ("1-5/2", "Mon Wed Fri"),
        ("3/2", "Wed Fri"),
        ("tue,thu", "Tue Thu"),
    ],
)
def test_days_of_the_week_are_those_of_a_crontab(field, days):
    trigger = parse_cron(f"0 0 * * {field}", UTC)
    week = [time for time in next_times(trigger, MONDAY, 7) if (time - MONDAY).days < 7]
    assert " ".join(f"{time:%a}" for time in week) == days


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`` has 0 fields: expected minute, hour, day of month, month and day of week"),
        ("* * * * * *", "`* * * * * *` has 6 fields"),
        ("@often", "unknown word `@often`: expected five fields or one of `@yearly`, "),
        ("@reboot", "unknown word `@reboot`"),
        ("61 * * * *", "invalid cron expression `61 * * * *`: "),
        ("x * * * *", "invalid cron expression `x * * * *`: "),
        ("0 0 1 * mon", "restricts both day of month and day of week: write two schedules"),
        (
            "0 0 * * 8",
            "invalid day of week `8`: expected 0 to 7, or sun, mon, tue, wed, thu, fri, ",
        ),
        ("0 0 * * someday", "invalid day of week `someday`"),
        ("0 0 * * 1-", "invalid day of week `1-`"),
        ("0 0 * * */0", "`*/0` has a step of 0"),
        ("0 0 30 2 *", "`0 0 30 2 *` never fires: there is no such day"),
        ("0 0 31 4,6,9,11 *", "`0 0 31 4,6,9,11 *` never fires"),
    ],
)
def test_an_invalid_cron_expression_is_refused(text, message):
    with pytest.raises(ValueError) as caught:
        parse_cron(text, UTC)
    assert str(caught.value).startswith(message)


def test_the_time_zone_counts_and_summer_time_with_it():
    # On 29 March 2026 clocks in Berlin go from 02:00 to 03:00.
    after = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert times("0 6 * * *", 2, BERLIN, after) == [
        "2026-03-29T06:00:00+02:00",
        "2026-03-30T06:00:00+02:00",
    ]
    assert times("0 6 * * *", 1, BERLIN, datetime(2026, 3, 27, tzinfo=UTC)) == [
        "2026-03-27T06:00:00+01:00"
    ]


@pytest.mark.parametrize(
    ("word", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * sun"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 1 *"),
        (" @Annually ", "0 0 1 1 *"),
    ],
)
def test_words_for_common_times(word, same):
    assert times(word, 3) == times(same, 3)
