"""The step that runs another program."""

import logging
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pydantic import Field

from aetherflow.core.control import current
from aetherflow.core.extension import Preview, Step, StepResult

_KEPT = 65_536
"""Bytes of each output that are handed on to later steps; the file has the rest."""

_QUOTED_AT_MOST = 2000
"""Bytes at the end of an error output that a message quotes."""

_LOOK_EVERY = 0.5
"""Seconds between two looks at whether the step has to stop."""

logger = logging.getLogger("aetherflow.core")


class RunProcess(Step):
    """Run a program and wait for it; there is no shell in between."""

    outputs = ("stdout", "stderr", "stdout_file", "stderr_file")
    command: list[str] = Field(
        min_length=1, description="The program and its arguments, each one an item of the list."
    )
    timeout: float = Field(
        3600, gt=0, description="Seconds after which it is killed, with all that it started."
    )
    env: dict[str, str] = Field(
        {}, description="Environment variables, on top of those of AetherFlow itself."
    )
    cwd: Path = Field(
        Path(),
        validate_default=True,
        description="Its working directory; the folder of the flow unless given.",
    )

    def run(self) -> StepResult:
        """Return what the program printed; any exit status but 0 is an error.

        An output holds the first 64 KiB. `stdout_file` and `stderr_file` hold the whole output;
        they are null where the step is not run by the engine, which provides the folder.
        """
        with _output_file("stdout") as stdout, _output_file("stderr") as stderr:
            status = self._wait(stdout, stderr)
            if status != 0:
                raise RuntimeError(f"`{self.command[0]}` {_ending(status, stderr)}")
            return StepResult(
                {
                    "stdout": _beginning(stdout),
                    "stderr": _beginning(stderr),
                    "stdout_file": _name_of(stdout),
                    "stderr_file": _name_of(stderr),
                }
            )

    def preview(self) -> Preview:
        """Return nothing: a program may read and write whatever it likes."""
        return Preview()

    def _wait(self, stdout: IO[bytes], stderr: IO[bytes]) -> int:
        process = subprocess.Popen(
            self.command,
            cwd=self.cwd,
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,  # a group of its own, which can be killed as a whole
        )
        end = time.monotonic() + self.timeout
        try:
            while True:
                left = end - time.monotonic()
                step_left = self.checkpoint()
                if left <= 0:
                    raise RuntimeError(
                        f"`{self.command[0]}` took longer than its timeout of {self.timeout:g} s"
                    )
                with suppress(subprocess.TimeoutExpired):
                    return process.wait(min(left, step_left or left, _LOOK_EVERY))
        except BaseException:
            _kill_group(process)
            process.wait()
            raise


@contextmanager
def _output_file(kind: str) -> Iterator[IO[bytes]]:
    """Lend the file that an output of the program goes to: the program writes it by itself."""
    control = current()
    if control is None:
        with tempfile.TemporaryFile() as file:
            yield file
    else:
        path = control.files.with_name(f"{control.files.name}.{kind}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w+b") as file:
            yield file


def _beginning(file: IO[bytes]) -> str:
    file.seek(0)
    text = file.read(_KEPT).decode("utf-8", errors="replace")
    if file.read(1):
        logger.warning(
            "an output of the program is longer than %d KiB; the rest is only in %s",
            _KEPT // 1024,
            _name_of(file) or "no file",
        )
    return text


def _name_of(file: IO[bytes]) -> str | None:
    return file.name if current() else None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _ending(status: int, stderr: IO[bytes]) -> str:
    how = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - _QUOTED_AT_MOST))
    said = stderr.read().decode("utf-8", errors="replace").strip()
    return f"{how}: {said}" if said else how
