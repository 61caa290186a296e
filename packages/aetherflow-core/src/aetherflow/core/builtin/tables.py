"""Steps between CSV files and database tables."""

import csv
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from aetherflow.core.builtin.connectors import Sqlite
from aetherflow.core.builtin.output import written_whole
from aetherflow.core.extension import Step, StepResult

_ColumnType = Literal["text", "integer", "real"]


def _bindable(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise ValueError("must be text, a number or null")


_Parameter = Annotated[Any, AfterValidator(_bindable)]
_CONVERT: Mapping[_ColumnType, Callable[[str], Any]] = {"text": str, "integer": int, "real": float}


class CsvToTable(Step):
    """Load a CSV file with a header line into a database table.

    Inputs:
        source: The CSV file, in UTF-8.
        database: Where the table is.
        table: The name of the table.
        mode: `replace` makes the table anew; `append` adds to it.
        types: `integer` or `real` for columns that are not text; there, an empty field is NULL.
        delimiter: The character between two fields.
    """

    outputs = ("rows", "columns")
    source: Path
    database: Sqlite
    table: str = Field(min_length=1)
    mode: Literal["replace", "append"] = "replace"
    types: dict[str, _ColumnType] = {}
    delimiter: str = Field(",", min_length=1, max_length=1)

    def run(self) -> StepResult:
        """Return the number of rows loaded and the names of the columns."""
        with (
            self.source.open(encoding="utf-8-sig", newline="") as file,
            self.database.change() as db,
        ):
            lines = csv.reader(file, delimiter=self.delimiter, strict=True)
            try:
                columns = self._columns(next(lines, []))
                rows = self._load(db, columns, self._rows(lines, columns))
            except (csv.Error, UnicodeDecodeError) as error:
                raise ValueError(f"{self.source}, line {lines.line_num}: {error}") from error
        return StepResult({"rows": rows, "columns": columns})

    def _columns(self, header: list[str]) -> list[str]:
        if not header or not all(header):
            raise ValueError(f"{self.source}, line 1: needs a header that names every column")
        for names, what in ((header, "two columns"), (self.types, "no column")):
            for name in names:
                count = header.count(name)
                if count > 1 or (not count and what == "no column"):
                    raise ValueError(f"{self.source}, line 1: {what} with the name '{name}'")
        return header

    def _rows(self, lines: Any, columns: list[str]) -> Iterator[list[Any]]:
        types: list[_ColumnType] = [self.types.get(name, "text") for name in columns]
        for line in lines:
            if not line:  # an empty line
                continue
            where = f"{self.source}, line {lines.line_num}"
            if len(line) != len(columns):
                raise ValueError(f"{where}: {len(line)} fields under {len(columns)} columns")
            try:
                yield [
                    None if text == "" and kind != "text" else _CONVERT[kind](text)
                    for text, kind in zip(line, types, strict=True)
                ]
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from error

    def _load(self, db: sqlite3.Connection, columns: list[str], rows: Iterable[list[Any]]) -> int:
        table = _quoted(self.table)
        names = ", ".join(map(_quoted, columns))
        if self.mode == "replace":
            db.execute(f"DROP TABLE IF EXISTS {table}")
        declared = ", ".join(f"{_quoted(c)} {self.types.get(c, 'text').upper()}" for c in columns)
        db.execute(f"CREATE TABLE IF NOT EXISTS {table} ({declared})")
        marks = ", ".join("?" * len(columns))
        return db.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows).rowcount


class QueryToCsv(Step):
    """Write the result of an SQL query to a CSV file; the query can change nothing.

    Inputs:
        database: What to ask.
        query: One SQL query. Values belong into `parameters`, never into its text.
        parameters: A value for each `:name` in the query.
        target: The CSV file, replaced if it is there; UTF-8, with a header line.
    """

    outputs = ("path", "rows")
    database: Sqlite
    query: str
    parameters: dict[str, _Parameter] = {}
    target: Path

    def run(self) -> StepResult:
        """Return the path of the CSV file and the number of rows below its header."""
        with self.database.read() as db, written_whole(self.target) as draft:
            cursor = db.execute(self.query, self.parameters)
            if cursor.description is None:
                raise ValueError("the query has no result")
            with draft.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(column[0] for column in cursor.description)
                rows = 0
                for row in cursor:
                    writer.writerow(row)
                    rows += 1
        return StepResult({"path": str(self.target), "rows": rows})


def _quoted(name: str) -> str:
    """Return a table's or a column's name as SQL writes it, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'
