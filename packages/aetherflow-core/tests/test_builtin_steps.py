"""The built-in steps, each by itself, on real files, databases and programs."""

import os
import sqlite3
import subprocess
import sys
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from aetherflow.core.builtin.archive import ZipFiles
from aetherflow.core.builtin.files import CopyFile, GlobFiles, MoveFile
from aetherflow.core.builtin.folder import LocalFolder
from aetherflow.core.builtin.output import written_whole
from aetherflow.core.builtin.process import RunProcess
from aetherflow.core.builtin.sqlite import Sqlite
from aetherflow.core.builtin.tables import CsvToTable, QueryToCsv


@pytest.fixture
def database(tmp_path):
    return Sqlite(path=tmp_path / "made" / "store.db")


@pytest.fixture
def folder(tmp_path):
    return LocalFolder(path=tmp_path / "box")


def rows(database, query):
    with database.read() as db:
        return db.execute(query).fetchall()


class TestCsvToTable:
    def test_loads_typed_columns_and_tells_what_it_loaded(self, write, database):
        source = write('\ufeffday,"a ""b""",n\n1,x,2\n\n"2\n3",,\n', "a.csv")
        step = CsvToTable(source=source, database=database, table='t"1', types={"n": "integer"})
        assert step.run().outputs == {"rows": 2, "columns": ["day", 'a "b"', "n"]}
        assert rows(database, 'SELECT * FROM "t""1"') == [("1", "x", 2), ("2\n3", "", None)]

    def test_replaces_or_appends(self, write, database):
        source = write("a\n1\n", "a.csv")
        for mode, expected in [("replace", 1), ("append", 2), ("replace", 1)]:
            CsvToTable(source=source, database=database, table="t", mode=mode).run()
            assert rows(database, "SELECT count(*) FROM t") == [(expected,)]

    def test_a_header_alone_makes_an_empty_table(self, write, database):
        step = CsvToTable(source=write("a\n", "a.csv"), database=database, table="t")
        assert step.run().outputs["rows"] == 0
        assert rows(database, "SELECT * FROM t") == []

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "line 1: expected a header"),
            ("a,\n", "line 1: expected a header"),
            ("a,a\n", "line 1: two columns with the name `a`"),
            ("b\n", "line 1: no column `a`, which `types` names"),
            ("a,b\n1,2\n3\n", "line 3: 1 fields under 2 columns"),
            ("a\n1\nx\n", "line 3: expected a whole number, found `x`"),
            ('a\n"1', "line 2: unexpected end of data"),
        ],
    )
    def test_a_bad_line_is_named_and_the_table_stays_as_it_was(
        self, write, database, text, message
    ):
        good = write("a\n7\n", "good.csv")
        CsvToTable(source=good, database=database, table="t").run()
        bad = write(text, "bad.csv")
        step = CsvToTable(source=bad, database=database, table="t", types={"a": "integer"})
        with pytest.raises(ValueError) as caught:
            step.run()
        assert str(caught.value).startswith(f"{bad}, {message}")
        assert rows(database, "SELECT a FROM t") == [("7",)]

    @pytest.mark.parametrize(
        ("encoding", "content"),
        [
            ("utf-8", "n\nKäse\n".encode()),
            ("UTF-8", b"\xef\xbb\xbf" + "n\nKäse\n".encode()),
            ("latin-1", "n\nKäse\n".encode("latin-1")),
            ("cp1252", "n\nKäse\n".encode("cp1252")),
            ("utf-16", "n\nKäse\n".encode("utf-16")),
        ],
    )
    def test_reads_other_encodings(self, database, tmp_path, encoding, content):
        source = tmp_path / "a.csv"
        source.write_bytes(content)
        CsvToTable(source=source, database=database, table="t", encoding=encoding).run()
        assert rows(database, "SELECT n FROM t") == [("Käse",)]

    def test_the_wrong_encoding_is_named(self, database, tmp_path):
        source = tmp_path / "a.csv"
        source.write_bytes("n\nKäse\n".encode("latin-1"))
        message = "not utf-8 text; set `encoding` to what the file is written in$"
        with pytest.raises(ValueError, match=message):
            CsvToTable(source=source, database=database, table="t").run()

    @pytest.mark.parametrize("encoding", ["utf-9", "hex", "", "a\0b"])
    def test_an_encoding_has_to_exist(self, database, tmp_path, encoding):
        with pytest.raises(ValueError, match="unknown encoding"):
            CsvToTable(source=tmp_path, database=database, table="t", encoding=encoding)


class TestQueryToCsv:
    def test_writes_other_encodings_and_delimiters(self, filled, tmp_path):
        target = tmp_path / "r.csv"
        query = "SELECT 'Käse' AS a, 1 AS b"
        QueryToCsv(
            database=filled, query=query, target=target, encoding="utf-8-sig", delimiter=";"
        ).run()
        assert target.read_bytes() == b"\xef\xbb\xbfa;b\nK\xc3\xa4se;1\n"

    @pytest.fixture
    def filled(self, write, database):
        source = write("a,b\n1,x\n2,\n", "a.csv")
        CsvToTable(source=source, database=database, table="t", types={"a": "integer"}).run()
        return database

    def test_writes_the_result_below_a_header(self, filled, tmp_path):
        target = tmp_path / "new" / "r.csv"
        query = "SELECT a AS n, b FROM t WHERE a >= :least ORDER BY a"
        step = QueryToCsv(database=filled, query=query, parameters={"least": 1}, target=target)
        assert step.run().outputs == {"path": str(target), "rows": 2}
        assert target.read_bytes() == b"n,b\n1,x\n2,\n"

    @pytest.mark.parametrize(
        ("query", "message"),
        [
            ("DELETE FROM t", "the query may only read: use SELECT, VALUES or WITH$"),
            ("SELECT * FROM nowhere", "no such table: nowhere"),
            ("SELECT 1; SELECT 2", "one statement at a time"),
            ("-- nothing", "the query is incomplete"),
        ],
    )
    def test_a_refused_query_leaves_the_old_result(self, filled, tmp_path, query, message):
        target = tmp_path / "out" / "r.csv"
        target.parent.mkdir()
        target.write_text("old")
        with pytest.raises(ValueError, match=message):
            QueryToCsv(database=filled, query=query, target=target).run()
        assert target.read_text() == "old"
        assert list(target.parent.iterdir()) == [target]
        assert rows(filled, "SELECT count(*) FROM t") == [(2,)]

    def test_a_missing_database_is_not_made(self, database, tmp_path):
        with pytest.raises(FileNotFoundError, match="no such database"):
            QueryToCsv(database=database, query="SELECT 1", target=tmp_path / "r.csv").run()
        assert not database.path.exists()

    def test_a_parameter_is_never_part_of_the_query(self, filled, tmp_path):
        target = tmp_path / "r.csv"
        QueryToCsv(
            database=filled,
            query="SELECT count(*) FROM t WHERE b = :b",
            parameters={"b": "x' OR '1'='1"},
            target=target,
        ).run()
        assert target.read_text().splitlines()[1] == "0"

    def test_a_parameter_must_be_a_scalar(self, filled, tmp_path):
        with pytest.raises(ValueError, match="expected text, a number or null"):
            QueryToCsv(database=filled, query="x", parameters={"a": [1]}, target=tmp_path / "r")


class TestFiles:
    def test_copy_keeps_the_source_and_its_mode(self, write, folder):
        source = write("hello", "a.sh")
        source.chmod(0o750)
        path = Path(CopyFile(source=source, folder=folder).run().outputs["path"])
        assert path == folder.path.resolve() / "a.sh"
        assert path.read_text() == source.read_text() == "hello"
        if os.name == "posix":
            assert path.stat().st_mode & 0o777 == 0o750

    def test_move_takes_the_source_away(self, write, folder):
        source = write("hello", "a.txt")
        path = MoveFile(source=source, folder=folder, name="deep/b.txt").run().outputs["path"]
        assert Path(path).read_text() == "hello"
        assert not source.exists()

    @pytest.mark.parametrize("name", ["../out.txt", "deep/../../out.txt", ".", "/etc/out.txt"])
    @pytest.mark.parametrize("kind", [CopyFile, MoveFile])
    def test_no_name_leads_out_of_the_folder(self, write, folder, kind, name):
        source = write("hello", "a.txt")
        with pytest.raises(ValueError, match="leads out of the folder"):
            kind(source=source, folder=folder, name=name).run()
        assert source.read_text() == "hello"

    def test_a_missing_source_leaves_the_old_copy(self, tmp_path, folder):
        folder.path.mkdir()
        (folder.path / "a.txt").write_text("old")
        with pytest.raises(FileNotFoundError):
            CopyFile(source=tmp_path / "a.txt", folder=folder).run()
        assert [file.read_text() for file in folder.path.iterdir()] == ["old"]

    def test_glob_lists_files_sorted_and_no_folders(self, write, folder):
        for name in ("b.csv", "a.csv", "sub/c.csv", "d.txt"):
            write("", f"box/{name}")
        (folder.path / "folder.csv").mkdir()
        found = GlobFiles(folder=folder, pattern="**/*.csv").run().outputs
        assert [Path(path).name for path in found["paths"]] == ["a.csv", "b.csv", "c.csv"]
        assert found["count"] == 3

    def test_glob_can_insist_on_a_match(self, folder):
        assert GlobFiles(folder=folder, pattern="*").run().outputs == {"paths": [], "count": 0}
        with pytest.raises(ValueError, match=r"no file in .* matches `x`"):
            GlobFiles(folder=folder, pattern="x", required=True).run()


class TestZipFiles:
    def test_packs_by_name(self, write, tmp_path):
        files = [write("1", "x/b.txt"), write("2", "y/a.txt")]
        os.utime(files[0], (0, 0))  # 1970, before the time of zip
        step = ZipFiles(files=files, target=tmp_path / "new" / "z.zip")
        assert step.run().outputs == {"path": str(tmp_path / "new" / "z.zip"), "count": 2}
        with zipfile.ZipFile(tmp_path / "new" / "z.zip") as archive:
            assert archive.namelist() == ["a.txt", "b.txt"]
            assert archive.read("b.txt") == b"1"

    def test_two_files_of_one_name_are_refused(self, write, tmp_path):
        files = [write("1", "x/a.txt"), write("2", "y/a.txt")]
        with pytest.raises(ValueError, match=r"two files have the name `a\.txt`"):
            ZipFiles(files=files, target=tmp_path / "z.zip").run()

    def test_a_folder_is_packed_with_all_that_is_in_it(self, write, tmp_path):
        write("1", "x/a/1.txt")
        write("2", "x/a/deep/2.txt")
        write("3", "x/3.txt")
        target = tmp_path / "z.zip"

        def names(**inputs):
            count = ZipFiles(target=target, **inputs).run().outputs["count"]
            with zipfile.ZipFile(target) as archive:
                assert len(archive.namelist()) == count
                return archive.namelist()

        x = tmp_path / "x"
        assert names(files=[x / "a", x / "3.txt"]) == ["3.txt", "a/1.txt", "a/deep/2.txt"]
        assert names(files=[x]) == ["x/3.txt", "x/a/1.txt", "x/a/deep/2.txt"]
        assert names(files=[x], root=x) == ["3.txt", "a/1.txt", "a/deep/2.txt"]
        assert names(files=[x / "a" / "1.txt", x / "a" / "deep"], root=x) == [
            "a/1.txt",
            "a/deep/2.txt",
        ]

    def test_an_archive_does_not_pack_itself(self, write, tmp_path):
        write("1", "x/1.txt")
        step = ZipFiles(files=[tmp_path / "x"], target=tmp_path / "x" / "all.zip")
        assert [step.run().outputs["count"] for _ in range(2)] == [1, 1]

    def test_names_stay_below_the_root(self, write, tmp_path):
        file = write("1", "x/1.txt")
        with pytest.raises(ValueError, match=r"x/1\.txt is not in the folder .*, which `root`"):
            ZipFiles(files=[file], root=tmp_path / "y", target=tmp_path / "z.zip").run()

    @pytest.mark.skipif(os.name != "posix", reason="links need no privilege only on POSIX")
    def test_a_link_out_of_a_packed_folder_is_refused(self, write, tmp_path):
        write("1", "x/1.txt")
        (tmp_path / "x" / "link").symlink_to(write("secret", "outside.txt"))
        with pytest.raises(ValueError, match="is a link that leads out of the folder"):
            ZipFiles(files=[tmp_path / "x"], target=tmp_path / "z.zip").run()
        assert not (tmp_path / "z.zip").exists()

    def test_a_missing_file_leaves_no_half_archive(self, write, tmp_path):
        files = [write("1", "in/a.txt"), tmp_path / "in" / "b.txt"]
        with pytest.raises(FileNotFoundError):
            ZipFiles(files=files, target=tmp_path / "out" / "z.zip").run()
        assert list((tmp_path / "out").iterdir()) == []


class TestRunProcess:
    def python(self, code, **inputs):
        return RunProcess(command=[sys.executable, "-c", code], **inputs)

    def test_hands_on_what_is_printed(self):
        code = "import sys; print('out', end=''); print('err', file=sys.stderr, end='')"
        assert self.python(code).run().outputs == {
            "stdout": "out",
            "stderr": "err",
            "stdout_file": None,
            "stderr_file": None,
        }

    def test_arguments_are_not_for_a_shell(self):
        step = RunProcess(
            command=[sys.executable, "-c", "import sys; print(sys.argv[1:])", "$A; b"]
        )
        assert step.run().outputs["stdout"].strip() == "['$A; b']"

    def test_environment_is_added_and_the_folder_set(self, tmp_path, monkeypatch):
        monkeypatch.setenv("KEPT", "1")
        code = "import os; print(os.environ['KEPT'], os.environ['NEW'], os.getcwd())"
        outputs = self.python(code, env={"NEW": "2"}, cwd=tmp_path).run().outputs
        assert outputs["stdout"].strip() == f"1 2 {tmp_path.resolve()}"

    def test_another_exit_status_than_0_is_an_error_that_quotes_stderr(self):
        code = "import sys; print('it broke', file=sys.stderr); sys.exit(3)"
        with pytest.raises(RuntimeError, match=r"ended with exit status 3: it broke$"):
            self.python(code).run()

    def test_a_missing_program_is_an_error(self):
        with pytest.raises(FileNotFoundError):
            RunProcess(command=["no-such-program-anywhere"]).run()

    def test_output_that_is_no_text_does_not_break_it(self):
        code = r"import sys; sys.stdout.buffer.write(b'\xff')"
        assert self.python(code).run().outputs["stdout"] == "\ufffd"

    @pytest.mark.skipif(os.name != "posix", reason="process groups")
    def test_after_the_timeout_all_that_it_started_is_dead(self, tmp_path):
        pulse = tmp_path / "pulse"
        child = f"""if True:
            import time
            while True:
                with open({str(pulse)!r}, "a") as file:
                    file.write(".")
                time.sleep(0.02)
        """
        code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
        with pytest.raises(RuntimeError, match=r"took longer than its timeout of 3 s$"):
            self.python(code, timeout=3).run()
        beats = pulse.stat().st_size
        time.sleep(0.3)
        assert pulse.stat().st_size == beats

    @pytest.mark.parametrize("timeout", [0, -1])
    def test_a_timeout_is_a_time(self, timeout):
        with pytest.raises(ValueError, match="greater than 0"):
            self.python("", timeout=timeout)


@pytest.mark.skipif(os.name != "posix", reason="drafts of the dead are removed on POSIX only")
def test_what_a_killed_process_left_is_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f".x.csv.{dead.pid}-0123abcd"
    alive = tmp_path / f".x.csv.{os.getpid()}-0123abcd"
    others = [tmp_path / ".x.csv.backup-1", tmp_path / f".y.csv.{dead.pid}-0123abcd"]
    for path in (left, alive, *others):
        path.write_text("")
    with written_whole(tmp_path / "x.csv") as draft:
        draft.write_text("new")
    assert (tmp_path / "x.csv").read_text() == "new"
    assert not left.exists()
    assert all(path.exists() for path in (alive, *others))


def test_an_invalid_database_is_named(write, tmp_path):
    path = write("this is not a database, " * 100, "x.db")
    source = write("a\n", "a.csv")
    with pytest.raises(ValueError, match=r"x\.db: file is not a database"):
        CsvToTable(source=source, database=Sqlite(path=path), table="t").run()


def test_what_fails_half_way_is_rolled_back(database):
    with pytest.raises(ZeroDivisionError), database.change() as db:
        db.execute("CREATE TABLE t (a)")
        raise ZeroDivisionError
    with closing(sqlite3.connect(database.path)) as db:
        assert db.execute("SELECT * FROM sqlite_master").fetchall() == []
