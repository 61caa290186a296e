"""The schedule document: what it means, and how findings are reported."""

from pathlib import Path

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


def test_every_flow_is_checked_and_every_finding_told(write, flow, tmp_path):
    broken = flow("pass", "flows/flow.yaml")
    broken.write_text(broken.read_text().replace("run_process", "run_proces"))
    found = problems(write(GOOD.replace("30 2", "30 25").replace("job: one", "jab: one")))
    where = f"schedules.nightly.flow: {tmp_path / 'flows' / 'flow.yaml'}: jobs.one.steps[0].type: "
    assert found == [
        "schedules.hourly.jab: unknown key; did you mean `job`?",
        where + "unknown step `run_proces`; did you mean `run_process`?",
        found[2],
    ]
    assert found[2].startswith("schedules.nightly.cron: invalid cron expression")


def test_a_wrong_shape_hides_no_other_finding(write, tmp_path):
    found = problems(write(GOOD.replace("timezone: Europe/Berlin", "").replace("30 2", "x 2")))
    assert [text.partition(": ")[0] for text in found] == [
        "timezone",
        "schedules.nightly.flow",
        "schedules.nightly.cron",
    ]


def test_each_schedule_is_told_of_the_parameters_that_it_lacks(write, flow):
    text = flow("pass").read_text()
    write(text.replace("name: small", "name: small\nparameters: { n: {} }"), "flows/flow.yaml")
    where = [text.partition(": ")[0] for text in problems(write(GOOD))]
    assert where == ["schedules.nightly.flow", "schedules.hourly.flow"]


def test_a_missing_flow_is_a_finding(write, tmp_path):
    found = problems(write(GOOD))
    assert f"{tmp_path / 'flows' / 'flow.yaml'}: cannot read the file: No such file" in found[0]


def test_files_that_a_flow_reads_may_come_later(write, flow):
    write(
        """
        name: later
        resources: { db: { driver: sqlite, config: { path: x.db } } }
        jobs:
          one:
            steps:
              - id: s
                type: csv_to_table
                inputs: { source: comes-at-night.csv, database: db, table: t }
        """,
        "flows/flow.yaml",
    )
    assert len(read_schedules(write(GOOD))) == 2


POLICIES = """
timezone: UTC
schedules:
  plain: { flow: flow.yaml, cron: "@daily" }
  told:
    flow: flow.yaml
    cron: "@daily"
    parameters: { day: 2026-01-31 }
    jobs: 3
    misfire_grace_time: null
    coalesce: false
    max_instances: 2
    jitter: 30
"""


def test_policies_have_the_names_and_meanings_of_apscheduler(write, flow):
    text = flow("pass").read_text()
    write(
        text.replace("name: small", "name: small\nparameters: { day: { default: x } }"), "flow.yaml"
    )
    plain, told = read_schedules(write(POLICIES))
    assert (plain.misfire_grace_time, plain.coalesce) == (60, True)
    assert (plain.max_instances, plain.jitter, plain.jobs) == (1, 0, 1)
    assert (told.misfire_grace_time, told.coalesce) == (None, False)
    assert (told.max_instances, told.jitter, told.jobs) == (2, 30, 3)
    assert told.parameters == {"day": "2026-01-31"}


def test_two_schedules_are_equal_if_they_mean_the_same(write, flow):
    flow("pass", "flows/flow.yaml")
    first, second = read_schedules(write(GOOD)), read_schedules(write(GOOD))
    assert first == second
    assert first != read_schedules(write(GOOD.replace("30 2", "31 2")))


README = Path(__file__).parents[1] / "README.md"


def test_the_schedule_of_the_readme_is_valid(write, tmp_path):
    text = README.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    step = "steps: [{ id: s, type: run_process, inputs: { command: [x] } }]"
    write(f"name: a\njobs: {{ j: {{ {step} }} }}", "daily-sales.yaml")
    parameters = "parameters: { folder: {} }"
    write(f"name: a\n{parameters}\njobs: {{ collect: {{ {step} }} }}", "inbox.yaml")
    assert [schedule.name for schedule in read_schedules(write(text))] == ["nightly", "hourly"]
