"""What is wrong with a flow, one case for each kind: exit 2, the file, the place, the words.

Each case replaces a part of a good flow. `validate` and `run` say the same, and nothing runs.
"""

import pytest

GOOD = """\
name: good
parameters:
  day: { type: date, default: 2026-11-25 }
  limit: { type: integer }
env:
  AETHERFLOW_TEST_HOST: { default: localhost }
resources:
  store: { driver: sqlite, config: { path: store.db } }
  box: { driver: local, config: { path: box } }
jobs:
  load:
    steps:
      - id: csv
        type: csv_to_table
        inputs: { source: a.csv, database: store, table: t, types: { n: integer } }
      - id: fetch
        type: http_request
        retries: 2
        timeout: 10
        inputs: { url: "http://${env.AETHERFLOW_TEST_HOST}/x", accept: [404] }
  pack:
    depends_on: [load]
    when: load.csv.rows > 0
    steps:
      - id: find
        type: glob_files
        inputs: { folder: box, pattern: "*.csv" }
      - id: ask
        type: query_to_csv
        inputs:
          database: store
          query: SELECT * FROM t WHERE n > :n
          parameters: { n: "${parameters.limit}" }
          target: out/${load.csv.rows}.csv
      - id: zip
        type: zip_files
        inputs: { files: "${pack.find.paths}", target: out/a.zip }
      - id: run
        type: run_process
        inputs: { command: [echo, "${parameters.day}"], timeout: 5 }
"""

_CSV = "jobs.load.steps[0]"
_FETCH = "jobs.load.steps[1]"
_FIND = "jobs.pack.steps[0]"
_ASK = "jobs.pack.steps[1]"
_ZIP = "jobs.pack.steps[2]"
_RUN = "jobs.pack.steps[3]"

BAD = {
    "no_name": ("name: good", "nam: good", "name: is required"),
    "unknown_key": (
        "name: good",
        "name: good\nresource: 1",
        "resource: unknown key; did you mean `resources`?",
    ),
    "name_is_a_list": ("name: good", "name: [a]", "name: expected text, found a list"),
    "name_is_not_a_name": (
        "name: good",
        "name: not good",
        "name: invalid name `not good`: expected letters, digits, `_` and `-`, "
        "beginning with a letter or `_`",
    ),
    "duplicate_key": (
        "name: good",
        "name: good\nname: bad",
        "line 2, column 1: duplicate key `name`",
    ),
    "broken_yaml": (
        "name: good",
        "name: [",
        "line 3, column 6: expected ',' or ']', but got ':'",
    ),
    "jobs_is_a_list": (
        GOOD[GOOD.index("jobs:") :],
        "jobs: [a]\n",
        "jobs: expected a mapping, found a list",
    ),
    "no_jobs": (GOOD[GOOD.index("jobs:") :], "jobs: {}\n", "jobs: must not be empty"),
    "job_without_steps": (
        GOOD[GOOD.index("  pack:") :],
        "  pack: { steps: [] }\n",
        "jobs.pack.steps: must not be empty",
    ),
    "job_is_a_text": (
        GOOD[GOOD.index("  pack:") :],
        "  pack: later\n",
        "jobs.pack: expected a mapping, found `later`",
    ),
    "steps_is_a_mapping": (
        GOOD[GOOD.index("  pack:") :],
        "  pack: { steps: { id: x } }\n",
        "jobs.pack.steps: expected a list, found a mapping",
    ),
    "reserved_job_name": (
        "  load:\n",
        "  env:\n    steps: [{ id: x, type: run_process, inputs: { command: [x] } }]\n  load:\n",
        "jobs.env: `env` is reserved for references: choose another name",
    ),
    "unknown_dependency": (
        "depends_on: [load]",
        "depends_on: [laod]",
        "jobs.pack.depends_on[0]: no job `laod`; did you mean `load`?",
    ),
    "circle": (
        "depends_on: [load]",
        "depends_on: [pack]",
        "jobs: jobs depend on each other in a circle: pack -> pack",
    ),
    "when_is_a_number": (
        "when: load.csv.rows > 0",
        "when: 1",
        "jobs.pack.when: expected text, found `1`",
    ),
    "when_breaks_off": (
        "load.csv.rows > 0",
        "load.csv.rows >",
        "jobs.pack.when: column 16: expected a value, found the end",
    ),
    "when_has_a_wrong_output": (
        "load.csv.rows > 0",
        "load.csv.row > 0",
        "jobs.pack.when: unknown reference `load.csv.row`; did you mean `load.csv.rows`?",
    ),
    "when_compares_apples_and_pears": (
        "load.csv.rows > 0",
        "parameters.day > 3",
        "jobs.pack.when: cannot compare text > a number",
    ),
    "when_is_not_a_condition": (
        "load.csv.rows > 0",
        "parameters.day",
        "jobs.pack.when: expected true or false, found text",
    ),
    "step_without_id": ("id: csv\n        type", "type", f"{_CSV}.id: is required"),
    "two_steps_of_one_id": (
        "id: zip",
        "id: find",
        f"{_ZIP}.id: `find` is already the id of another step",
    ),
    "unknown_step": (
        "type: csv_to_table",
        "type: csv_to_tabel",
        f"{_CSV}.type: unknown step `csv_to_tabel`; did you mean `csv_to_table`?",
    ),
    "negative_retries": ("retries: 2", "retries: -1", f"{_FETCH}.retries: must be at least 0"),
    "retries_is_a_word": (
        "retries: 2",
        "retries: often",
        f"{_FETCH}.retries: expected a whole number, found `often`",
    ),
    "timeout_of_0": ("timeout: 10", "timeout: 0", f"{_FETCH}.timeout: must be greater than 0"),
    "missing_input": ("source: a.csv, ", "", f"{_CSV}.inputs.source: is required"),
    "unknown_input": (
        "table: t,",
        "table: t, tabel: t,",
        f"{_CSV}.inputs.tabel: unknown key; did you mean `table`?",
    ),
    "wrong_choice": (
        "table: t,",
        "table: t, mode: merge,",
        f"{_CSV}.inputs.mode: expected `replace` or `append`, found `merge`",
    ),
    "wrong_choice_inside_a_mapping": (
        "n: integer",
        "n: int",
        f"{_CSV}.inputs.types.n: expected `text`, `integer` or `real`, found `int`",
    ),
    "mapping_is_a_list": (
        "types: { n: integer }",
        "types: [n]",
        f"{_CSV}.inputs.types: expected a mapping, found a list",
    ),
    "long_delimiter": (
        "table: t,",
        "table: t, delimiter: '::',",
        f"{_CSV}.inputs.delimiter: must be at most 1 character long",
    ),
    "unknown_encoding": (
        "table: t,",
        "table: t, encoding: utf-9,",
        f"{_CSV}.inputs.encoding: unknown encoding `utf-9`: "
        "expected `utf-8`, `latin-1`, `cp1252` or another that Python knows",
    ),
    "missing_file": ("source: a.csv", "source: b.csv", f"{_CSV}.inputs.source: no such file: "),
    "not_an_address": (
        "http://${env.AETHERFLOW_TEST_HOST}/x",
        "file:///x",
        f"{_FETCH}.inputs.url: expected an address that begins with `http://` or `https://`",
    ),
    "list_of_the_wrong_kind": (
        "accept: [404]",
        "accept: [ok]",
        f"{_FETCH}.inputs.accept[0]: expected a whole number, found `ok`",
    ),
    "pattern_leads_out": (
        'pattern: "*.csv"',
        "pattern: ../*",
        f"{_FIND}.inputs.pattern: expected a pattern that stays inside the folder, found `../*`",
    ),
    "sql_syntax": (
        "SELECT * FROM t WHERE n > :n",
        "SELECT * FORM t",
        f'{_ASK}.inputs.query: near "FORM": syntax error',
    ),
    "sql_breaks_off": (
        "SELECT * FROM t WHERE n > :n",
        "SELECT * FROM t WHERE",
        f"{_ASK}.inputs.query: the query is incomplete",
    ),
    "sql_writes": (
        "SELECT * FROM t WHERE n > :n",
        "ATTACH DATABASE 'x' AS y",
        f"{_ASK}.inputs.query: the query may only read: use SELECT, VALUES or WITH",
    ),
    "sql_parameter": (
        "parameters: { n: ",
        "parameters: { m: ",
        f"{_ASK}.inputs.query: the query uses `:n`, which `parameters` does not give",
    ),
    "command_is_a_text": (
        'command: [echo, "${parameters.day}"]',
        "command: echo x",
        f"{_RUN}.inputs.command: expected a list, found `echo x`",
    ),
    "empty_command": (
        'command: [echo, "${parameters.day}"]',
        "command: []",
        f"{_RUN}.inputs.command: must not be empty",
    ),
    "unknown_resource": (
        "database: store, table",
        "database: stor, table",
        f"{_CSV}.inputs.database: no resource `stor`; did you mean `store`?",
    ),
    "wrong_resource": (
        "database: store, table",
        "database: box, table",
        f"{_CSV}.inputs.database: resource `box` has the driver `local`; "
        "expected `postgres` or `sqlite`",
    ),
    "resource_in_place": (
        "database: store, table",
        "database: { path: x }, table",
        f"{_CSV}.inputs.database: expected the name of a resource",
    ),
    "unknown_driver": (
        "driver: sqlite",
        "driver: oracle",
        "resources.store.driver: unknown driver `oracle`; expected `local`, `postgres` or `sqlite`",
    ),
    "unknown_config": (
        "{ path: store.db }",
        "{ file: store.db }",
        "resources.store.config.file: unknown key; expected `path`",
    ),
    "output_in_a_resource": (
        "{ path: store.db }",
        "{ path: '${load.csv.rows}' }",
        "resources.store.config.path: unknown reference `load.csv.rows`; "
        "expected `env.AETHERFLOW_TEST_HOST`, `parameters.day` or `parameters.limit`",
    ),
    "reference_of_two_names": (
        "${load.csv.rows}",
        "${load.csv}",
        f"{_ASK}.inputs.target: invalid reference `load.csv`: "
        "expected `JOB.STEP.OUTPUT`, `parameters.NAME` or `env.NAME`",
    ),
    "reference_to_a_later_step": (
        "${load.csv.rows}",
        "${pack.zip.path}",
        f"{_ASK}.inputs.target: unknown reference `pack.zip.path`; did you mean `pack.find.paths`?",
    ),
    "reference_to_another_parameter": (
        "${parameters.limit}",
        "${parameters.limits}",
        f"{_ASK}.inputs.parameters.n: unknown reference `parameters.limits`; "
        "did you mean `parameters.limit`?",
    ),
    "undeclared_environment": (
        "${env.AETHERFLOW_TEST_HOST}",
        "${env.HOME}",
        f"{_FETCH}.inputs.url: unknown reference `env.HOME`; declare it under `env`: `HOME: {{}}`",
    ),
    "unknown_parameter_type": (
        "type: integer }\nenv",
        "type: int }\nenv",
        "parameters.limit.type: expected `text`, `integer`, `number`, `boolean` or `date`, "
        "found `int`",
    ),
    "default_of_the_wrong_type": (
        "default: 2026-11-25",
        "default: soon",
        "parameters.day.default: expected a date like `2026-11-25`, found `soon`",
    ),
}


def test_there_are_at_least_40_kinds():
    assert len(BAD) >= 40


@pytest.fixture
def a_csv(write):
    write("n\n1\n", "a.csv")


def test_the_flow_is_good_otherwise(write, a_csv, aetherflow):
    write(GOOD)
    assert aetherflow("validate", "flow.yaml", "--set", "limit=1").stderr == ""


@pytest.mark.parametrize("command", ["validate", "run"])
@pytest.mark.parametrize(("before", "after", "expected"), BAD.values(), ids=BAD)
def test_a_bad_flow(write, a_csv, aetherflow, tmp_path, command, before, after, expected):
    assert GOOD.count(before) == 1
    write(GOOD.replace(before, after))
    done = aetherflow(command, "flow.yaml", "--set", "limit=1")
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert any(line.startswith(f"error: flow.yaml: {expected}") for line in lines), done.stderr
    assert all(line.startswith("error: flow.yaml: ") for line in lines)
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "flow.yaml"}


STEP = 'type: download, inputs: { url: "http://127.0.0.1/x", target: made.csv }'


@pytest.mark.parametrize(
    ("jobs", "hint"),
    [
        ("use: { steps: [{ id: z, PACK }, { id: d, LOAD }] }", "; step `use.d` makes it later"),
        (
            "make: { steps: [{ id: d, LOAD }] }\n  use: { steps: [{ id: z, PACK }] }",
            "; step `make.d` makes it: add `make` to `depends_on`",
        ),
        ("use: { steps: [{ id: z, PACK }] }", ""),
    ],
)
def test_a_missing_file_that_another_step_makes(write, aetherflow, tmp_path, jobs, hint):
    pack = "type: zip_files, inputs: { files: [made.csv], target: z.zip }"
    write(f"name: m\njobs:\n  {jobs.replace('PACK', pack).replace('LOAD', STEP)}\n")
    done = aetherflow("validate", "flow.yaml")
    assert done.returncode == 2
    assert done.stderr == (
        "error: flow.yaml: jobs.use.steps[0].inputs.files: "
        f"no such file: {tmp_path / 'made.csv'}{hint}\n"
    )
    assert aetherflow("validate", "flow.yaml", "--no-files").returncode == 0


@pytest.mark.parametrize(
    "jobs",
    [
        "use: { steps: [{ id: d, LOAD }, { id: z, PACK }] }",
        "make: { steps: [{ id: d, LOAD }] }\n"
        "  use: { depends_on: [make], steps: [{ id: z, PACK }] }",
        "use: { steps: [{ id: p, RUN }, { id: z, PACK }] }",
    ],
    ids=["same job", "job before", "any program"],
)
def test_a_file_that_a_step_before_makes_is_not_missing(write, aetherflow, jobs):
    pack = "type: zip_files, inputs: { files: [made.csv], target: z.zip }"
    run = "type: run_process, inputs: { command: [make] }"
    jobs = jobs.replace("PACK", pack).replace("LOAD", STEP).replace("RUN", run)
    write(f"name: m\njobs:\n  {jobs}\n")
    assert aetherflow("validate", "flow.yaml").stderr == ""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "parameters.limit: is required: set it with `--set limit=VALUE`"),
        (["limit=x"], "parameters.limit: expected a whole number, found `x`"),
        (["limit=1", "day=soon"], "parameters.day: expected a date like `2026-11-25`, found `so"),
        (["limit=1", "dya=2026-11-25"], "parameters: no parameter `dya`; did you mean `day`?"),
    ],
)
def test_bad_values_of_parameters(write, a_csv, aetherflow, tmp_path, arguments, expected):
    write(GOOD)
    given = [part for argument in arguments for part in ("--set", argument)]
    done = aetherflow("run", "flow.yaml", *given)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: flow.yaml: {expected}")
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", "flow.yaml"}


def test_a_variable_that_is_not_set(write, a_csv, aetherflow, monkeypatch):
    monkeypatch.delenv("AETHERFLOW_TEST_HOST", raising=False)
    write(GOOD.replace("{ default: localhost }", "{}"))
    assert aetherflow("validate", "flow.yaml").returncode == 0  # it may be set when it runs
    done = aetherflow("run", "flow.yaml", "--set", "limit=1")
    assert done.returncode == 2
    assert done.stderr == (
        "error: flow.yaml: env.AETHERFLOW_TEST_HOST: "
        "environment variable `AETHERFLOW_TEST_HOST` is not set\n"
    )
