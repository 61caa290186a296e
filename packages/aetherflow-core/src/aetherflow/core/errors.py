"""Everything that can go wrong, in the words that the user reads."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_LISTED_AT_MOST = 12


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
        log: The log of the step; None if it did not start.
    """

    def __init__(self, job: str, step: str | None, reason: str, log: Path | None = None) -> None:
        """Word the message, which begins with the job and the step."""
        self.job = job
        self.step = step
        self.reason = reason
        self.log = log
        what = f"step `{job}.{step}`" if step else f"`when` of job `{job}`"
        super().__init__(f"{what} failed: {reason}")


class PermanentError(RuntimeError):
    """Raised by a step that would fail in the same way if it were retried."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return what to append to "no NAME": the nearest known name, or what is known."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; expected {one_of(known)}" if known else ""


def one_of(names: Sequence[str]) -> str:
    """Return names as a choice: "`a`, `b` or `c`"."""
    quoted = [f"`{name}`" for name in names[:_LISTED_AT_MOST]]
    if len(names) > _LISTED_AT_MOST:
        quoted.append(f"one of {len(names) - _LISTED_AT_MOST} more")
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 step", "2 steps"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
