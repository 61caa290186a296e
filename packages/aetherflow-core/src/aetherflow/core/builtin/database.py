"""What the table steps need of a database, whichever it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from aetherflow.core.extension import Connector

ColumnType = Literal["text", "integer", "real"]

ROWS_AT_ONCE = 1000
"""Rows that are held in memory together; results and files are read in portions of this size."""


@dataclass(frozen=True)
class Table:
    """A table to load.

    Attributes:
        name: Its name, not quoted.
        columns: The type of each column by name, in the order of the fields of a row.
        replace: Whether a table of that name is dropped first.
    """

    name: str
    columns: Mapping[str, ColumnType]
    replace: bool


@dataclass(frozen=True)
class Result:
    """The result of a query, read as it is iterated.

    Attributes:
        columns: The names of the columns.
        rows: The rows; valid only while the query is open.
    """

    columns: Sequence[str]
    rows: Iterator[Sequence[Any]]


class Database(Connector, ABC):
    """A database that tables are loaded into and queried from."""

    @abstractmethod
    def query(self, query: str, parameters: Mapping[str, Any]) -> AbstractContextManager[Result]:
        """Run one query that only reads.

        Raises:
            ValueError: The database refuses the query, or the query could change something.
            OSError: The database is missing or cannot be reached.
        """

    @abstractmethod
    def load(self, table: Table, rows: Iterable[Sequence[Any]]) -> int:
        """Load rows into a table, all of them or none, and return their number.

        Raises:
            ValueError: The database refuses them.
            OSError: The database cannot be made or reached.
        """

    def query_problem(self, query: str, parameters: Mapping[str, Any]) -> str | None:
        """Return what is wrong with a query, as far as it shows without the database."""
        return None

    def file(self) -> Path | None:
        """Return the file that is the database, if it is one."""
        return None
