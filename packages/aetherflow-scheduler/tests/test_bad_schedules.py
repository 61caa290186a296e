"""What is wrong with a schedule, one case for each kind: exit 2, the file, the place, the words."""

import pytest

GOOD = """\
timezone: Europe/Berlin
schedules:
  nightly:
    flow: flow.yaml
    cron: 30 2 * * 1-5
    jitter: 30
    parameters: { n: 1 }
  hourly:
    flow: flow.yaml
    cron: "@hourly"
    timezone: UTC
    job: one
    parameters: { n: 2 }
    max_instances: 2
"""

BAD = {
    "no_time_zone": ("timezone: Europe/Berlin\n", "", "timezone: is required"),
    "misspelt_time_zone": (
        "Europe/Berlin",
        "Europe/Berlln",
        "timezone: unknown time zone `Europe/Berlln`: expected one like `Europe/Berlin` or `UTC`",
    ),
    "a_region_is_not_a_time_zone": (
        "Europe/Berlin",
        "Europe",
        "timezone: unknown time zone `Europe`: expected",
    ),
    "a_path_is_not_a_time_zone": (
        "Europe/Berlin",
        "../../etc/passwd",
        "timezone: unknown time zone `../../etc/passwd`: expected",
    ),
    "time_zone_of_one_schedule": (
        "timezone: UTC",
        "timezone: Mars",
        "schedules.hourly.timezone: unknown time zone `Mars`: expected",
    ),
    "no_schedules": (
        GOOD[GOOD.index("schedules") :],
        "schedules: {}\n",
        "schedules: must not be empty",
    ),
    "schedules_is_a_list": (
        GOOD[GOOD.index("schedules") :],
        "schedules: [nightly]\n",
        "schedules: expected a mapping, found a list",
    ),
    "unknown_key": (
        "timezone: Europe/Berlin\n",
        "timezone: Europe/Berlin\nschedule: {}\n",
        "schedule: unknown key; did you mean `schedules`?",
    ),
    "unknown_key_of_a_schedule": (
        "jitter: 30",
        "jiter: 30",
        "schedules.nightly.jiter: unknown key; did you mean `jitter`?",
    ),
    "no_cron": ("    cron: 30 2 * * 1-5\n", "", "schedules.nightly.cron: is required"),
    "cron_with_four_fields": (
        "30 2 * * 1-5",
        "30 2 * *",
        "schedules.nightly.cron: `30 2 * *` has 4 fields: expected minute, hour, day of month, "
        "month and day of week",
    ),
    "cron_out_of_range": (
        "30 2 * * 1-5",
        "30 25 * * 1-5",
        "schedules.nightly.cron: invalid cron expression `30 25 * * 1-5`: ",
    ),
    "cron_that_never_fires": (
        "30 2 * * 1-5",
        "30 2 30 2 *",
        "schedules.nightly.cron: `30 2 30 2 *` never fires: there is no such day",
    ),
    "cron_with_two_kinds_of_days": (
        "30 2 * * 1-5",
        "30 2 1 * 1-5",
        "schedules.nightly.cron: restricts both day of month and day of week",
    ),
    "unknown_word": (
        '"@hourly"',
        '"@reboot"',
        "schedules.hourly.cron: unknown word `@reboot`: expected five fields or one of `@yearly`",
    ),
    "cron_is_a_number": (
        "30 2 * * 1-5",
        "5",
        "schedules.nightly.cron: expected text, found `5`",
    ),
    "missing_flow": (
        "nightly:\n    flow: flow.yaml",
        "nightly:\n    flow: flaw.yaml",
        "schedules.nightly.flow: flaw.yaml: cannot read the file: No such file",
    ),
    "no_flow": (
        "nightly:\n    flow: flow.yaml",
        "nightly:\n    job: one",
        "schedules.nightly.flow: is required",
    ),
    "unknown_job": (
        "job: one",
        "job: two",
        "schedules.hourly.job: no job `two` in flow.yaml: expected one of `one`",
    ),
    "missing_parameter": (
        "    parameters: { n: 1 }\n",
        "",
        "schedules.nightly.flow: flow.yaml: parameters.n: is required",
    ),
    "wrong_parameter": (
        "{ n: 1 }",
        "{ n: often }",
        "schedules.nightly.flow: flow.yaml: parameters.n: expected a whole number, found `often`",
    ),
    "negative_jitter": ("jitter: 30", "jitter: -1", "schedules.nightly.jitter: must be at least 0"),
    "no_instances": (
        "max_instances: 2",
        "max_instances: 0",
        "schedules.hourly.max_instances: must be at least 1",
    ),
    "grace_time_is_a_text": (
        "jitter: 30",
        "misfire_grace_time: long",
        "schedules.nightly.misfire_grace_time: expected a whole number, found `long`",
    ),
    "broken_yaml": ("timezone: Europe", "timezone: {Europe", "line "),
}


def test_there_are_at_least_15_kinds():
    assert len(BAD) >= 15


@pytest.fixture
def good(flow, write):
    text = flow("open('ran', 'w')").read_text()
    write(
        text.replace("name: small", "name: small\nparameters: { n: { type: integer } }"),
        "flow.yaml",
    )


def test_the_schedule_is_good_otherwise(good, write, scheduler):
    write(GOOD)
    assert scheduler("run", "--dry-run").returncode == 0


@pytest.mark.parametrize("arguments", [["run"], ["run", "--dry-run"]], ids=["run", "dry"])
@pytest.mark.parametrize(("before", "after", "expected"), BAD.values(), ids=BAD)
def test_a_bad_schedule(good, write, scheduler, tmp_path, arguments, before, after, expected):
    assert GOOD.count(before) == 1
    write(GOOD.replace(before, after))
    done = scheduler(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert any(line.startswith(f"error: scheduler.yaml: {expected}") for line in lines), done.stderr
    assert all(line.startswith("error: scheduler.yaml: ") for line in lines)
    assert {path.name for path in tmp_path.iterdir()} == {"flow.yaml", "scheduler.yaml"}


def test_all_findings_come_at_once(good, write, scheduler):
    text = GOOD
    for name in ("misspelt_time_zone", "cron_with_four_fields", "missing_flow", "no_instances"):
        text = text.replace(*BAD[name][:2])
    text = text.replace('"@hourly"', '"@reboot"')
    write(text)
    assert len(scheduler("run").stderr.splitlines()) == 5
