from importlib.metadata import distribution, requires

import aetherflow.core
from aetherflow.core import api


def test_the_version_is_that_of_the_installed_distribution():
    assert aetherflow.core.__version__ == distribution("aetherflow-core").version


def test_the_namespace_is_left_open_for_other_distributions():
    files = {str(file) for file in distribution("aetherflow-core").files}
    assert "aetherflow/__init__.py" not in files
    assert not hasattr(aetherflow, "__file__") or aetherflow.__file__ is None


def test_the_distribution_says_that_it_is_typed():
    assert "aetherflow/core/py.typed" in map(str, distribution("aetherflow-core").files)


def test_nothing_but_pydantic_and_yaml_is_required():
    names = {requirement.partition(">")[0].lower() for requirement in requires("aetherflow-core")}
    assert names == {"pydantic", "pyyaml"}


def test_the_stable_surface_is_what_the_changelog_says():
    promised = {"list_steps", "list_connectors", "register_step", "register_connector"}
    promised |= {"Step", "StepResult", "Connector", "run_flow", "validate_flow"}
    assert promised <= set(api.__all__)
    assert all(hasattr(api, name) for name in api.__all__)


def test_the_built_in_steps_and_connectors():
    assert api.list_steps() == [
        "copy_file",
        "csv_to_table",
        "glob_files",
        "move_file",
        "query_to_csv",
        "run_process",
        "zip_files",
    ]
    assert api.list_connectors() == ["local", "sqlite"]
