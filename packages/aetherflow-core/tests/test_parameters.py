"""Parameters and environment variables: how a run is told what differs."""

import json
from datetime import date, timedelta

import pytest

from aetherflow.core.api import InvalidDocument, NothingToResume, run_flow, validate_flow

FLOW = """
name: told
parameters:
  day: { type: date, default: yesterday }
  full: { type: boolean, default: false }
  ratio: { type: number, default: 1 }
  who: { type: text, default: you }
  times: { type: integer }
env:
  AETHERFLOW_TEST_CITY: { default: Bonn }
jobs:
  always:
    steps:
      - id: say
        type: run_process
        inputs:
          command:
            - echo
            - "${parameters.day} ${parameters.full} ${parameters.ratio} ${parameters.who}"
            - ${parameters.times}
            - ${env.AETHERFLOW_TEST_CITY}
  sometimes:
    when: parameters.full and parameters.times > 1 and env.AETHERFLOW_TEST_CITY != 'Rome'
    steps:
      - { id: say, type: run_process, inputs: { command: [echo, all] } }
"""


def said(result):
    return result.outputs["always.say.stdout"].strip()


def test_defaults_and_values(write):
    flow = write(FLOW)
    yesterday = date.today() - timedelta(days=1)
    result = run_flow(flow, parameters={"times": 2})
    assert said(result) == f"{yesterday} false 1.0 you 2 Bonn"
    assert result.jobs == {"always": "done", "sometimes": "skipped"}
    given = {"day": "2026-02-28", "full": True, "ratio": 0.5, "who": "ä b", "times": "3"}
    result = run_flow(flow, parameters=given)
    assert said(result) == "2026-02-28 true 0.5 ä b 3 Bonn"
    assert result.jobs["sometimes"] == "done"


def test_the_environment_is_read_if_it_is_declared(write, monkeypatch):
    monkeypatch.setenv("AETHERFLOW_TEST_CITY", "Rome")
    assert said(run_flow(write(FLOW), parameters={"times": 1})).endswith(" 1 Rome")


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("day", "2026-02-30", "expected a date like `2026-11-25`, found `2026-02-30`"),
        ("day", 5, "expected a date like `2026-11-25`, found `5`"),
        ("full", "yes", "expected `true` or `false`, found `yes`"),
        ("full", 1, "expected `true` or `false`, found `1`"),
        ("ratio", "inf", "expected a number, found `inf`"),
        ("ratio", True, "expected a number, found `True`"),
        ("who", 5, "expected text, found `5`"),
        ("times", "1.5", "expected a whole number, found `1.5`"),
        ("times", [1], "expected a whole number, found a list"),
    ],
)
def test_a_value_of_another_type_is_refused(write, tmp_path, name, value, found):
    with pytest.raises(InvalidDocument) as caught:
        run_flow(write(FLOW), parameters={"times": 1, name: value})
    (problem,) = caught.value.problems
    assert (problem.path, problem.message) == (f"parameters.{name}", found)
    assert not (tmp_path / ".aetherflow").exists()


def test_validate_leaves_open_what_a_run_is_told(write):
    flow = write(FLOW)
    assert list(validate_flow(flow).parameters) == ["day", "full", "ratio", "who", "times"]
    with pytest.raises(InvalidDocument, match=r"parameters\.times: is required"):
        validate_flow(flow, parameters={})
    validate_flow(flow, parameters={"times": 1})


def test_a_resource_can_be_told(write, tmp_path):
    write("n\n1\n", "a.csv")
    flow = write("""
        name: told
        parameters: { store: {} }
        resources: { db: { driver: sqlite, config: { path: "${parameters.store}/x.db" } } }
        jobs:
          j:
            steps:
              - { id: s, type: csv_to_table, inputs: { source: a.csv, database: db, table: t } }
    """)
    validate_flow(flow)
    run_flow(flow, parameters={"store": "deep"})
    assert (tmp_path / "deep" / "x.db").exists()


GATED = """
name: gated
parameters: { day: { type: date, default: today }, n: { type: integer, default: 1 } }
jobs:
  j:
    steps:
      - { id: s, type: run_process, inputs: { command: [test, -e, go] } }
      - { id: t, type: run_process, inputs: { command: [echo, "${parameters.n}"] } }
"""


def test_a_resumed_run_keeps_its_parameters(write, aetherflow):
    write(GATED)
    assert aetherflow("run", "flow.yaml", "--set", "n=7").returncode == 1
    refused = aetherflow("run", "flow.yaml", "--resume", "--set", "n=8")
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: flow.yaml: parameters.n: run 1 has `7`; a resumed run keeps its parameters\n"
    )
    write("", "go")
    done = aetherflow("run", "flow.yaml", "--resume", "--set", "n=7", "--json")
    assert json.loads(done.stdout)["outputs"]["j.t.stdout"] == "7\n"


def test_a_parameter_that_is_gone_does_not_hinder_a_resumption(write, aetherflow):
    write(GATED)
    assert aetherflow("run", "flow.yaml", "--set", "n=7").returncode == 1
    write("", "go")
    write(GATED.replace(", n: { type: integer, default: 1 }", "").replace("${parameters.n}", "x"))
    assert aetherflow("run", "flow.yaml", "--resume").returncode == 0


@pytest.mark.parametrize("text", ["day", "=1", "", "day:1"])
def test_what_is_not_an_assignment_is_usage(write, aetherflow, text):
    write(FLOW)
    done = aetherflow("run", "flow.yaml", "--set", text)
    assert done.returncode == 2
    assert done.stderr.endswith(f"argument --set: expected NAME=VALUE, found `{text}`\n")


def test_there_is_no_run_of_that_number_to_resume(write):
    flow = write(GATED)
    with pytest.raises(NothingToResume, match="this flow has no run 5"):
        run_flow(flow, resume=True, run=5)
