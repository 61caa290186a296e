"""The distribution has no code, so what can be tested is its metadata and what it brings along."""

from importlib import import_module
from importlib.metadata import distribution, version

import pytest
from packaging.requirements import Requirement

REQUIREMENTS = [Requirement(text) for text in distribution("aetherflow").requires]


def test_it_requires_the_engine_and_the_scheduler_and_nothing_else():
    assert [requirement.name for requirement in REQUIREMENTS] == [
        "aetherflow-core",
        "aetherflow-scheduler",
    ]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_what_is_installed_beside_it_fits(requirement):
    assert requirement.specifier.contains(version(requirement.name), prereleases=True)


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda requirement: requirement.name)
def test_a_range_ends_before_the_next_major_version(requirement):
    (lowest,) = [s.version for s in requirement.specifier if s.operator == ">="]
    (limit,) = [s.version for s in requirement.specifier if s.operator == "<"]
    assert limit == f"{int(lowest.partition('.')[0]) + 1}.0.0"


def test_it_ships_no_module():
    folders = {file.parts[0] for file in distribution("aetherflow").files}
    assert folders == {f"aetherflow-{version('aetherflow')}.dist-info"}


@pytest.mark.parametrize("name", ["aetherflow.core", "aetherflow.scheduler"])
def test_both_parts_can_be_imported(name):
    assert import_module(name).__version__ == version(name.replace(".", "-"))
