"""Steps between CSV files and database tables. Rows pass through in portions, however many."""

import codecs
import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from aetherflow.core.builtin.database import ROWS_AT_ONCE, ColumnType, Database, Table
from aetherflow.core.builtin.output import written_whole
from aetherflow.core.extension import Preview, Step, StepResult


def _bindable(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise ValueError("expected text, a number or null")


def _encoding(name: str) -> str:
    try:
        "".encode(name)  # refuses also what is a codec, but not one of text, such as `hex`
    except (LookupError, ValueError) as error:
        raise ValueError(
            f"unknown encoding `{name}`: expected `utf-8`, `latin-1`, `cp1252` or another that "
            "Python knows"
        ) from error
    return name


_Parameter = Annotated[Any, AfterValidator(_bindable)]
_Encoding = Annotated[str, AfterValidator(_encoding)]
_CONVERT: Mapping[ColumnType, Callable[[str], Any]] = {"text": str, "integer": int, "real": float}
_EXPECTED: Mapping[ColumnType, str] = {
    "text": "text",
    "integer": "a whole number",
    "real": "a number",
}


class CsvToTable(Step):
    """Load a CSV file with a header line into a database table."""

    outputs = ("rows", "columns")
    source: Path = Field(description="The CSV file.")
    database: Database = Field(description="Where the table is.")
    table: str = Field(min_length=1, description="The name of the table.")
    mode: Literal["replace", "append"] = Field(
        "replace", description="`replace` makes the table anew, `append` adds to it."
    )
    types: dict[str, ColumnType] = Field(
        {},
        description="`integer` or `real` for columns that are not text; an empty field there "
        "is NULL.",
    )
    delimiter: str = Field(
        ",", min_length=1, max_length=1, description="The character between two fields."
    )
    encoding: _Encoding = Field(
        "utf-8", description="The encoding of the file; a byte order mark is skipped."
    )

    def run(self) -> StepResult:
        """Return the number of rows loaded and the names of the columns."""
        encoding = "utf-8-sig" if codecs.lookup(self.encoding).name == "utf-8" else self.encoding
        with self.source.open(encoding=encoding, newline="") as file:
            lines = csv.reader(file, delimiter=self.delimiter, strict=True)
            try:
                columns = self._columns(next(lines, []))
                kinds = {name: self.types.get(name, "text") for name in columns}
                table = Table(self.table, kinds, replace=self.mode == "replace")
                rows = self.database.load(table, self._rows(lines, list(kinds.values())))
            except csv.Error as error:
                raise ValueError(f"{self.source}, line {lines.line_num}: {error}") from error
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{self.source}, after line {lines.line_num}: not {self.encoding} text; "
                    "set `encoding` to what the file is written in"
                ) from error
        return StepResult({"rows": rows, "columns": columns})

    def preview(self) -> Preview:
        """Return the file that is read and the one that is written."""
        file = self.database.file()
        return Preview(reads={"source": (self.source,)}, writes=(file,) if file else ())

    def _columns(self, header: list[str]) -> list[str]:
        where = f"{self.source}, line 1"
        if not header or not all(header):
            raise ValueError(f"{where}: expected a header that names every column")
        for name in header:
            if header.count(name) > 1:
                raise ValueError(f"{where}: two columns with the name `{name}`")
        for name in self.types:
            if name not in header:
                raise ValueError(f"{where}: no column `{name}`, which `types` names")
        return header

    def _rows(self, lines: Any, kinds: list[ColumnType]) -> Iterator[list[Any]]:
        for number, line in enumerate(lines):
            if number % ROWS_AT_ONCE == 0:
                self.checkpoint()
            if not line:  # an empty line
                continue
            if len(line) != len(kinds):
                raise ValueError(
                    f"{self.source}, line {lines.line_num}: "
                    f"{len(line)} fields under {len(kinds)} columns"
                )
            yield [
                self._value(text, kind, lines.line_num)
                for text, kind in zip(line, kinds, strict=True)
            ]

    def _value(self, text: str, kind: ColumnType, line: int) -> Any:
        if text == "" and kind != "text":
            return None
        try:
            return _CONVERT[kind](text)
        except ValueError as error:
            expected = _EXPECTED[kind]
            raise ValueError(
                f"{self.source}, line {line}: expected {expected}, found `{text}`"
            ) from error


class QueryToCsv(Step):
    """Write the result of an SQL query to a CSV file; the query cannot change anything."""

    outputs = ("path", "rows")
    database: Database = Field(description="What to query.")
    query: str = Field(
        min_length=1,
        description="One SQL query. Values belong in `parameters`, never in its text.",
    )
    parameters: dict[str, _Parameter] = Field(
        {},
        description="A value for each `:name` in the query; PostgreSQL writes it `%(name)s`.",
    )
    target: Path = Field(description="The CSV file, with a header line; replaced if it exists.")
    delimiter: str = Field(
        ",", min_length=1, max_length=1, description="The character between two fields."
    )
    encoding: _Encoding = Field(
        "utf-8", description="The encoding of the file; Excel likes `utf-8-sig`."
    )

    def run(self) -> StepResult:
        """Return the path of the CSV file and the number of rows below its header."""
        rows = 0
        with (
            self.database.query(self.query, self.parameters) as result,
            written_whole(self.target) as draft,
            draft.open("w", encoding=self.encoding, newline="") as file,
        ):
            writer = csv.writer(file, delimiter=self.delimiter, lineterminator="\n")
            writer.writerow(result.columns)
            for row in result.rows:
                if rows % ROWS_AT_ONCE == 0:
                    self.checkpoint()
                writer.writerow(row)
                rows += 1
        return StepResult({"path": str(self.target), "rows": rows})

    def preview(self) -> Preview:
        """Return the files that are read and written, and what is wrong with the query."""
        file = self.database.file()
        problem = self.database.query_problem(self.query, self.parameters)
        return Preview(
            reads={"database": (file,)} if file else {},
            writes=(self.target,),
            problems={"query": problem} if problem else {},
        )
