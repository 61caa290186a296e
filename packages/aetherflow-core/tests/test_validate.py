import pytest

from aetherflow.core.api import InvalidDocument, validate_flow

GOOD = """
name: good
resources:
  store: { driver: sqlite, config: { path: store.db } }
  box: { driver: local, config: { path: box } }
jobs:
  load:
    steps:
      - { id: csv, type: csv_to_table, inputs: { source: a.csv, database: store, table: t } }
  pack:
    depends_on: [load]
    when: load.csv.rows > 0
    steps:
      - id: find
        type: glob_files
        inputs: { folder: box, pattern: "*.csv" }
      - id: zip
        type: zip_files
        inputs: { files: "${pack.find.paths}", target: "out/${load.csv.rows}.zip" }
"""


def problems(path):
    with pytest.raises(InvalidDocument) as caught:
        validate_flow(path)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def test_a_good_flow_is_returned(write):
    flow = validate_flow(write(GOOD))
    assert flow.name == "good"
    assert list(flow.jobs) == ["load", "pack"]


def test_nothing_is_written_or_opened(write, tmp_path):
    validate_flow(write(GOOD))
    assert [path.name for path in tmp_path.iterdir()] == ["flow.yaml"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("name: good", "nam: good", "name: is required"),
        ("name: good", "name: good\nextra: 1", "extra: is not known here"),
        ("name: good", "name: [a]", "name: input should be a valid string"),
        ("source: a.csv, ", "", "jobs.load.steps[0].inputs.source: is required"),
        (
            "table: t",
            "table: t, tabel: t",
            "jobs.load.steps[0].inputs.tabel: is not known here",
        ),
        (
            "table: t",
            "table: t, mode: merge",
            "jobs.load.steps[0].inputs.mode: input should be 'replace' or 'append'",
        ),
        (
            "type: csv_to_table",
            "type: csv_to_tabel",
            "jobs.load.steps[0].type: no step 'csv_to_tabel'; did you mean 'csv_to_table'?",
        ),
        (
            "driver: sqlite",
            "driver: oracle",
            "resources.store.driver: no connector 'oracle'; there is local, sqlite",
        ),
        (
            "{ path: store.db }",
            "{ file: store.db }",
            "resources.store.config.path: is required",
        ),
        (
            "database: store",
            "database: stor",
            "jobs.load.steps[0].inputs.database: no resource 'stor'; did you mean 'store'?",
        ),
        (
            "database: store",
            "database: box",
            "jobs.load.steps[0].inputs.database: "
            "resource 'box' is a LocalFolder, and this needs a Sqlite",
        ),
        (
            "database: store",
            "database: { path: x }",
            "jobs.load.steps[0].inputs.database: must be the name of a resource",
        ),
        (
            "depends_on: [load]",
            "depends_on: [laod]",
            "jobs.pack.depends_on[0]: no job 'laod'; did you mean 'load'?",
        ),
        (
            "load.csv.rows > 0",
            "load.csv.row > 0",
            "jobs.pack.when: no output 'load.csv.row'; did you mean 'load.csv.rows'?",
        ),
        (
            "load.csv.rows > 0",
            "load.csv.rows >",
            "jobs.pack.when: column 16: expected a value, found the end",
        ),
        (
            "${load.csv.rows}",
            "${load.csv}",
            "jobs.pack.steps[1].inputs.target: 'load.csv' is no reference: write JOB.STEP.OUTPUT",
        ),
        (
            "${pack.find.paths}",
            "${pack.zip.path}",
            "jobs.pack.steps[1].inputs.files: no output 'pack.zip.path'; "
            "did you mean 'pack.find.paths'?",
        ),
        (
            "source: a.csv",
            "source: '${pack.find.count}'",
            "jobs.load.steps[0].inputs.source: no output 'pack.find.count'; "
            "no step is done before this",
        ),
        ("id: zip", "id: find", "jobs.pack.steps[1].id: 'find' is the id of two steps"),
        (
            "id: zip",
            "id: z p",
            "jobs.pack.steps[1].id: 'z p' is no name: "
            "letters, digits, '_' and '-', with a letter or '_' first",
        ),
        (
            'pattern: "*.csv"',
            "pattern: ../*",
            "jobs.pack.steps[0].inputs.pattern: must be a pattern that stays inside the folder",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(write, before, after, expected):
    assert GOOD.count(before) == 1
    assert expected in problems(write(GOOD.replace(before, after)))


def test_a_job_that_is_not_depended_on_lends_no_outputs(write):
    text = GOOD.replace("    depends_on: [load]\n", "")
    assert len(problems(write(text))) == 2  # in `when` and in `target`


def test_a_circle_is_spelled_out(write):
    step = "steps: [{ id: s, type: run_process, inputs: { command: [x] } }]"
    text = f"""
        name: circle
        jobs:
          free: {{ {step} }}
          a: {{ depends_on: [c, free], {step} }}
          b: {{ depends_on: [a], {step} }}
          c: {{ depends_on: [b], {step} }}
    """
    (problem,) = problems(write(text))
    prefix = "jobs: jobs depend on each other in a circle: "
    assert problem.startswith(prefix)
    assert problem.removeprefix(prefix) in {
        "a -> c -> b -> a",
        "b -> a -> c -> b",
        "c -> b -> a -> c",
    }


def test_all_mistakes_come_at_once(write):
    text = GOOD.replace("table: t", "").replace("csv_to_table", "csv_to_tabel", 1)
    text = text.replace("folder: box", "folder: bag").replace("rows > 0", "rows >")
    assert len(problems(write(text))) == 4  # type, when, folder, and the output that is now gone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": is empty"),
        ("- a", ": must be a mapping of names to values"),
        ("a: [", "line 1, column 5: expected the node content, but found '<stream end>'"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' is given twice"),
        ("a: &x [*x]", ": is not YAML: Circular reference detected"),
        ("a: !!binary aGk=", ": holds a value that is no text, number, list or mapping"),
        ("a: !!python/object:os.system x", "line 1, column 4: could not determine a constructor"),
        ("a: " + "[" * 1000, ": is nested too deeply"),
        ("a: \x07", ": is not YAML: unacceptable character #x0007"),
    ],
)
def test_what_is_no_document_is_refused(write, text, expected):
    (problem,) = problems(write(text))
    assert problem.startswith(expected)


def test_a_key_that_overrides_a_merged_one_is_not_given_twice(write):
    merged = "  base: &base { id: a, type: run_process, inputs: { command: [x] } }"
    text = f"name: m\nresources:\n{merged}\njobs:\n  j:\n    steps: [{{ <<: *base, id: b }}]\n"
    assert "jobs.j" not in "\n".join(problems(write(text)))  # only the odd resource is refused


def test_a_date_stays_text(write):
    text = GOOD.replace("table: t", "table: 2026-01-31")
    flow = validate_flow(write(text))
    assert flow.jobs["load"].steps[0].inputs["table"] == "2026-01-31"


def test_a_missing_file_a_folder_and_bytes(tmp_path):
    assert problems(tmp_path / "no.yaml") == [": cannot be read: No such file or directory"]
    assert problems(tmp_path) == [": cannot be read: Is a directory"]
    (tmp_path / "b").write_bytes(b"a: \xff")
    assert problems(tmp_path / "b") == [": is not UTF-8 text: invalid start byte at byte 3"]


def test_every_line_of_the_message_begins_with_the_file(tmp_path):
    (tmp_path / "f.yaml").write_text("x: 1\ny: 2\n")
    with pytest.raises(InvalidDocument) as caught:
        validate_flow(tmp_path / "f.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith(f"{tmp_path / 'f.yaml'}: ") for line in lines)
