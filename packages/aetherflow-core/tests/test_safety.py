"""What the steps promise not to do: a query changes nothing, a folder is a border."""

import os
import sqlite3
import sys
from contextlib import closing

import pytest

from aetherflow.core.builtin.files import CopyFile, GlobFiles, MoveFile
from aetherflow.core.builtin.folder import LocalFolder
from aetherflow.core.builtin.sqlite import Sqlite
from aetherflow.core.builtin.tables import QueryToCsv

links = pytest.mark.skipif(os.name != "posix", reason="links need no privilege only on POSIX")


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "store" / "store.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE t (a INTEGER, b TEXT)")
        db.execute("CREATE INDEX i ON t (a)")
        db.execute("INSERT INTO t VALUES (1, '[1, 2]')")
    return Sqlite(path=path)


def ask(database, query, tmp_path):
    target = tmp_path / "out.csv"
    QueryToCsv(database=database, query=query, target=target).run()
    return target.read_text().splitlines()[1:]


@pytest.mark.parametrize(
    "query",
    [
        "ATTACH DATABASE '{made}' AS z",
        "VACUUM",
        "VACUUM INTO '{made}'",
        "PRAGMA user_version = 3",
        "PRAGMA journal_mode = WAL",
        "PRAGMA writable_schema = 1",
        "PRAGMA temp_store_directory = '{made}'",
        "SELECT load_extension('{made}')",
        "SELECT fts3_tokenizer('simple', x'00')",
        "INSERT INTO t VALUES (1, 'x') RETURNING a",
        "UPDATE t SET a = 2",
        "DELETE FROM t",
        "REPLACE INTO t VALUES (1, 'x')",
        "CREATE TABLE z (a)",
        "CREATE TEMP TABLE z (a)",
        "CREATE VIRTUAL TABLE z USING fts5 (a)",
        "DROP TABLE t",
        "ALTER TABLE t ADD COLUMN c",
        "REINDEX",
        "ANALYZE",
        "BEGIN IMMEDIATE",
        "SAVEPOINT s",
        "DETACH main",
        "SELECT 1; ATTACH DATABASE '{made}' AS z",
        "EXPLAIN SELECT 1",
        "",
        "-- nothing",
    ],
)
def test_a_query_that_is_not_one_is_refused_and_leaves_no_trace(database, tmp_path, query):
    before = database.path.read_bytes()
    query = query.format(made=tmp_path / "made")
    step = QueryToCsv.model_construct(
        database=database, query=query, parameters={}, target=tmp_path / "out.csv"
    )
    with pytest.raises(ValueError):
        step.run()
    assert database.query_problem(query, {}), "validate finds it, too"
    assert database.path.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"store"}
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["store.db"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT a FROM t", ["1"]),
        ("VALUES (1), (2)", ["1", "2"]),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3) "
         "SELECT i FROM n", ["1", "2", "3"]),
        ("SELECT value FROM t, json_each(t.b)", ["1", "2"]),
        ("SELECT name FROM pragma_table_info('t')", ["a", "b"]),
        ("SELECT name FROM sqlite_master WHERE type = 'table'", ["t"]),
        ("SELECT upper(b) || ' :no' FROM t -- :neither", ['"[1, 2] :no"']),
        ("SELECT count(*) FROM t;", ["1"]),
    ],
)  # fmt: skip
def test_what_only_reads_is_admitted(database, tmp_path, query, rows):
    assert ask(database, query, tmp_path) == rows
    assert database.query_problem(query, {}) is None


def test_the_query_is_checked_before_it_runs(database, tmp_path):
    # It would take years, if it ran.
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(ValueError, match="the query uses `:x`"):
        ask(database, f"{endless} WHERE i <> :x", tmp_path)


@pytest.fixture
def box(tmp_path):
    (tmp_path / "box").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("secret")
    (tmp_path / "in.csv").write_text("new")
    return LocalFolder(path=tmp_path / "box")


@links
@pytest.mark.parametrize("kind", [CopyFile, MoveFile])
@pytest.mark.parametrize("name", ["link/secret.csv", "file.csv", "link", "link/../../x.csv"])
def test_nothing_is_put_through_a_link_that_leads_out(box, tmp_path, kind, name):
    (box.path / "link").symlink_to(tmp_path / "outside")
    (box.path / "file.csv").symlink_to(tmp_path / "outside" / "secret.csv")
    with pytest.raises(ValueError, match="leads out of the folder"):
        kind(source=tmp_path / "in.csv", folder=box, name=name).run()
    assert (tmp_path / "outside" / "secret.csv").read_text() == "secret"
    assert (tmp_path / "in.csv").exists()


@links
@pytest.mark.parametrize("pattern", ["*.csv", "link/*.csv", "*/secret.csv"])
def test_nothing_is_listed_through_a_link_that_leads_out(box, tmp_path, pattern):
    (box.path / "link").symlink_to(tmp_path / "outside")
    (box.path / "file.csv").symlink_to(tmp_path / "outside" / "secret.csv")
    with pytest.raises(ValueError, match="leads out of the folder"):
        GlobFiles(folder=box, pattern=pattern).run()


@links
def test_a_link_inside_the_folder_is_as_good_as_a_file(box):
    (box.path / "a.csv").write_text("a")
    (box.path / "b.csv").symlink_to("a.csv")
    assert GlobFiles(folder=box, pattern="*.csv").run().outputs["count"] == 2


@links
def test_the_folder_itself_may_be_a_link(box, tmp_path):
    (tmp_path / "alias").symlink_to(box.path)
    alias = LocalFolder(path=tmp_path / "alias")
    CopyFile(source=tmp_path / "in.csv", folder=alias).run()
    assert (box.path / "in.csv").read_text() == "new"


NOISY = """
    name: noisy
    jobs:
      j:
        steps:
          - id: s
            type: run_process
            inputs:
              command: [PYTHON, -c, "import sys; sys.stdout.write('x' * 200000)"]
""".replace("PYTHON", sys.executable)


def test_a_long_output_is_kept_to_a_limit_and_whole_in_a_file(write, aetherflow, tmp_path):
    write(NOISY)
    done = aetherflow("run", "flow.yaml")
    assert done.returncode == 0
    whole = tmp_path / ".aetherflow" / "flow.yaml.logs" / "1" / "j.s.stdout"
    assert whole.stat().st_size == 200_000
    assert f"an output of the program is longer than 64 KiB; the rest is only in {whole}" in (
        done.stderr
    )
    with closing(sqlite3.connect(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")) as db:
        ((size,),) = db.execute("SELECT length(outputs) FROM step")
    assert size < 70_000


def test_a_secret_of_the_environment_is_not_recorded(write, aetherflow, tmp_path, monkeypatch):
    monkeypatch.setenv("AETHERFLOW_TEST_TOKEN", "hunter2")
    write("""
        name: secret
        env: { AETHERFLOW_TEST_TOKEN: {} }
        jobs:
          j:
            steps:
              - id: s
                type: run_process
                inputs: { command: ["true"], env: { TOKEN: "${env.AETHERFLOW_TEST_TOKEN}" } }
              - id: t
                type: run_process
                inputs: { command: ["false"] }
    """)
    done = aetherflow("run", "flow.yaml")
    assert done.returncode == 1
    assert "hunter2" not in done.stderr
    kept = [path for path in (tmp_path / ".aetherflow").rglob("*") if path.is_file()]
    assert len(kept) > 3
    assert not [path for path in kept if b"hunter2" in path.read_bytes()]


def test_a_secret_in_the_wrong_place_is_not_quoted(write, aetherflow, monkeypatch):
    monkeypatch.setenv("AETHERFLOW_TEST_TOKEN", "hunter2")
    write("""
        name: secret
        env: { AETHERFLOW_TEST_TOKEN: {} }
        jobs:
          j:
            steps:
              - id: s
                type: run_process
                inputs: { command: ["true"], timeout: "${env.AETHERFLOW_TEST_TOKEN}" }
    """)
    done = aetherflow("run", "flow.yaml")
    assert (done.returncode, done.stderr) == (
        2,
        "error: flow.yaml: jobs.j.steps[0].inputs.timeout: expected a number, found text\n",
    )


def test_a_token_with_a_line_break_is_not_quoted(write, server, aetherflow, tmp_path, monkeypatch):
    monkeypatch.setenv("AETHERFLOW_TEST_TOKEN", "hunter2\n")
    write("""
        name: secret
        parameters: { server: {} }
        env: { AETHERFLOW_TEST_TOKEN: {} }
        jobs:
          j:
            steps:
              - id: s
                type: http_request
                inputs:
                  url: ${parameters.server}/file
                  headers: { authorization: "Bearer ${env.AETHERFLOW_TEST_TOKEN}" }
    """)
    done = aetherflow("run", "flow.yaml", "--set", f"server={server.url}")
    assert done.returncode == 1
    assert "/file: invalid address or header\n" in done.stderr
    kept = [path for path in (tmp_path / ".aetherflow").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"hunter2" in path.read_bytes()]


def test_inputs_that_turn_out_wrong_are_not_logged(write, aetherflow, tmp_path, monkeypatch):
    monkeypatch.setenv("AETHERFLOW_TEST_TOKEN", "hunter2")
    write("""
        name: secret
        env: { AETHERFLOW_TEST_TOKEN: {} }
        jobs:
          j:
            steps:
              - { id: s, type: run_process, inputs: { command: [echo, soon] } }
              - id: t
                type: run_process
                inputs:
                  command: ["true"]
                  timeout: "${j.s.stdout}${env.AETHERFLOW_TEST_TOKEN}"
    """)
    done = aetherflow("run", "flow.yaml")
    assert done.returncode == 1
    assert "step `j.t` failed: `inputs.timeout`: expected a number, found text" in done.stderr
    log = tmp_path / ".aetherflow" / "flow.yaml.logs" / "1" / "j.t.log"
    assert "hunter2" not in log.read_text()


def test_a_secret_in_an_address_is_not_recorded(write, server, aetherflow, tmp_path, monkeypatch):
    monkeypatch.setenv("AETHERFLOW_TEST_TOKEN", "hunter2")
    write("""
        name: secret
        parameters: { server: {} }
        env: { AETHERFLOW_TEST_TOKEN: {} }
        jobs:
          j:
            steps:
              - id: s
                type: download
                inputs:
                  url: ${parameters.server}/file?a=${env.AETHERFLOW_TEST_TOKEN}
                  query: { token: "${env.AETHERFLOW_TEST_TOKEN}" }
                  headers: { authorization: "Bearer ${env.AETHERFLOW_TEST_TOKEN}" }
                  target: x
              - id: t
                type: http_request
                inputs: { url: "${parameters.server}/status/500?a=${env.AETHERFLOW_TEST_TOKEN}" }
    """)
    done = aetherflow("run", "flow.yaml", "--set", f"server={server.url}")
    assert done.returncode == 1
    assert "hunter2" not in done.stderr
    log = tmp_path / ".aetherflow" / "flow.yaml.logs" / "1" / "j.s.log"
    assert f"GET {server.url}/file: 200 OK\n" in log.read_text()
    kept = [path for path in (tmp_path / ".aetherflow").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"hunter2" in path.read_bytes()]
