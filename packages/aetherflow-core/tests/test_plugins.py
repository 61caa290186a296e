"""Plugins as they are installed: a folder on the path with a `.dist-info` beside the module."""

import json
import sys

import pytest

from aetherflow.core import builtin, registry
from aetherflow.core.api import Connector, Step, StepResult, register_connector, register_step


@pytest.fixture(autouse=True)
def untouched_registry(monkeypatch):
    """Let every test begin with the built-in kinds alone, and with plugins not yet loaded."""
    monkeypatch.setattr(registry, "_steps", dict(builtin.STEPS))
    monkeypatch.setattr(registry, "_connectors", dict(builtin.CONNECTORS))
    registry.broken_plugins.cache_clear()
    yield
    registry.broken_plugins.cache_clear()


@pytest.fixture
def plugin(write, tmp_path, monkeypatch):
    """Return a function that installs a plugin."""

    def install(code):
        write(code, "site/acme.py")
        write("Metadata-Version: 2.1\nName: acme-flow\nVersion: 1.0\n", f"{INFO}/METADATA")
        write("[aetherflow.plugins]\nacme = acme:register\n", f"{INFO}/entry_points.txt")
        monkeypatch.syspath_prepend(str(tmp_path / "site"))

    yield install
    sys.modules.pop("acme", None)


INFO = "site/acme_flow-1.0.dist-info"

GOOD = """
    from aetherflow.core.api import (
        Connector, Step, StepResult, register_connector, register_step
    )

    class Mailbox(Connector):
        '''A mailbox.'''
        host: str

    class Greet(Step):
        '''Say hello.'''
        outputs = ("greeting",)
        mailbox: Mailbox
        name: str = "you"

        def run(self):
            return StepResult({"greeting": f"{self.name}@{self.mailbox.host}"})

    def register():
        register_step("greet", Greet)
        register_connector("mailbox", Mailbox)
"""


def test_a_plugin_brings_steps_and_connectors(plugin, write, aetherflow):
    plugin(GOOD)
    listed = aetherflow("steps").stdout
    assert (
        "greet         Say hello.\n      inputs: mailbox, [name]\n      outputs: greeting" in listed
    )
    flow = write("""
        name: hello
        resources: { box: { driver: mailbox, config: { host: example } } }
        jobs:
          j:
            steps:
              - { id: g, type: greet, inputs: { mailbox: box, name: ada } }
              - id: p
                type: run_process
                inputs: { command: [test, "${j.g.greeting}", "=", ada@example] }
    """)
    done = aetherflow("run", flow)
    assert (done.returncode, done.stdout) == (0, "hello, run 1: done; 2 steps run, 0 done before\n")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_"),
        ("def register(): 1 / 0", "ZeroDivisionError: division by zero"),
        ("registre = None", "AttributeError: module 'acme' has no attribute 'register'"),
        ("register = 3", "TypeError: 'int' object is not callable"),
        (
            "from aetherflow.core.api import register_step as r\nregister = lambda: r('x', int)",
            "TypeError: `x` must be a subclass of Step, not <class 'int'>",
        ),
    ],
)
def test_a_broken_plugin_is_disabled_alone_with_one_warning(plugin, aetherflow, code, reason):
    plugin(code)
    done = aetherflow("steps", "--json")
    assert done.returncode == 0
    expected = f"warning: plugin `acme` of acme-flow 1.0 (acme:register) is disabled: {reason}"
    assert done.stderr.startswith(expected)
    assert done.stderr.count("\n") == 1
    assert [step["name"] for step in json.loads(done.stdout)["steps"]] == sorted(builtin.STEPS)


def test_a_plugin_that_breaks_half_way_leaves_nothing_behind(plugin, write, aetherflow):
    plugin(GOOD + "\n        1 / 0\n")
    done = aetherflow("run", write("name: f\njobs: { j: { steps: [{ id: s, type: greet }] } }"))
    assert done.returncode == 2
    warning, error = done.stderr.splitlines()
    assert warning.startswith("warning: plugin `acme` ")
    assert "jobs.j.steps[0].type: unknown step `greet`" in error
    assert error.endswith("is disabled: ZeroDivisionError: division by zero")


def test_a_flow_that_needs_no_plugin_runs_beside_a_broken_one(plugin, write, aetherflow):
    plugin("import nothing_of_that_name")
    flow = write("""
        name: plain
        jobs: { j: { steps: [{ id: s, type: run_process, inputs: { command: ["true"] } }] } }
    """)
    assert aetherflow("run", flow).stdout == "plain, run 1: done; 1 step run, 0 done before\n"


def test_help_does_not_need_the_plugins(plugin, aetherflow):
    plugin("import nothing_of_that_name")
    assert aetherflow("run", "--help").returncode == 0


def test_a_preview_that_breaks_keeps_no_flow_from_running(plugin, write, aetherflow):
    plugin(GOOD + "\n    Greet.preview = lambda self: 1 / 0\n")
    flow = write("""
        name: hello
        resources: { box: { driver: mailbox, config: { host: example } } }
        jobs: { j: { steps: [{ id: g, type: greet, inputs: { mailbox: box } }] } }
    """)
    done = aetherflow("validate", flow)
    assert done.returncode == 0
    assert done.stderr.startswith("warning: `preview` of Greet failed: ZeroDivisionError")


class Own(Step):
    """A step of this test."""

    def run(self):
        return StepResult()


def test_a_name_is_taken_once():
    register_step("own", Own)
    register_step("own", Own)  # the same again is nothing new
    with pytest.raises(ValueError, match=r"`copy_file` is already aetherflow\.core\.builtin\.file"):
        register_step("copy_file", Own)


def test_only_subclasses_are_registered():
    with pytest.raises(TypeError, match="must be a subclass of Connector"):
        register_connector("own", Own)
    with pytest.raises(TypeError, match="must be a subclass of Step"):
        register_step("own", Connector)
    with pytest.raises(TypeError, match="must be a subclass of Step"):
        register_step("own", lambda: None)
