"""Everything that can go wrong, in the words that the user reads."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a document.

    Attributes:
        path: Where inside the document, such as `jobs.load.steps[1].inputs.source`; empty for
            the document as a whole.
        message: What is wrong there.
    """

    path: str
    message: str


class FlowError(Exception):
    """The root of all errors that this package raises on purpose."""


class InvalidDocument(FlowError):
    """A document was refused; nothing of it has run.

    Attributes:
        file: The document.
        problems: All that is wrong with it, at least one.
    """

    def __init__(self, file: Path, problems: Sequence[Problem]) -> None:
        """Word one line for each problem, beginning with the file and the path inside it."""
        self.file = file
        self.problems = tuple(problems)
        lines = (": ".join(filter(None, (str(file), p.path, p.message))) for p in problems)
        super().__init__("\n".join(lines))


class PluginError(FlowError):
    """An entry point of the group `aetherflow.plugins` cannot be used."""


class NothingToResume(FlowError):
    """A run was to be resumed, and there is none that stopped half-way."""


class RunFailed(FlowError):
    """A run could not be started or could not go on."""


class StepFailed(RunFailed):
    """A step failed; the steps before it are recorded and can be resumed from.

    Attributes:
        job: Name of the job.
        step: Id of the step, or None if the job's `when` could not be decided.
        reason: Why, in one sentence.
    """

    def __init__(self, job: str, step: str | None, reason: str) -> None:
        """Word the message, which begins with the job and the step."""
        self.job = job
        self.step = step
        self.reason = reason
        where = f"job '{job}', " + (f"step '{step}'" if step else "when")
        super().__init__(f"{where}: {reason}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return what to append to "there is no NAME": the nearest known name, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; there is {', '.join(known)}" if known else ""
