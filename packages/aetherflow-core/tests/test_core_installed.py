"""The distribution as it is installed: metadata, files and the stable surface."""

import copy
import doctest
import pickle
from importlib.metadata import distribution, requires

import pytest
from packaging.requirements import Requirement

import aetherflow.core
from aetherflow.core import api


def through_pickle(value):
    return pickle.loads(pickle.dumps(value))


def test_the_version_is_that_of_the_installed_distribution():
    assert aetherflow.core.__version__ == distribution("aetherflow-core").version


def test_the_namespace_is_left_open_for_other_distributions():
    files = {str(file) for file in distribution("aetherflow-core").files}
    assert "aetherflow/__init__.py" not in files
    assert not hasattr(aetherflow, "__file__") or aetherflow.__file__ is None


def test_the_distribution_says_that_it_is_typed():
    assert "aetherflow/core/py.typed" in map(str, distribution("aetherflow-core").files)


def test_it_requires_few_others():
    found = [Requirement(text) for text in requires("aetherflow-core")]
    plain = {requirement.name.lower() for requirement in found if not requirement.marker}
    assert plain == {"httpx", "pydantic", "pyyaml", "rich"}
    extra = {requirement.name for requirement in found if requirement.marker}
    assert extra == {"psycopg"}


def test_the_stable_surface_is_what_the_changelog_says():
    promised = {"list_steps", "list_connectors", "register_step", "register_connector"}
    promised |= {"Step", "StepResult", "Connector", "run_flow", "validate_flow"}
    assert promised <= set(api.__all__)
    assert all(hasattr(api, name) for name in api.__all__)


def test_everything_else_is_private():
    public = {name for name in vars(api) if not name.startswith("_")}
    assert public == set(api.__all__)


def test_the_built_in_steps_and_connectors():
    assert api.list_steps() == [
        "copy_file",
        "csv_to_table",
        "download",
        "glob_files",
        "http_request",
        "move_file",
        "query_to_csv",
        "run_process",
        "zip_files",
    ]
    assert api.list_connectors() == ["local", "postgres", "sqlite"]


def test_a_step_is_its_name_and_says_what_it_takes_and_gives():
    steps = {step: step for step in api.list_steps()}
    load = steps["csv_to_table"]
    assert isinstance(load, str)
    assert f"{load}|{load.summary}" == (
        "csv_to_table|Load a CSV file with a header line into a database table."
    )
    assert load.outputs == ("rows", "columns")
    assert [given.name for given in load.inputs if given.required] == [
        "source",
        "database",
        "table",
    ]
    mode = next(given for given in load.inputs if given.name == "mode")
    assert (mode.type, mode.default) == ("`replace` or `append`", "replace")
    database = next(given for given in load.inputs if given.name == "database")
    assert database.type == "resource (`postgres` or `sqlite`)"
    (local, *_) = api.list_connectors()
    assert [(given.name, given.type) for given in local.config] == [("path", "path")]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, through_pickle])
def test_what_is_listed_can_be_copied(duplicate):
    for info in [*api.list_steps(), *api.list_connectors()]:
        other = duplicate(info)
        assert (other, type(other), other.summary) == (info, type(info), info.summary)


def test_the_examples_of_the_api_are_true():
    assert doctest.testmod(api).failed == 0
    assert doctest.testmod(api).attempted > 2
