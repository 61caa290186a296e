import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest

import {{module}}

INSTALLED = Path(sysconfig.get_path("scripts"), "{{name}}")


def test_the_version_is_that_of_the_installed_distribution():
    assert {{module}}.__version__ == distribution("{{name}}").version


@pytest.mark.parametrize("command", [[INSTALLED], [sys.executable, "-m", "{{module}}"]])
def test_the_command_tells_its_version(command):
    done = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["{{name}}", {{module}}.__version__]
