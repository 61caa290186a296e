"""The connector for SQLite. A query can only read: SQLite itself refuses everything else."""

import errno
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from pydantic import Field

from aetherflow.core.builtin.database import Database, Result, Table
from aetherflow.core.control import checkpoint, must_stop

_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
_WAIT = 60.0
"""Seconds that a step waits while another one changes the same database."""

_INSTRUCTIONS = 10_000
"""Instructions of SQLite's machine, less than a millisecond's worth, between two looks."""

_FORBIDDEN_FUNCTIONS = frozenset({"load_extension", "fts3_tokenizer"})
_READING_PRAGMAS = frozenset(
    {
        "database_list",
        "foreign_key_list",
        "index_info",
        "index_list",
        "index_xinfo",
        "table_info",
        "table_list",
        "table_xinfo",
    }
)
_TABLE_FUNCTIONS = (
    "json_each('[]')",
    "json_tree('[]')",
    *(f"pragma_{name}" for name in sorted(_READING_PRAGMAS)),
)

_READ_ONLY = "the query may only read: use SELECT, VALUES or WITH"
_IN_OUR_WORDS = {
    "authorization denied": _READ_ONLY,
    "incomplete input": "the query is incomplete",
    "not authorized": _READ_ONLY,
}
_NOT_CODE = re.compile(
    r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|$)""", re.DOTALL
)
"""Text, quoted names and comments, in which `:name` is not a parameter."""

_BEGINNING = re.compile(r"\s*(?:select|values|with)\b", re.IGNORECASE)
_PARAMETER = re.compile(r"[:@$]([A-Za-z_]\w*)")


class Sqlite(Database):
    """An SQLite database file."""

    path: Path = Field(description="The file; made by the first step that writes to it.")

    @contextmanager
    def query(self, query: str, parameters: Mapping[str, Any]) -> Iterator[Result]:
        """Run one query that only reads; see `Database.query`.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: SQLite refuses the query, or it could change something.
        """
        with self.read() as db:
            _check(db, query, parameters)
            cursor = db.execute(query, dict(parameters))
            yield Result([column[0] for column in cursor.description], cursor)

    def load(self, table: Table, rows: Iterable[Sequence[Any]]) -> int:
        """Load rows into a table, all of them or none; see `Database.load`."""
        name = _quoted(table.name)
        columns = ", ".join(map(_quoted, table.columns))
        declared = ", ".join(f"{_quoted(c)} {kind.upper()}" for c, kind in table.columns.items())
        marks = ", ".join("?" * len(table.columns))
        with self.change() as db:
            if table.replace:
                db.execute(f"DROP TABLE IF EXISTS {name}")
            db.execute(f"CREATE TABLE IF NOT EXISTS {name} ({declared})")
            insert = f"INSERT INTO {name} ({columns}) VALUES ({marks})"
            return db.executemany(insert, rows).rowcount

    def query_problem(self, query: str, parameters: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a query, apart from names, which only the database knows."""
        with closing(sqlite3.connect(":memory:")) as db:
            _only_reading(db)
            try:
                _check(db, query, parameters)
            except (ValueError, sqlite3.Error, sqlite3.Warning) as error:
                text = str(error)
                return None if text.startswith("no such ") else text
        return None

    def file(self) -> Path:
        """Return the database file."""
        return self.path

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Open the database so that nothing can be changed through it, nor any file made.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: SQLite refuses what is done inside; the message begins with the file.
        """
        if not self.path.exists():
            raise FileNotFoundError(errno.ENOENT, "no such database", str(self.path))
        address = f"{self.path.resolve().as_uri()}?mode=ro"
        with (
            self._named_errors(),
            closing(sqlite3.connect(address, timeout=_wait(), uri=True)) as db,
        ):
            _only_reading(db)
            db.set_progress_handler(must_stop, _INSTRUCTIONS)
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
            closing(sqlite3.connect(self.path, timeout=_wait(), isolation_level=None)) as db,
        ):
            db.execute("BEGIN IMMEDIATE")
            db.set_progress_handler(must_stop, _INSTRUCTIONS)
            yield db
            db.execute("COMMIT")  # otherwise, closing rolls everything back

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning) as error:
            checkpoint()  # if the step has to stop, that is what interrupted SQLite
            raise ValueError(f"{self.path}: {error}") from error


def _wait() -> float:
    """Return the seconds to wait for another job that changes the database."""
    left = checkpoint()
    return _WAIT if left is None else min(left, _WAIT)


def _only_reading(db: sqlite3.Connection) -> None:
    """Make SQLite refuse everything but reading, on this connection."""
    for function in _TABLE_FUNCTIONS:
        # SQLite sets a table-valued function up when it is first used, by statements that the
        # authorizer would refuse. An old SQLite does not know all of them.
        try:
            db.execute(f"SELECT 1 FROM {function} LIMIT 0")
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
    db.set_authorizer(_admit)


def _admit(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    allowed = (
        action in _READING
        or (action == sqlite3.SQLITE_FUNCTION and second not in _FORBIDDEN_FUNCTIONS)
        or (action == sqlite3.SQLITE_PRAGMA and first in _READING_PRAGMAS)
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _check(db: sqlite3.Connection, query: str, parameters: Mapping[str, Any]) -> None:
    """Have SQLite compile a query without running it.

    Raises:
        ValueError: It does not only read, or lacks a parameter.
        sqlite3.Error: SQLite refuses it for another reason.
    """
    code = _NOT_CODE.sub(" ", query)
    if code.strip(" \t\r\n;") and not _BEGINNING.match(code):
        raise ValueError(_READ_ONLY)
    names = dict.fromkeys(_PARAMETER.findall(code))
    missing = [f"`:{name}`" for name in names if name not in parameters]
    if missing:
        raise ValueError(f"the query uses {', '.join(missing)}, which `parameters` does not give")
    try:
        plan = db.execute(f"EXPLAIN {query}", {**names, **parameters}).fetchall()
    except OverflowError as error:
        raise ValueError("a parameter is too large for SQLite: at most 64 bits") from error
    except sqlite3.DatabaseError as error:
        message = str(error)
        if message in _IN_OUR_WORDS:
            raise ValueError(_IN_OUR_WORDS[message]) from error
        if message.startswith("Binding"):
            raise ValueError("the query uses `?`: write `:name` for a value") from error
        raise
    # What has no result is not a query; SQLite asks the authorizer only when it runs VACUUM.
    if not any(instruction[1] == "ResultRow" for instruction in plan):
        raise ValueError(_READ_ONLY)


def _quoted(name: str) -> str:
    """Return a table's or a column's name as SQL writes it, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'
