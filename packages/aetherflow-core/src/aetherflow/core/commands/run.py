"""`aetherflow run`: checks a flow, then runs it, and shows how it goes."""

import argparse
import json
import os
import shlex
import signal
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aetherflow.core.engine import RunRequest, RunResult, execute
from aetherflow.core.errors import FlowError, InvalidDocument, Problem, RunFailed, StepFailed, count
from aetherflow.core.events import Listener, log_event
from aetherflow.core.history import RunRecord, read_runs
from aetherflow.core.logs import StepOutput
from aetherflow.core.state import default_state


def perform(arguments: argparse.Namespace) -> int:
    """Run a flow and print what became of it."""
    _interrupt_on_signals()
    request = RunRequest(
        file=arguments.flow,
        job=arguments.job,
        resume=arguments.resume,
        state=arguments.state or default_state(arguments.flow.absolute()),
        parameters=dict(arguments.set),
        jobs=arguments.jobs,
        run=arguments.run,
        overlap=False,
    )
    if not request.resume:
        _tell_of_interrupted_run(arguments, request)
    if arguments.json:
        return _run_for_json(arguments, request)
    try:
        result = _shown(arguments, request)
    except KeyboardInterrupt:
        print(f"interrupted\n{_resume_hint(arguments)}", file=sys.stderr)
        return 130
    except StepFailed as error:
        print(f"error: {error}", file=sys.stderr)
        if error.log:
            print(f"log: {_short(error.log)}", file=sys.stderr)
        print(_resume_hint(arguments), file=sys.stderr)
        return 1
    counts = f"{count(result.executed, 'step')} run, {result.restored} done before"
    skipped = [job for job, status in result.jobs.items() if status == "skipped"]
    note = f"; skipped: {', '.join(skipped)}" if skipped else ""
    print(f"{result.flow}, run {result.run}: done; {counts}{note}")
    return 0


def _shown(arguments: argparse.Namespace, request: RunRequest) -> RunResult:
    """Run the flow, with a live view on a terminal and plain lines elsewhere."""
    if not _wants_live(arguments.progress):
        return _with_stdout_kept(request, log_event)
    from aetherflow.core.live import LiveView

    with LiveView() as view:
        return _with_stdout_kept(request, view.on_event)


def _with_stdout_kept(request: RunRequest, listener: Listener) -> RunResult:
    """Run the flow while what steps print goes to their logs: stdout is for the result."""
    with redirect_stdout(StepOutput(sys.stdout)):
        return execute(request, listener)


def _wants_live(progress: str) -> bool:
    if progress == "auto":
        return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return progress == "live"


def _run_for_json(arguments: argparse.Namespace, request: RunRequest) -> int:
    """Run the flow and print one JSON object, whatever becomes of it."""
    report: dict[str, Any] = {"flow": str(request.file), "run": None, "outcome": "refused"}
    report |= {"seconds": None, "jobs": {}, "steps": [], "outputs": {}, "error": None}
    report["problems"] = []
    status = 0
    ran = True
    try:
        result = _shown(arguments, request)
        report.update(jobs=result.jobs, outputs=result.outputs)
    except InvalidDocument as error:
        status, ran = 2, False
        report.update(problems=[asdict(problem) for problem in error.problems])
    except RunFailed as error:
        status, ran = 1, isinstance(error, StepFailed)
        report.update(error=str(error), outcome="failed")
    except FlowError as error:
        status, ran = 2, False
        report.update(problems=[asdict(Problem("", str(error)))])
    except KeyboardInterrupt:
        status = 130
        report.update(error="interrupted", outcome="interrupted")
    if ran:
        report |= _recorded(request)
    print(json.dumps(report, indent=2))
    return status


def _recorded(request: RunRequest) -> dict[str, Any]:
    for record in read_runs(request.state):
        if record.job == request.job and request.run in {None, record.run}:
            return {
                "run": record.run,
                "outcome": record.outcome,
                "seconds": record.seconds,
                "steps": [{**asdict(step), "log": str(step.log)} for step in record.steps],
            }
    return {}


def _tell_of_interrupted_run(arguments: argparse.Namespace, request: RunRequest) -> None:
    """Say on stderr that the last run did not reach its end and could be resumed instead."""
    try:
        records = [run for run in read_runs(request.state) if run.job == request.job]
    except RunFailed:  # the run itself will say so
        return
    last: RunRecord | None = records[0] if records else None
    if last is None or last.outcome in {"done", "running"}:
        return
    done = sum(step.outcome == "done" for step in last.steps)
    how = "failed" if last.outcome == "failed" else "was interrupted"
    print(
        f"note: run {last.run} {how} after {count(done, 'step')}; this is a new run\n"
        f"{_resume_hint(arguments, last.run)}",
        file=sys.stderr,
    )


def _resume_hint(arguments: argparse.Namespace, run: int | None = None) -> str:
    command = ["aetherflow", "run", str(arguments.flow), "--resume"]
    for option, value in (("--run", run), ("--job", arguments.job), ("--state", arguments.state)):
        if value is not None:
            command += [option, str(value)]
    what = f"continues run {run}" if run else "continues after the last finished step"
    return f"hint: `{shlex.join(command)}` {what}"


def _short(path: Path) -> str:
    """Return a path as it is typed here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _interrupt_on_signals() -> None:
    """Let SIGTERM, and a terminal that closes, end the run as Ctrl-C does."""
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)  # unless `nohup` has it ignored


def _interrupt(*_: object) -> None:
    """End like Ctrl-C does, so that the steps are stopped and the end is recorded."""
    raise KeyboardInterrupt
