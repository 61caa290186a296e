from importlib.metadata import distribution

import {{module}}


def test_the_version_is_that_of_the_installed_distribution():
    assert {{module}}.__version__ == distribution("{{name}}").version


def test_the_distribution_says_that_it_is_typed():
    assert "{{module_path}}/py.typed" in map(str, distribution("{{name}}").files)
