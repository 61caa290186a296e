"""What is remembered of the runs of one flow document, in one SQLite file, while they run.

It says which steps are done and what they handed on, so that a run can be resumed, and how runs
ended, for `history` to read. A lock beside it keeps two runs of one flow from overlapping.
"""

import json
import shutil
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from aetherflow.core.errors import NothingToResume, RunFailed
from aetherflow.core.lock import Lock, Locked

Outcome = Literal["done", "failed", "interrupted"]

KEPT = 100
"""Runs whose record and logs are kept; older ones are deleted when a new run begins."""

VERSION = 2

_SCHEMA = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    flow TEXT NOT NULL,
    job TEXT,                                -- what --job said
    parameters TEXT NOT NULL,                -- a JSON object
    started TEXT NOT NULL,
    finished TEXT,                           -- NULL: running or killed
    outcome TEXT,                            -- likewise, else done, failed or interrupted
    error TEXT                               -- why it failed
);
CREATE TABLE step (
    run INTEGER NOT NULL REFERENCES run (id),
    job TEXT NOT NULL,
    step TEXT NOT NULL,
    fingerprint TEXT NOT NULL,               -- of what the flow said about the step
    outcome TEXT,                            -- NULL: running or killed, else done or failed
    outputs TEXT NOT NULL,                   -- a JSON object
    started TEXT NOT NULL,
    seconds REAL,                            -- of the last attempt
    attempts INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (run, job, step)
);
"""


def default_state(flow: Path) -> Path:
    """Return the file that remembers the runs of a flow document, unless another is named."""
    return flow.parent / ".aetherflow" / f"{flow.name}.sqlite3"


def lock_file(state: Path) -> Path:
    """Return the file that is locked while a flow runs."""
    return state.with_name(f"{state.name}.lock")


def logs_folder(state: Path, run: int) -> Path:
    """Return the folder with the logs of the steps of a run."""
    return state.with_name(f"{state.name.removesuffix('.sqlite3')}.logs") / str(run)


def unusable(state: Path, error: Exception) -> RunFailed:
    """Return the error for a state that cannot be read or written."""
    return RunFailed(f"cannot use the state file {state}: {error}")


class RunState:
    """The state of one run, new or resumed. A context manager; the flow is locked inside.

    Attributes:
        run: The number of the run.
        logs: The folder for the logs of its steps.
    """

    def __init__(
        self,
        file: Path,
        flow: str,
        job: str | None,
        parameters: Mapping[str, Any],
        *,
        resume: int | None = None,
        overlap: bool = False,
    ) -> None:
        """Open the file and begin a run in it, or take up an earlier one.

        Args:
            file: The SQLite file; made if it does not exist.
            flow: The name of the flow.
            job: The one job that is run; None for all.
            parameters: The values of the run, which a resumed run has again.
            resume: The number of the run to take up; None begins a new one.
            overlap: Whether other runs that say so, too, may go on at the same time.

        Raises:
            NothingToResume: The run to be resumed does not exist.
            RunFailed: The file cannot be used, or another run of the flow is in progress.
        """
        self._file = file
        self._mutex = threading.Lock()  # steps of several jobs report from their own threads
        try:
            self._lock = Lock(lock_file(file), shared=overlap)
        except Locked as error:
            raise RunFailed(
                f"another run of this flow is in progress ({file} is locked)"
            ) from error
        except (OSError, sqlite3.Error) as error:
            raise unusable(file, error) from error
        try:
            self._db = sqlite3.connect(
                file, timeout=30, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
                self.run = self._again(resume) if resume else self._begin(flow, job, parameters)
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            self._lock.release()
            raise unusable(file, error) from error
        except BaseException:
            self._lock.release()
            raise
        self.logs = logs_folder(file, self.run)

    def __enter__(self) -> "RunState":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file and let go of the lock."""
        with self._mutex:  # a step that was given up may still be reporting
            self._db.close()
        self._lock.release()

    def outputs_of(self, job: str, step: str, fingerprint: str) -> dict[str, Any] | None:
        """Return what a finished step handed on; None if it is not done or was other then."""
        row = self._execute(
            "SELECT outputs FROM step WHERE run = ? AND job = ? AND step = ? AND fingerprint = ?"
            " AND outcome = 'done'",
            (self.run, job, step, fingerprint),
        ).fetchone()
        outputs: dict[str, Any] | None = json.loads(row[0]) if row else None
        return outputs

    def step_started(self, job: str, step: str, fingerprint: str, attempt: int) -> None:
        """Remember that an attempt of a step has begun.

        Raises:
            RunFailed: The file cannot be written.
        """
        self._execute(
            "INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?, NULL, '{}', ?, NULL, ?, NULL)",
            (self.run, job, step, fingerprint, now(), attempt),
        )

    def step_done(self, job: str, step: str, seconds: float, outputs: Mapping[str, Any]) -> None:
        """Remember, safely on disk, that a step is done.

        Raises:
            RunFailed: The file cannot be written.
        """
        self._execute(
            "UPDATE step SET outcome = 'done', seconds = ?, outputs = ?"
            " WHERE run = ? AND job = ? AND step = ?",
            (seconds, json.dumps(outputs), self.run, job, step),
        )

    def step_failed(self, job: str, step: str, seconds: float, error: str) -> None:
        """Remember that an attempt of a step has failed, and why.

        Raises:
            RunFailed: The file cannot be written.
        """
        self._execute(
            "UPDATE step SET outcome = 'failed', seconds = ?, error = ?"
            " WHERE run = ? AND job = ? AND step = ?",
            (seconds, error, self.run, job, step),
        )

    def finish(self, outcome: Outcome, error: str | None = None) -> None:
        """Remember how the run has ended.

        Raises:
            RunFailed: The file cannot be written.
        """
        self._execute(
            "UPDATE run SET finished = ?, outcome = ?, error = ? WHERE id = ?",
            (now(), outcome, error, self.run),
        )

    def _prepare(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise RunFailed(f"{self._file} was written by a newer version of AetherFlow")
        if version < VERSION:
            for old in ("step", "run"):  # the tables of version 1 kept no history
                self._db.execute(f"DROP TABLE IF EXISTS {old}")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {VERSION}")
        self._db.execute("COMMIT")

    def _begin(self, flow: str, job: str | None, parameters: Mapping[str, Any]) -> int:
        run = self._db.execute(
            "INSERT INTO run (flow, job, parameters, started) VALUES (?, ?, ?, ?)",
            (flow, job, json.dumps(dict(parameters)), now()),
        ).lastrowid
        assert run is not None
        for (old,) in self._db.execute(
            "SELECT id FROM run WHERE id <= ?", (run - KEPT,)
        ).fetchall():
            with suppress(OSError):  # it may be open elsewhere, and is only a log
                shutil.rmtree(logs_folder(self._file, old))
            self._db.execute("DELETE FROM step WHERE run = ?", (old,))
            self._db.execute("DELETE FROM run WHERE id = ?", (old,))
        return run

    def _again(self, run: int) -> int:
        changed = self._db.execute(
            "UPDATE run SET finished = NULL, outcome = NULL, error = NULL"
            " WHERE id = ? AND outcome IS NOT 'done'",
            (run,),
        ).rowcount
        if not changed:
            raise NothingToResume(f"nothing to resume: run {run} is finished")
        return run

    def _execute(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            with self._mutex:
                return self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise unusable(self._file, error) from error


def now() -> str:
    """Return the time, in UTC, as it is kept."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
