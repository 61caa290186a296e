"""The distribution has no code, so what can be tested is its metadata and what it brings along."""

from importlib.metadata import distribution, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

GATHERED = {{sibling_names}}
REQUIREMENTS = [Requirement(text) for text in distribution("{{name}}").requires or []]


def test_it_requires_what_it_gathers():
    names = {canonicalize_name(requirement.name) for requirement in REQUIREMENTS}
    assert names == {canonicalize_name(name) for name in GATHERED}


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_what_is_installed_beside_it_fits(requirement):
    assert requirement.specifier.contains(version(requirement.name), prereleases=True)


def test_it_ships_no_module():
    folders = {file.parts[0] for file in distribution("{{name}}").files}
    assert folders == {"{{file_name}}-" + version("{{name}}") + ".dist-info"}
