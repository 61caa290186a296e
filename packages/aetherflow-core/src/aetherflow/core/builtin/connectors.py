"""The built-in connectors: a folder of the local file system, and an SQLite database."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from aetherflow.core.extension import Connector


class LocalFolder(Connector):
    """A folder on this machine; what a step does with it stays inside."""

    path: Path

    def inside(self, name: str) -> Path:
        """Return the path of a file in the folder.

        Raises:
            ValueError: The name leads out of the folder.
        """
        root = self.path.resolve()
        path = (root / name).resolve()
        if root not in path.parents:
            raise ValueError(f"'{name}' is not inside the folder {self.path}")
        return path


class Sqlite(Connector):
    """An SQLite database file."""

    path: Path

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Open the database so that nothing can change it.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: SQLite refuses what is done inside; the message begins with the file.
        """
        if not self.path.exists():
            raise FileNotFoundError(2, "no such database", str(self.path))
        address = f"{self.path.resolve().as_uri()}?mode=ro"
        with self._named_errors(), closing(sqlite3.connect(address, uri=True)) as db:
            yield db

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Open the database, made if need be, for changes that happen all together or not at all.

        Raises:
            OSError: The folder of the database cannot be made.
            ValueError: SQLite refuses what is done inside; the message begins with the file.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (
            self._named_errors(),
            closing(sqlite3.connect(self.path, isolation_level=None)) as db,
        ):
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")  # otherwise, closing rolls everything back

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise ValueError(f"{self.path}: {error}") from error
