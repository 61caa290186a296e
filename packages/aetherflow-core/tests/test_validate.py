"""Documents as a whole: what is accepted, and what is refused before any detail is looked at."""

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


def test_nothing_is_written(write, tmp_path):
    validate_flow(write(GOOD))
    assert [path.name for path in tmp_path.iterdir()] == ["flow.yaml"]


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
    assert len(problems(write(text))) == 3  # type, when and folder; not what only follows from them


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": the file is empty"),
        ("- a", ": expected a mapping at the top"),
        ("a: [", "line 1, column 5: expected the node content, but found '<stream end>'"),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: duplicate key `a`"),
        ("a: &x [*x]", ": invalid YAML: Circular reference detected"),
        ("a: !!binary aGk=", ": holds a value other than text, a number, a list or a mapping"),
        ("a: !!python/object:os.system x", "line 1, column 4: could not determine a constructor"),
        ("a: " + "[" * 1000, ": nested too deeply"),
        ("a: \x07", ": invalid YAML: unacceptable character #x0007"),
    ],
)
def test_an_invalid_document_is_refused(write, text, expected):
    (problem,) = problems(write(text))
    assert problem.startswith(expected)


def test_a_key_that_overrides_a_merged_one_is_not_given_twice(write):
    merged = "  base: &base { id: a, type: run_process, inputs: { command: [x] } }"
    text = f"name: m\nresources:\n{merged}\njobs:\n  j:\n    steps: [{{ <<: *base, id: b }}]\n"
    assert "jobs.j" not in "\n".join(problems(write(text)))  # only the odd resource is refused


@pytest.mark.parametrize("name", ["a" * 5000, "x/" * 3000, "a\\0b"])
def test_an_impossible_file_is_missing(write, name):
    text = GOOD.replace("source: a.csv", f'source: "{name}"')
    with pytest.raises(InvalidDocument, match=r"inputs\.source: no such file") as caught:
        validate_flow(write(text), files=True)
    assert len(caught.value.problems) == 1


def test_a_number_that_is_too_large_for_the_database(write):
    step = "{ id: q, type: query_to_csv, inputs: { database: store, query: 'SELECT :n', "
    step += f"parameters: {{ n: {10**30} }}, target: x }} }}"
    text = GOOD.replace("      - id: find\n", f"      - {step}\n      - id: find\n")
    assert problems(write(text)) == [
        "jobs.pack.steps[0].inputs.query: a parameter is too large for SQLite: at most 64 bits"
    ]


def test_a_date_stays_text(write):
    text = GOOD.replace("table: t", "table: 2026-01-31")
    flow = validate_flow(write(text))
    assert flow.jobs["load"].steps[0].inputs["table"] == "2026-01-31"


def test_a_missing_file_a_folder_and_bytes(tmp_path):
    assert problems(tmp_path / "no.yaml") == [": cannot read the file: No such file or directory"]
    assert problems(tmp_path) == [": cannot read the file: Is a directory"]
    (tmp_path / "b").write_bytes(b"a: \xff")
    assert problems(tmp_path / "b") == [": not UTF-8 text: invalid start byte at byte 3"]


def test_every_line_of_the_message_begins_with_the_file(tmp_path):
    (tmp_path / "f.yaml").write_text("x: 1\ny: 2\n")
    with pytest.raises(InvalidDocument) as caught:
        validate_flow(tmp_path / "f.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith(f"{tmp_path / 'f.yaml'}: ") for line in lines)
