"""PostgreSQL, as a real server; skipped by name where none can be started."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aetherflow.core.api import run_flow
from aetherflow.core.builtin.postgres import Postgres
from aetherflow.core.builtin.tables import CsvToTable, QueryToCsv

psycopg = pytest.importorskip("psycopg", reason="needs psycopg: aetherflow-core[postgres]")


def _programs():
    """Return the folder with PostgreSQL's server programs, or None."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name)
    return folders[-1] if folders else None


def _as_user():
    """Return what lets a program run as somebody else than root, as which PostgreSQL refuses to."""
    if os.name != "posix" or os.geteuid() != 0:
        return {}
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return {"user": "postgres", "extra_groups": []} if "postgres" in names else None


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def dsn():
    """Start a server of our own on loopback and return how to connect to it."""
    programs, user = _programs(), _as_user()
    if programs is None or user is None:
        pytest.skip("needs a PostgreSQL server: initdb and postgres, and a user to run them")
    # Not pytest's own folder, which nobody but its owner can enter.
    with tempfile.TemporaryDirectory(prefix="aetherflow-postgres-") as folder:
        if user:
            shutil.chown(folder, user["user"])
        with _running(programs, Path(folder), user) as address:
            yield address


@contextmanager
def _running(programs, folder, user):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **user}
    data = folder / "data"
    initdb = [programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run(initdb, check=True, **quiet)
    port = _free_port()
    options = ["-c", "listen_addresses=127.0.0.1", "-p", str(port), "-k", "", "-F"]
    server = subprocess.Popen([programs / "postgres", "-D", data, *options], **quiet)
    address = f"postgresql://tester@127.0.0.1:{port}/postgres"
    try:
        _wait_for(server, address)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(server, address):
    end = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            assert server.poll() is None and time.monotonic() < end, "PostgreSQL did not start"
            time.sleep(0.1)


@pytest.fixture
def database(dsn):
    return Postgres(dsn=dsn)


def rows(dsn, query):
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def load(database, source, table, **inputs):
    return CsvToTable(source=source, database=database, table=table, **inputs).run().outputs


def test_a_file_is_loaded_and_queried(dsn, database, write, tmp_path):
    source = write('n,"b ""c"""\n1,x\n,100%\n3,"a\nb"\n', "a.csv")
    outputs = load(database, source, 'first "t"', types={"n": "integer"})
    assert outputs == {"rows": 3, "columns": ["n", 'b "c"']}
    target = tmp_path / "out.csv"
    step = QueryToCsv(
        database=database,
        query='SELECT * FROM "first ""t""" WHERE n >= %(least)s ORDER BY n',
        parameters={"least": 1},
        target=target,
    )
    assert step.run().outputs["rows"] == 2
    assert target.read_text() == 'n,"b ""c"""\n1,x\n3,"a\nb"\n'


def test_replace_and_append(dsn, database, write):
    source = write("n\n1\n", "a.csv")
    for mode, expected in [("replace", 1), ("append", 2), ("replace", 1)]:
        load(database, source, "second", mode=mode)
        assert rows(dsn, "SELECT count(*) FROM second") == [(expected,)]


def test_what_fails_half_way_leaves_the_table_as_it_was(dsn, database, write):
    load(database, write("n\n7\n", "good.csv"), "third", types={"n": "integer"})
    with pytest.raises(ValueError, match="line 3: expected a whole number, found `x`"):
        load(database, write("n\n1\nx\n", "bad.csv"), "third", types={"n": "integer"})
    assert rows(dsn, "SELECT n FROM third") == [(7,)]


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM fourth",
        "WITH gone AS (DELETE FROM fourth RETURNING 1) SELECT * FROM gone",
        "DROP TABLE fourth",
        "SELECT 1; COMMIT; DROP TABLE fourth",
        "COPY fourth TO PROGRAM 'true'",
        "SELECT nextval('s')",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
        "SELECT set_config('transaction_read_only', 'off', false), lo_create(12345)",
    ],
)
def test_a_query_changes_nothing(dsn, database, write, tmp_path, query):
    load(database, write("n\n1\n", "a.csv"), "fourth")
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE SEQUENCE IF NOT EXISTS s")
    with pytest.raises(ValueError, match=r"^PostgreSQL: "):
        QueryToCsv(database=database, query=query, target=tmp_path / "out.csv").run()
    assert not (tmp_path / "out.csv").exists()
    assert rows(dsn, "SELECT count(*) FROM fourth") == [(1,)]
    assert rows(dsn, "SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


def test_what_a_function_writes_is_rolled_back(dsn, database, tmp_path):
    query = "SELECT lo_create(54321)"  # before PostgreSQL 16, it does not mind
    with suppress(ValueError):
        QueryToCsv(database=database, query=query, target=tmp_path / "out.csv").run()
    assert rows(dsn, "SELECT count(*) FROM pg_largeobject_metadata") == [(0,)]


@pytest.mark.parametrize("parameters", [{}, {"like": "1%"}])
def test_a_percent_sign_is_just_a_character(database, write, tmp_path, parameters):
    load(database, write("n\n10\n20\n", "a.csv"), "fifth")
    query = "SELECT n FROM fifth WHERE n LIKE " + ("%(like)s" if parameters else "'1%'")
    step = QueryToCsv(
        database=database, query=query, parameters=parameters, target=tmp_path / "out.csv"
    )
    assert step.run().outputs["rows"] == 1


def test_a_server_that_is_not_there_fails_the_step(write):
    database = Postgres(dsn="host=127.0.0.1 port=1 dbname=x password=hunter2")
    with pytest.raises(ConnectionError, match=r"^PostgreSQL: ") as caught:
        load(database, write("n\n", "a.csv"), "t")
    assert "hunter2" not in str(caught.value)


def test_an_invalid_dsn_is_not_quoted(write):
    database = Postgres(dsn="hunter2 hunter3")
    with pytest.raises(ValueError, match="`dsn` is not a connection string") as caught:
        load(database, write("n\n", "a.csv"), "t")
    assert caught.value.__suppress_context__


def test_a_flow_with_a_timeout(dsn, write, monkeypatch, aetherflow):
    monkeypatch.setenv("AETHERFLOW_TEST_DSN", dsn)
    write("""
        name: slow
        env: { AETHERFLOW_TEST_DSN: {} }
        resources:
          db: { driver: postgres, config: { dsn: "${env.AETHERFLOW_TEST_DSN}" } }
        jobs:
          j:
            steps:
              - id: s
                type: query_to_csv
                timeout: 0.5
                inputs: { database: db, query: SELECT pg_sleep(20), target: out.csv }
    """)
    started = time.monotonic()
    done = aetherflow("run", "flow.yaml")
    assert done.returncode == 1
    assert "step `j.s` failed: took longer than its timeout of 0.5 s" in done.stderr
    assert time.monotonic() - started < 10


def test_a_large_result_passes_through_in_portions(database, write, tmp_path):
    target = tmp_path / "out.csv"
    query = "SELECT i, repeat('x', 100) FROM generate_series(1, 100000) AS i"
    step = QueryToCsv(database=database, query=query, target=target)
    assert step.run().outputs["rows"] == 100_000
    assert load(database, target, "large", types={"i": "integer"})["rows"] == 100_000


def test_a_run_in_a_flow(dsn, write, monkeypatch):
    monkeypatch.setenv("AETHERFLOW_TEST_DSN", dsn)
    write("n\n1\n2\n", "a.csv")
    flow = write("""
        name: pg
        env: { AETHERFLOW_TEST_DSN: {} }
        resources:
          db: { driver: postgres, config: { dsn: "${env.AETHERFLOW_TEST_DSN}" } }
        jobs:
          j:
            steps:
              - id: load
                type: csv_to_table
                inputs: { source: a.csv, database: db, table: sixth, types: { n: integer } }
              - id: sum
                type: query_to_csv
                inputs: { database: db, query: SELECT sum(n) FROM sixth, target: out.csv }
    """)
    assert run_flow(flow).outputs["j.sum.rows"] == 1
    assert flow.with_name("out.csv").read_text() == "sum\n3\n"
