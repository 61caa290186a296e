"""What is remembered of a run: which steps are done and what they handed on, in one SQLite file.

The file belongs to one flow document. While it is open, no other process can open it, so two
runs of one flow never overlap; the lock dies with the process that holds it.
"""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from aetherflow.core.errors import NothingToResume, RunFailed

_SCHEMA = """
CREATE TABLE IF NOT EXISTS run (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT,                                -- what --job said
    started TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')),
    finished TEXT                            -- NULL: running, failed or killed
);
CREATE TABLE IF NOT EXISTS step (
    run INTEGER NOT NULL REFERENCES run (id),
    job TEXT NOT NULL,
    step TEXT NOT NULL,
    fingerprint TEXT NOT NULL,               -- of what the flow said about the step
    outputs TEXT NOT NULL,                   -- a JSON object
    PRIMARY KEY (run, job, step)
);
"""


class RunState:
    """The state of one run, new or resumed. A context manager; the file is locked inside."""

    def __init__(self, file: Path, job: str | None, *, resume: bool) -> None:
        """Open the file and begin a run in it, or take up the last one.

        Args:
            file: The SQLite file; made if it is not there.
            job: The one job that was asked for; a run is resumed with the same.
            resume: Whether to take up the last run instead of beginning one.

        Raises:
            NothingToResume: There is no run, or the last one is finished.
            RunFailed: The file cannot be used, or another process is using it.
        """
        self._file = file
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(file, timeout=0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._lock()
            self.run = self._last_unfinished(job) if resume else self._begin(job)
        except sqlite3.Error as error:
            self._db.close()
            raise self._unusable(error) from error
        except NothingToResume:
            self._db.close()
            raise

    def __enter__(self) -> "RunState":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file, which lets go of the lock."""
        self._db.close()

    def outputs_of(self, job: str, step: str, fingerprint: str) -> dict[str, Any] | None:
        """Return what a finished step handed on; None if it is not done or was other then."""
        row = self._execute(
            "SELECT outputs FROM step WHERE run = ? AND job = ? AND step = ? AND fingerprint = ?",
            (self.run, job, step, fingerprint),
        ).fetchone()
        outputs: dict[str, Any] | None = json.loads(row[0]) if row else None
        return outputs

    def record(self, job: str, step: str, fingerprint: str, outputs: Mapping[str, Any]) -> None:
        """Remember, safely on disk, that a step is done.

        Raises:
            RunFailed: The file cannot be written.
        """
        self._execute(
            "INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?, ?)",
            (self.run, job, step, fingerprint, json.dumps(outputs)),
        )

    def finish(self) -> None:
        """Remember that the run has reached its end."""
        self._execute(
            "UPDATE run SET finished = strftime('%Y-%m-%dT%H:%M:%SZ', 'now') WHERE id = ?",
            (self.run,),
        )

    def _lock(self) -> None:
        # In this mode SQLite keeps the lock of the first write until the connection is closed.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("BEGIN IMMEDIATE")
        for statement in filter(str.strip, _SCHEMA.split(";")):
            self._db.execute(statement)
        self._db.execute("PRAGMA user_version = 1")  # a write, even if the tables are there
        self._db.execute("COMMIT")

    def _begin(self, job: str | None) -> int:
        run = self._db.execute("INSERT INTO run (job) VALUES (?)", (job,)).lastrowid
        assert run is not None
        return run

    def _last_unfinished(self, job: str | None) -> int:
        row = self._db.execute(
            "SELECT id, finished FROM run WHERE job IS ? ORDER BY id DESC LIMIT 1", (job,)
        ).fetchone()
        what = f"job '{job}'" if job else "this flow"
        if row is None:
            raise NothingToResume(f"nothing to resume: {what} has not been run yet")
        if row[1] is not None:
            raise NothingToResume(f"nothing to resume: the last run of {what} is finished")
        return int(row[0])

    def _execute(self, statement: str, values: tuple[Any, ...]) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> RunFailed:
        if "locked" in str(error):
            return RunFailed(f"another run of this flow is going on ({self._file} is locked)")
        return RunFailed(f"the state of the run cannot be kept in {self._file}: {error}")
