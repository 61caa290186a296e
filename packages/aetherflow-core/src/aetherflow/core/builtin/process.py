"""The step that runs another program."""

import os
import signal
import subprocess
from pathlib import Path

from pydantic import Field

from aetherflow.core.extension import Step, StepResult

_QUOTED_AT_MOST = 2000
"""How many of the last characters of an error output a message holds."""


class RunProcess(Step):
    """Run a program and wait for it; there is no shell in between.

    Inputs:
        command: The program and its arguments, each one an item of the list.
        timeout: Seconds after which it is killed, with all that it started.
        env: Environment variables, on top of those of this process.
        cwd: Its working directory; the folder of the flow unless given.
    """

    outputs = ("stdout", "stderr")
    command: list[str] = Field(min_length=1)
    timeout: float = Field(3600, gt=0)
    env: dict[str, str] = {}
    cwd: Path = Field(Path(), validate_default=True)

    def run(self) -> StepResult:
        """Return what the program printed; anything but exit status 0 is an error."""
        process = subprocess.Popen(
            self.command,
            cwd=self.cwd,
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a group of its own, which can be killed as a whole
        )
        with process:
            try:
                stdout, stderr = process.communicate(timeout=self.timeout)
            except BaseException as error:
                _kill_group(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise RuntimeError(f"{self._name} took over {self.timeout:g} s") from error
                raise
        if process.returncode != 0:
            raise RuntimeError(f"{self._name} {_ending(process.returncode, stderr)}")
        return StepResult({"stdout": stdout, "stderr": stderr})

    @property
    def _name(self) -> str:
        return f"'{self.command[0]}'"


def _kill_group(process: subprocess.Popen[str]) -> None:
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _ending(status: int, stderr: str) -> str:
    how = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
    said = stderr.strip()[-_QUOTED_AT_MOST:]
    return f"{how}: {said}" if said else how
