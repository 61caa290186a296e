"""What the documentation says is true."""

import doctest
import re
from pathlib import Path

import pytest
import yaml

from aetherflow.core import registry
from aetherflow.core.api import validate_flow
from aetherflow.core.cli import main

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(file, language):
    text = (ROOT / file).read_text(encoding="utf-8")
    return [body for found, body in BLOCK.findall(text) if found == language]


FLOWS = [
    pytest.param(body, id=f"{file}: {yaml.safe_load(body).get('name')}")
    for file in ("docs/recipes.md", "README.md")
    for body in blocks(file, "yaml")
    if "jobs:" in body
]


def test_the_reference_is_what_the_models_say(aetherflow):
    assert (ROOT / "docs" / "reference.md").read_text(encoding="utf-8") == (
        aetherflow("steps", "--markdown").stdout
    ), "write it again: aetherflow steps --markdown > docs/reference.md"


@pytest.mark.parametrize("body", FLOWS)
def test_a_flow_that_is_shown_is_valid(write, body):
    validate_flow(write(body))


def test_there_are_recipes():
    assert len(FLOWS) >= 10


@pytest.mark.parametrize("file", ["docs/recipes.md", "docs/python.md", "README.md"])
def test_every_command_that_is_shown_can_be_typed(file, capsys):
    shown = [
        line.removeprefix("$ ").split("#")[0].split()
        for body in blocks(file, "console")
        for line in body.splitlines()
        if line.startswith("$ aetherflow ")
    ]
    for command in shown:
        # The parser alone decides; `--help` at the end keeps the command from doing anything.
        with pytest.raises(SystemExit) as end:
            main([*command[1:], "--help"])
        assert end.value.code == 0, command
    capsys.readouterr()


def test_the_examples_in_python_are_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_steps", dict(registry._steps))
    found = doctest.testfile(
        str(ROOT / "docs" / "python.md"), module_relative=False, optionflags=doctest.ELLIPSIS
    )
    assert (found.failed, found.attempted > 15) == (0, True)
