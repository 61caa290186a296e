"""Running a flow: jobs as soon as what they depend on is done, several at once if allowed."""

import queue
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from aetherflow.core.attempt import StepRunner, fingerprint
from aetherflow.core.check import CheckedFlow, check_flow
from aetherflow.core.control import Cancelled
from aetherflow.core.errors import InvalidDocument, Problem, StepFailed, did_you_mean
from aetherflow.core.events import Event, Listener, log_event
from aetherflow.core.expression import Expression
from aetherflow.core.history import RunRecord, run_to_resume
from aetherflow.core.logs import step_logs
from aetherflow.core.model import StepSpec
from aetherflow.core.order import dependencies
from aetherflow.core.state import RunState, default_state

_LOOK_EVERY = 0.5
"""Seconds between two looks at whether a step is late."""

_LATE_AT_MOST = 5.0
"""Seconds after its timeout at which a step that does not stop is given up."""

_STOPPING_AT_MOST = 5.0
"""Seconds that steps are given to stop when the run is interrupted."""

Status = Literal["done", "skipped"]


@dataclass
class RunResult:
    """What became of a run.

    Attributes:
        run: Number of the run, counted for each flow document from 1.
        flow: Name of the flow.
        jobs: What became of each job, in the order in which they ended.
        executed: Number of steps that ran now.
        restored: Number of steps that an earlier, interrupted attempt had finished.
        outputs: What each step handed on, by `JOB.STEP.OUTPUT`.
        logs: The folder with the logs of the steps.
    """

    run: int
    flow: str
    jobs: dict[str, Status] = field(default_factory=dict)
    executed: int = 0
    restored: int = 0
    outputs: dict[str, Any] = field(default_factory=dict)
    logs: Path = field(default_factory=Path)


def run_flow(
    path: str | Path,
    *,
    job: str | None = None,
    resume: bool = False,
    state: str | Path | None = None,
    parameters: Mapping[str, Any] | None = None,
    jobs: int = 1,
    run: int | None = None,
    overlap: bool = False,
) -> RunResult:
    """Check a flow, then run it.

    Progress goes to the logger `aetherflow.core`.

    Args:
        path: The YAML file.
        job: Run this job and the jobs it depends on; None runs all.
        resume: Take up the last run, which did not reach its end, after its last finished steps.
            A step that the document describes differently by now runs again, and so does all that
            builds on it. The parameters are those of the run.
        state: The SQLite file that remembers the runs; `.aetherflow/NAME.sqlite3` beside the
            document unless given, where NAME is the document's file name.
        parameters: Values for the parameters of the flow, by name.
        jobs: How many independent jobs run at the same time, at most.
        run: With `resume`, the number of the run to take up instead of the last one.
        overlap: Whether another run of the flow that says so, too, may go on at the same time.

    Raises:
        InvalidDocument: The document is refused, lacks that job or a parameter; nothing has run.
        NothingToResume: There is no interrupted run; nothing has run.
        StepFailed: A step failed; what was finished before is recorded.
        RunFailed: The state cannot be kept, or another run of this flow is in progress.
        ValueError: `jobs` is less than 1.
    """
    request = RunRequest(
        file=Path(path),
        job=job,
        resume=resume,
        state=Path(state) if state else default_state(Path(path).absolute()),
        parameters=parameters or {},
        jobs=jobs,
        run=run,
        overlap=overlap,
    )
    return execute(request, log_event)


@dataclass(frozen=True)
class RunRequest:
    """The arguments of `run_flow`; see there."""

    file: Path
    job: str | None
    resume: bool
    state: Path
    parameters: Mapping[str, Any]
    jobs: int
    run: int | None
    overlap: bool

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            ValueError: `jobs` is less than 1.
        """
        if self.jobs < 1:
            raise ValueError(f"`jobs` must be at least 1, not {self.jobs}")


def execute(request: RunRequest, listener: Listener) -> RunResult:
    """Check a flow, then run it, and tell `listener` what happens; see `run_flow`."""
    earlier = run_to_resume(request.state, request.job, request.run) if request.resume else None
    given = _parameters_again(request, earlier) if earlier else request.parameters
    checked = check_flow(
        request.file,
        given,
        complete=True,
        files=earlier is None,  # steps that are done may have moved what they read
        ignore_unknown=earlier is not None,
    )
    jobs = checked.flow.jobs
    if request.job is not None and request.job not in jobs:
        hint = did_you_mean(request.job, jobs)
        raise InvalidDocument(request.file, [Problem("jobs", f"no job `{request.job}`{hint}")])
    values = {name: checked.values[f"parameters.{name}"] for name in checked.flow.parameters}
    state = RunState(
        request.state.absolute(),
        checked.flow.name,
        request.job,
        values,
        resume=earlier.run if earlier else None,
        overlap=request.overlap,
    )
    with state, step_logs():
        return _Run(checked, state, request, listener).run()


def _parameters_again(request: RunRequest, earlier: RunRecord) -> Mapping[str, Any]:
    """Return the parameters of the run that is resumed.

    Raises:
        InvalidDocument: The request has others.
    """
    kept = earlier.parameters
    problems = [
        Problem(
            f"parameters.{name}",
            f"run {earlier.run} has `{kept.get(name)}`; a resumed run keeps its parameters",
        )
        for name, value in request.parameters.items()
        if str(kept.get(name)).lower() != str(value).lower()  # `value` may be from a command line
    ]
    if problems:
        raise InvalidDocument(request.file, problems)
    return earlier.parameters


@dataclass
class _JobEnd:
    """How a job ended: with a status, or with an error."""

    job: str
    status: Status = "done"
    executed: int = 0
    restored: int = 0
    error: BaseException | None = None


class _Run:
    def __init__(
        self, checked: CheckedFlow, state: RunState, request: RunRequest, listener: Listener
    ) -> None:
        self._checked = checked
        self._jobs = checked.flow.jobs
        self._scope = checked.scope()
        self._state = state
        self._request = request
        self._listener = listener
        self._resources = {name: spec.model_dump() for name, spec in checked.flow.resources.items()}
        self._values: dict[str, Any] = dict(checked.values)
        self._ended: queue.SimpleQueue[_JobEnd] = queue.SimpleQueue()
        self._running: dict[str, StepRunner] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._ends: dict[str, _JobEnd] = {}
        self._no_more = threading.Event()  # no new step starts
        self._cancel = threading.Event()  # the running steps stop as well

    def run(self) -> RunResult:
        try:
            self._run_jobs()
        except BaseException as error:
            self._stop()
            failed = isinstance(error, Exception)
            self._state.finish("failed" if failed else "interrupted", str(error) or None)
            raise
        self._state.finish("done")
        return self._result()

    def _run_jobs(self) -> None:
        """Run all jobs.

        Raises:
            RunFailed: A step failed; the steps that were running then have ended.
        """
        graph = TopologicalSorter(dependencies(self._jobs, self._request.job))
        graph.prepare()
        ready: deque[str] = deque()
        failure: BaseException | None = None
        while True:
            ready.extend(graph.get_ready())
            while ready and len(self._running) < self._request.jobs and not failure:
                self._start(ready.popleft())
            if not self._running:
                break
            end = self._next_end()
            del self._running[end.job]
            self._ends[end.job] = end
            if end.error is None:
                graph.done(end.job)
            elif failure is None and not isinstance(end.error, Cancelled):
                failure = end.error
                self._no_more.set()
        if failure:
            raise failure

    def _start(self, job: str) -> None:
        runner = StepRunner(
            job,
            self._scope,
            self._state,
            self._tell,
            cancel=self._cancel,
            no_more=self._no_more,
        )
        self._running[job] = runner
        thread = threading.Thread(
            target=self._job, args=(job, runner), name=f"aetherflow {job}", daemon=True
        )
        self._threads[job] = thread
        thread.start()

    def _next_end(self) -> _JobEnd:
        while True:
            self._give_up_late_steps()
            try:
                # A limit also lets Ctrl-C through where waiting for a lock cannot be interrupted.
                return self._ended.get(timeout=_LOOK_EVERY)
            except queue.Empty:
                continue

    def _give_up_late_steps(self) -> None:
        """Fail the run because of a step that goes on long after its timeout.

        A thread cannot be ended from outside: the step is left behind, and not retried.

        Raises:
            StepFailed: There is such a step.
        """
        for job, runner in self._running.items():
            control = runner.control
            left = control.left() if control else None
            if control and left is not None and left < -_LATE_AT_MOST:
                reason = f"took longer than its timeout of {control.timeout:g} s, and does not stop"
                seconds = round((control.timeout or 0) - left, 3)
                self._state.step_failed(job, runner.step, seconds, reason)
                self._tell(Event("failed", job, runner.step, seconds, reason))
                del self._threads[job]
                raise StepFailed(job, runner.step, reason, control.log)

    def _stop(self) -> None:
        """Have all steps stop, and wait for that, but not for long."""
        self._no_more.set()
        self._cancel.set()
        end = time.monotonic() + _STOPPING_AT_MOST
        for thread in self._threads.values():
            thread.join(max(0.0, end - time.monotonic()))

    def _tell(self, event: Event) -> None:
        self._listener(replace(event, flow=self._checked.flow.name))

    def _job(self, job: str, runner: StepRunner) -> None:
        """Run a job, on a thread of its own."""
        end = _JobEnd(job)
        try:
            if self._wanted(job):
                self._steps(job, runner, end)
            else:
                end.status = "skipped"
                self._tell(Event("skipped", job))
        except BaseException as error:  # it is raised again on the thread that waits
            end.error = error
        self._ended.put(end)

    def _steps(self, job: str, runner: StepRunner, end: _JobEnd) -> None:
        restoring = self._request.resume and all(
            not self._ends[other].executed for other in self._jobs[job].depends_on
        )
        for spec in self._jobs[job].steps:
            if self._no_more.is_set():
                raise Cancelled
            digest = fingerprint(spec, self._resources)
            outputs = self._state.outputs_of(job, spec.id, digest) if restoring else None
            if outputs is None:
                restoring = False  # what comes later was built on what now runs again
                outputs = runner.run(spec, self._values, digest)
                end.executed += 1
            else:
                end.restored += 1
                self._tell(Event("restored", job, spec.id))
            self._values.update(_named(job, spec, outputs))

    def _wanted(self, job: str) -> bool:
        """Return whether a job runs: after a skipped job none does, for it lacks the outputs."""
        spec = self._jobs[job]
        if any(self._ends[other].status == "skipped" for other in spec.depends_on):
            return False
        try:
            return spec.when is None or Expression(spec.when).evaluate(self._values)
        except ValueError as error:
            raise StepFailed(job, None, f"`{spec.when}`: {error}") from error

    def _result(self) -> RunResult:
        ends = self._ends.values()
        outside = self._checked.values
        return RunResult(
            run=self._state.run,
            flow=self._checked.flow.name,
            jobs={end.job: end.status for end in ends},
            executed=sum(end.executed for end in ends),
            restored=sum(end.restored for end in ends),
            outputs={name: value for name, value in self._values.items() if name not in outside},
            logs=self._state.logs,
        )


def _named(job: str, spec: StepSpec, outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{job}.{spec.id}.{name}": value for name, value in outputs.items()}
