import pytest

from aetherflow.core.api import InvalidDocument
from aetherflow.scheduler.schedule import read_schedules

GOOD = """
timezone: Europe/Berlin
schedules:
  nightly: { flow: flows/flow.yaml, cron: 30 2 * * 1-5 }
  hourly: { flow: flows/flow.yaml, cron: 5 * * * *, timezone: UTC, job: one }
"""


def problems(path):
    with pytest.raises(InvalidDocument) as caught:
        read_schedules(path)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def test_a_good_schedule(write, flow):
    file = flow("pass", "flows/flow.yaml")
    nightly, hourly = read_schedules(write(GOOD))
    assert (nightly.name, nightly.flow, nightly.job) == ("nightly", file, None)
    assert (hourly.name, hourly.flow, hourly.job) == ("hourly", file, "one")
    assert nightly.text == "30 2 * * 1-5 (Europe/Berlin)"
    assert hourly.text == "5 * * * * (UTC)"
    assert str(hourly.trigger.timezone) == "UTC"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("timezone: Europe/Berlin", "", "timezone: is required"),
        (
            "Europe/Berlin",
            "Europe/Berlln",
            "timezone: 'Europe/Berlln' is no time zone; write one like 'Europe/Berlin'",
        ),
        ("Europe/Berlin", "Europe", "timezone: 'Europe' is no time zone; write one like 'Europe/"),
        ("Europe/Berlin", "../../etc/passwd", "timezone: '../../etc/passwd' is no time zone; "),
        ("UTC", "Mars", "schedules.hourly.timezone: 'Mars' is no time zone; "),
        ("cron: 30 2 * * 1-5", "", "schedules.nightly.cron: is required"),
        ("cron: 30 2 * * 1-5", "corn: x", "schedules.nightly.corn: is not known here"),
        ("30 2 * * 1-5", "30 2 * *", "schedules.nightly.cron: '30 2 * *' has 4 fields"),
        ("job: one", "job: two", "schedules.hourly.job: "),
    ],
)
def test_a_mistake_is_named_with_its_place(write, flow, before, after, expected):
    flow("pass", "flows/flow.yaml")
    assert GOOD.count(before) == 1
    assert any(
        problem.startswith(expected) for problem in problems(write(GOOD.replace(before, after)))
    )


def test_every_flow_is_checked_and_every_finding_told(write, flow, tmp_path):
    broken = flow("pass", "flows/flow.yaml")
    broken.write_text(broken.read_text().replace("run_process", "run_proces"))
    found = problems(write(GOOD.replace("30 2", "30 25")))
    assert len(found) == 3
    where = f"schedules.nightly.flow: {tmp_path / 'flows' / 'flow.yaml'}: jobs.one.steps[0].type: "
    assert found[0] == where + "no step 'run_proces'; did you mean 'run_process'?"
    assert found[1].startswith("schedules.nightly.cron: ")


def test_a_missing_flow_is_a_finding(write, tmp_path):
    found = problems(write(GOOD))
    assert f"{tmp_path / 'flows' / 'flow.yaml'}: cannot be read: No such file" in found[0]
