"""Running a flow: jobs in order, steps one after the other, each recorded when it is done."""

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from aetherflow.core.check import open_scope, validate_flow
from aetherflow.core.document import problems_of
from aetherflow.core.errors import InvalidDocument, Problem, StepFailed, did_you_mean
from aetherflow.core.expression import Expression
from aetherflow.core.extension import Scope, Step
from aetherflow.core.model import Flow, StepSpec
from aetherflow.core.order import execution_order
from aetherflow.core.references import Reference, resolve
from aetherflow.core.registry import known_steps
from aetherflow.core.state import RunState

logger = logging.getLogger("aetherflow.core")


@dataclass
class RunResult:
    """What became of a run.

    Attributes:
        run: Number of the run, counted for each flow document from 1.
        flow: Name of the flow.
        jobs: What became of each job, in the order of execution.
        executed: Number of steps that ran now.
        restored: Number of steps that an earlier, interrupted attempt had finished.
        outputs: What each step handed on, by `JOB.STEP.OUTPUT`.
    """

    run: int
    flow: str
    jobs: dict[str, Literal["done", "skipped"]] = field(default_factory=dict)
    executed: int = 0
    restored: int = 0
    outputs: dict[str, Any] = field(default_factory=dict)


def run_flow(
    path: str | Path,
    *,
    job: str | None = None,
    resume: bool = False,
    state: str | Path | None = None,
) -> RunResult:
    """Check a flow, then run it.

    Progress goes to the logger `aetherflow.core`.

    Args:
        path: The YAML file.
        job: Run this job and the jobs it depends on; None runs all.
        resume: Take up the last run, which was interrupted, after its last finished step. A step
            that the document describes differently by now runs again, and so does all after it.
        state: The SQLite file that remembers the run; `.aetherflow/NAME.sqlite3` beside the
            document unless given, where NAME is the document's file name.

    Raises:
        InvalidDocument: The document is refused, or has no such job; nothing has run.
        PluginError: A plugin cannot be loaded; nothing has run.
        NothingToResume: There is no interrupted run; nothing has run.
        StepFailed: A step failed; what was finished before is recorded.
        RunFailed: The state cannot be kept, or another run of this flow is going on.
    """
    file = Path(path).absolute()
    flow = validate_flow(path)
    if job is not None and job not in flow.jobs:
        hint = did_you_mean(job, flow.jobs)
        raise InvalidDocument(Path(path), [Problem("jobs", f"no job '{job}'{hint}")])
    remembered = Path(state) if state else file.parent / ".aetherflow" / f"{file.name}.sqlite3"
    with RunState(remembered, job, resume=resume) as run_state:
        return _Run(flow, open_scope(flow, file), run_state, resume).run(job)


class _Run:
    def __init__(self, flow: Flow, scope: Scope, state: RunState, resume: bool) -> None:
        self._flow = flow
        self._scope = scope
        self._state = state
        self._restoring = resume
        self._outputs: dict[Reference, Any] = {}
        self._result = RunResult(state.run, flow.name)

    def run(self, only: str | None) -> RunResult:
        for job in execution_order(self._flow.jobs, only):
            self._result.jobs[job] = "done" if self._wanted(job) else "skipped"
            if self._result.jobs[job] == "skipped":
                logger.info("%s: skipped", job)
                continue
            for step in self._flow.jobs[job].steps:
                outputs = self._restore(job, step)
                if outputs is None:
                    outputs = self._execute(job, step)
                for name, value in outputs.items():
                    self._outputs[Reference(job, step.id, name)] = value
        self._state.finish()
        self._result.outputs = {str(key): value for key, value in self._outputs.items()}
        return self._result

    def _wanted(self, job: str) -> bool:
        """Return whether a job runs: after a skipped job none does, for it lacks the outputs."""
        spec = self._flow.jobs[job]
        if any(self._result.jobs[other] == "skipped" for other in spec.depends_on):
            return False
        try:
            return spec.when is None or Expression(spec.when).evaluate(self._outputs)
        except ValueError as error:
            raise StepFailed(job, None, f"{spec.when}: {error}") from error

    def _restore(self, job: str, spec: StepSpec) -> dict[str, Any] | None:
        if not self._restoring:
            return None
        outputs = self._state.outputs_of(job, spec.id, self._fingerprint(spec))
        if outputs is None:
            self._restoring = False  # what comes later was built on what now runs again
            return None
        self._result.restored += 1
        logger.info("%s.%s: done before", job, spec.id)
        return outputs

    def _execute(self, job: str, spec: StepSpec) -> dict[str, Any]:
        started = time.monotonic()
        logger.debug("%s.%s: started", job, spec.id)
        try:
            step = self._build(spec)
            outputs = _as_json(step, step.run().outputs)
        except Exception as error:  # a step can be foreign code: anything can come out of it
            logger.debug("%s.%s: failed", job, spec.id, exc_info=True)
            raise StepFailed(job, spec.id, _reason(error)) from error
        self._state.record(job, spec.id, self._fingerprint(spec), outputs)
        self._result.executed += 1
        logger.info("%s.%s: done in %.2f s", job, spec.id, time.monotonic() - started)
        return outputs

    def _build(self, spec: StepSpec) -> Step:
        kind = known_steps()[spec.type]
        return kind.model_validate(resolve(spec.inputs, self._outputs), context=self._scope)

    def _fingerprint(self, spec: StepSpec) -> str:
        """Return a digest of all that the flow document says about a step."""
        resources = {name: r.model_dump() for name, r in self._flow.resources.items()}
        text = json.dumps([spec.type, spec.inputs, resources], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _as_json(step: Step, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs as they will be read back, so that a resumed run sees the same."""
    if set(outputs) != set(step.outputs):
        raise TypeError(f"promised the outputs {sorted(step.outputs)}, gave {sorted(outputs)}")
    restored: dict[str, Any] = json.loads(json.dumps(dict(outputs)))
    return restored


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(f"{p.path} {p.message}" for p in problems_of(error, "inputs"))
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, (OSError, ValueError, RuntimeError)) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}"
