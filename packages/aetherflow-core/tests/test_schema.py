"""The JSON Schema for editors accepts what `validate` accepts, and refuses clear mistakes."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator
from test_bad_flows import BAD, GOOD

from aetherflow.core import registry
from aetherflow.core.api import Connector, Step, StepResult, register_step

# What only the whole of a flow shows, and what a schema has no words for.
BEYOND = {
    "broken_yaml",
    "circle",
    "command_is_a_text",  # it could be a reference to a list
    "default_of_the_wrong_type",
    "duplicate_key",
    "missing_file",
    "name_is_not_a_name",
    "not_an_address",
    "output_in_a_resource",
    "pattern_leads_out",
    "reference_of_two_names",
    "reference_to_a_later_step",
    "reference_to_another_parameter",
    "reserved_job_name",
    "sql_breaks_off",
    "sql_parameter",
    "sql_syntax",
    "sql_writes",
    "two_steps_of_one_id",
    "undeclared_environment",
    "unknown_dependency",
    "unknown_encoding",
    "unknown_resource",
    "when_breaks_off",
    "when_compares_apples_and_pears",
    "when_has_a_wrong_output",
    "when_is_not_a_condition",
    "wrong_resource",
}


@pytest.fixture
def validator(aetherflow):
    schema = json.loads(aetherflow("schema").stdout)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_a_good_flow_is_accepted(validator):
    validator.validate(yaml.safe_load(GOOD.replace("2026-11-25", "'2026-11-25'")))


@pytest.mark.parametrize(
    ("before", "after"),
    [case[:2] for name, case in BAD.items() if name not in BEYOND],
    ids=[name for name in BAD if name not in BEYOND],
)
def test_a_clear_mistake_is_refused(validator, before, after):
    document = GOOD.replace(before, after).replace("2026-11-25", "'2026-11-25'")
    assert not validator.is_valid(yaml.safe_load(document))


@pytest.mark.parametrize(
    "inputs",
    [
        {"command": "${a.b.list}"},
        {"command": ["x"], "timeout": "${parameters.n}"},
        {"command": ["x"], "env": {"A": "${env.B}"}},
    ],
)
def test_every_input_can_be_a_reference(validator, inputs):
    step = {"id": "s", "type": "run_process", "inputs": inputs}
    validator.validate({"name": "x", "jobs": {"j": {"steps": [step]}}})


def test_steps_of_plugins_are_part_of_it(monkeypatch, aetherflow):
    monkeypatch.setattr(registry, "_steps", dict(registry._steps))

    class Box(Connector):
        """A box."""

    class Own(Step):
        """A step of this test."""

        box: Box
        size: int

        def run(self):
            return StepResult()

    register_step("own", Own)
    validator = Draft202012Validator(json.loads(aetherflow("schema").stdout))

    def accepted(**inputs):
        step = {"id": "s", "type": "own", "inputs": inputs}
        return validator.is_valid({"name": "x", "jobs": {"j": {"steps": [step]}}})

    assert accepted(box="b", size=3)
    assert not accepted(box="b", size=[])
    assert not accepted(box={}, size=3)
    assert not accepted(box="b", size=3, more=1)
