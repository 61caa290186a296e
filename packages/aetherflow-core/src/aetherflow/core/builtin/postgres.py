"""The connector for PostgreSQL. psycopg is an extra, and is imported when a step connects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from aetherflow.core.builtin.database import ROWS_AT_ONCE, Database, Result, Table
from aetherflow.core.control import checkpoint

if TYPE_CHECKING:
    import psycopg

_CONNECT_WITHIN = 30
"""Seconds after which a server that does not answer counts as not there."""

_TYPES = {"text": "text", "integer": "bigint", "real": "double precision"}


class Postgres(Database):
    """A PostgreSQL database; needs `pip install 'aetherflow-core[postgres]'`."""

    dsn: str = Field(
        repr=False,
        description="How to connect, as libpq reads it: `postgresql://HOST/DATABASE` or "
        "`host=HOST dbname=DATABASE`. A password belongs in `${env.NAME}`, `PGPASSWORD` or "
        "`.pgpass`.",
    )

    @model_validator(mode="after")
    def _driver_is_there(self) -> "Postgres":
        if find_spec("psycopg") is None:
            raise ValueError(
                "needs psycopg, which is not installed: "
                "run `pip install 'aetherflow-core[postgres]'`"
            )
        return self

    @contextmanager
    def query(self, query: str, parameters: Mapping[str, Any]) -> Iterator[Result]:
        """Run one query that only reads; see `Database.query`.

        Raises:
            ValueError: PostgreSQL refuses the query, or it could change something.
            ConnectionError: The server cannot be reached.
        """
        if not parameters:
            query = query.replace("%", "%%")  # without a value to put in, `%` is just a character
        # A cursor on the server takes nothing but a query, and holds one portion of the rows.
        # With parameters, even an empty set of them, PostgreSQL refuses a second statement.
        with (
            self._connection(read_only=True) as connection,
            connection.cursor(name="aetherflow") as cursor,
        ):
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(query.encode(), dict(parameters))
            yield Result([column.name for column in cursor.description or ()], iter(cursor))
            # A read-only transaction does not keep every function from writing.
            connection.rollback()

    def load(self, table: Table, rows: Iterable[Sequence[Any]]) -> int:
        """Load rows into a table, all of them or none; see `Database.load`."""
        from psycopg import sql

        name = sql.Identifier(table.name)
        columns = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        declared = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_TYPES[kind]))
            for column, kind in table.columns.items()
        )
        count = 0
        with self._connection() as connection, connection.cursor() as cursor:
            if table.replace:
                cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name))
            cursor.execute(sql.SQL("CREATE TABLE IF NOT EXISTS {} ({})").format(name, declared))
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)) as copy:
                for count, row in enumerate(rows, 1):  # noqa: B007, what it ends at is returned
                    copy.write_row(row)
        return count

    @contextmanager
    def _connection(
        self, *, read_only: bool = False
    ) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        """Lend a connection whose changes take effect together, at the end, or not at all."""
        import psycopg.conninfo

        left = checkpoint()
        try:
            psycopg.conninfo.conninfo_to_dict(self.dsn)
        except psycopg.Error:
            # What it says quotes the text, with the password.
            raise ValueError("PostgreSQL: `dsn` is not a connection string") from None
        try:
            wait = _CONNECT_WITHIN if left is None else max(1, min(int(left), _CONNECT_WITHIN))
            connection = psycopg.connect(self.dsn, connect_timeout=wait)
        except psycopg.Error as error:
            raise ConnectionError(f"PostgreSQL: {_one_line(error)}") from error
        try:
            connection.read_only = read_only
            with connection:
                if left is not None:
                    connection.execute(f"SET statement_timeout = {max(1, int(left * 1000))}")
                yield connection
        except psycopg.Error as error:
            checkpoint()  # if no time is left, that is what stopped the statement
            raise ValueError(f"PostgreSQL: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
