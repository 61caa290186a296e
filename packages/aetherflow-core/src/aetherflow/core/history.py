"""What became of the runs of a flow, read from its state file without disturbing a run."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from aetherflow.core.errors import NothingToResume, RunFailed
from aetherflow.core.lock import is_locked
from aetherflow.core.state import VERSION, lock_file, logs_folder, unusable

Outcome = Literal["done", "failed", "interrupted", "running"]


@dataclass(frozen=True)
class StepRecord:
    """What is remembered of a step.

    Attributes:
        job: Name of its job.
        step: Its id.
        outcome: How it ended; `interrupted` if the run ended first.
        started: When its last attempt began; ISO 8601, in UTC.
        seconds: How long that took; None if it did not end.
        attempts: How often it was tried.
        error: Why it failed; None if it did not.
        log: Its log.
    """

    job: str
    step: str
    outcome: Outcome
    started: str
    seconds: float | None
    attempts: int
    error: str | None
    log: Path


@dataclass(frozen=True)
class RunRecord:
    """What is remembered of a run.

    Attributes:
        run: Its number.
        flow: Name of the flow.
        job: The one job that was run; None for all.
        parameters: The values of the parameters, by name.
        outcome: How it ended; `interrupted` also if it was killed.
        started: When it began; ISO 8601, in UTC.
        seconds: From then to its end, or to now; None if it was killed.
        error: Why it failed; None if it did not.
        steps: Its steps, in the order in which they began.
    """

    run: int
    flow: str
    job: str | None
    parameters: dict[str, Any]
    outcome: Outcome
    started: str
    seconds: float | None
    error: str | None
    steps: list[StepRecord] = field(default_factory=list)


def read_runs(state: Path, limit: int | None = None) -> list[RunRecord]:
    """Return the runs that a state file remembers, the last one first.

    Args:
        state: The file; if it does not exist, there are none.
        limit: At most that many.

    Raises:
        RunFailed: The file cannot be read.
    """
    if not state.exists():
        return []
    running = is_locked(lock_file(state))
    with _opened(state) as db:
        if db is None:
            return []
        runs = db.execute("SELECT * FROM run ORDER BY id DESC LIMIT ?", (limit or -1,)).fetchall()
        return [_run(db, state, row, running) for row in runs]


def run_to_resume(state: Path, job: str | None, run: int | None) -> RunRecord:
    """Return the run that can be resumed.

    Args:
        state: The file that remembers the runs.
        job: The one job that was run; None for all.
        run: The number of the run; None for the last one of that job.

    Raises:
        NothingToResume: There is no such run, or it is done.
        RunFailed: The file cannot be read.
    """
    what = f"job `{job}`" if job else "this flow"
    for record in read_runs(state):
        if record.job == job and run in {None, record.run}:
            if record.outcome == "done":
                which = f"run {run}" if run else f"the last run of {what}"
                raise NothingToResume(f"nothing to resume: {which} is finished")
            return record
    which = f"{what} has no run {run}" if run else f"{what} has not been run yet"
    raise NothingToResume(f"nothing to resume: {which}")


@contextmanager
def _opened(state: Path) -> Iterator[sqlite3.Connection | None]:
    """Lend the database; None if a run was killed before it had made the tables."""
    try:
        # Not read-only: after a crash, SQLite may first have to roll back what was half written.
        with closing(sqlite3.connect(state, timeout=30, isolation_level=None)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version not in {0, VERSION}:
                raise RunFailed(f"{state} was written by another version of AetherFlow")
            db.row_factory = sqlite3.Row
            yield db if version else None
    except sqlite3.Error as error:
        raise unusable(state, error) from error


def _run(db: sqlite3.Connection, state: Path, row: sqlite3.Row, running: bool) -> RunRecord:
    steps = db.execute("SELECT * FROM step WHERE run = ? ORDER BY started, rowid", (row["id"],))
    outcome: Outcome = row["outcome"] or ("running" if running else "interrupted")
    end = row["finished"] or (
        datetime.now(timezone.utc).isoformat() if outcome == "running" else None
    )
    return RunRecord(
        run=row["id"],
        flow=row["flow"],
        job=row["job"],
        parameters=json.loads(row["parameters"]),
        outcome=outcome,
        started=row["started"],
        seconds=_seconds(row["started"], end) if end else None,
        error=row["error"],
        steps=[_step(step, outcome, logs_folder(state, row["id"])) for step in steps],
    )


def _step(row: sqlite3.Row, run_outcome: Outcome, logs: Path) -> StepRecord:
    unfinished: Outcome = "running" if run_outcome == "running" else "interrupted"
    return StepRecord(
        job=row["job"],
        step=row["step"],
        outcome=row["outcome"] or unfinished,
        started=row["started"],
        seconds=row["seconds"],
        attempts=row["attempts"],
        error=row["error"],
        log=logs / f"{row['job']}.{row['step']}.log",
    )


def _seconds(start: str, end: str) -> float:
    elapsed = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return round(elapsed.total_seconds(), 3)
