"""A lock on a file that dies with the process that holds it, on every operating system.

SQLite's own: an open transaction on an otherwise empty database.
"""

import sqlite3
from contextlib import closing
from pathlib import Path


class Locked(Exception):
    """Another process, or another thread of this one, holds the lock."""


class Lock:
    """A lock that is held from the moment it is made until it is released."""

    def __init__(self, file: Path, *, shared: bool = False) -> None:
        """Take the lock.

        Args:
            file: The file that stands for it; made if need be, and left behind.
            shared: Whether others that share it may hold it at the same time.

        Raises:
            Locked: It is held by another.
            OSError: The file cannot be made.
            sqlite3.Error: The file cannot be used.
        """
        file.parent.mkdir(parents=True, exist_ok=True)
        # Not 0: `is_locked` may hold it for a moment.
        self._db = sqlite3.connect(
            file, timeout=0.25, isolation_level=None, check_same_thread=False
        )
        try:
            if shared:
                self._db.execute("BEGIN")
                self._db.execute("SELECT count(*) FROM sqlite_master").fetchall()
            else:
                self._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._db.close()
            if "locked" in str(error):
                raise Locked(str(file)) from error
            raise
        except sqlite3.Error:
            self._db.close()
            raise

    def release(self) -> None:
        """Let go of the lock."""
        self._db.close()


def is_locked(file: Path) -> bool:
    """Return whether somebody holds the lock; nothing is made."""
    if not file.exists():
        return False
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as db:
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            return True
    return False
