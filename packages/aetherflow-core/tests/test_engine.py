"""Runs of flows through `run_flow`: order, failures, resumption and the record."""

import json
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from aetherflow.core import registry
from aetherflow.core.api import (
    InvalidDocument,
    NothingToResume,
    RunFailed,
    Step,
    StepFailed,
    StepResult,
    register_step,
    run_flow,
)
from aetherflow.core.state import RunState


@pytest.fixture(autouse=True)
def recorder(monkeypatch):
    """Provide a step `note` that counts its runs by word, and fails for words in `broken`."""
    monkeypatch.setattr(registry, "_steps", dict(registry._steps))

    class Note(Step):
        """Count a word."""

        outputs = ("word", "length", "pair")
        word: str

        def run(self):
            if self.word in Note.broken:
                raise ValueError(f"'{self.word}' is broken")
            Note.runs[self.word] += 1
            return StepResult({"word": self.word, "length": len(self.word), "pair": (self.word, 1)})

    Note.runs = Counter()
    Note.broken = set()
    register_step("note", Note)
    return Note


def step(name, word):
    return f"{{ id: {name}, type: note, inputs: {{ word: '{word}' }} }}"


THREE = f"""
name: three
jobs:
  last:
    depends_on: [first]
    steps:
      - {step("b", "${first.a.word}-b")}
      - {step("c", "${last.b.word}-${first.a.length}")}
  first:
    steps:
      - {step("a", "x")}
  other:
    steps:
      - {step("o", "o")}
"""


def test_dependencies_run_first_and_outputs_are_handed_on(write):
    result = run_flow(write(THREE))
    assert list(result.jobs).index("first") < list(result.jobs).index("last")
    assert set(result.jobs.values()) == {"done"}
    assert result.outputs["last.c.word"] == "x-b-1"
    assert (result.run, result.executed, result.restored) == (1, 4, 0)


def test_one_job_brings_along_what_it_depends_on(write, recorder):
    result = run_flow(write(THREE), job="last")
    assert list(result.jobs) == ["first", "last"]
    assert "o" not in recorder.runs


def test_an_unknown_job_is_refused_before_anything_runs(write, recorder, tmp_path):
    with pytest.raises(InvalidDocument, match="no job `lost`; did you mean `last`"):
        run_flow(write(THREE), job="lost")
    assert not recorder.runs
    assert not (tmp_path / ".aetherflow").exists()


def test_an_invalid_flow_runs_nothing_and_writes_nothing(write, recorder, tmp_path):
    with pytest.raises(InvalidDocument):
        run_flow(write(THREE.replace("word: 'o'", "w: 'o'")))
    assert not recorder.runs
    assert [path.name for path in tmp_path.iterdir()] == ["flow.yaml"]


def conditional(when):
    return THREE.replace("depends_on: [first]", f"depends_on: [first]\n    when: {when}")


def test_when_decides_and_skips_what_depends_on_it(write, recorder):
    after = f"  after:\n    depends_on: [last]\n    steps: [{step('d', 'd')}]\n"
    result = run_flow(write(conditional("first.a.length > 1") + after))
    assert result.jobs == {"first": "done", "other": "done", "last": "skipped", "after": "skipped"}
    assert set(recorder.runs) == {"x", "o"}
    result = run_flow(write(conditional("first.a.length == 1") + after))
    assert result.jobs["after"] == "done"


def test_a_when_that_cannot_be_decided_fails_the_run(write):
    with pytest.raises(StepFailed) as caught:
        run_flow(write(conditional("first.a.word > 1")))
    assert (caught.value.job, caught.value.step) == ("last", None)
    assert "cannot compare text > a number" in str(caught.value)


def test_a_failing_step_is_named_with_its_reason(write, recorder):
    recorder.broken = {"x-b"}
    with pytest.raises(StepFailed) as caught:
        run_flow(write(THREE))
    assert str(caught.value) == "step `last.b` failed: 'x-b' is broken"
    assert "x-b-1" not in recorder.runs


def test_resume_goes_on_after_the_last_finished_step(write, recorder):
    flow = write(THREE)
    recorder.broken = {"x-b-1"}
    with pytest.raises(StepFailed):
        run_flow(flow)
    recorder.broken = set()
    result = run_flow(flow, resume=True)
    assert result.run == 1
    assert recorder.runs["x"] == recorder.runs["x-b"] == recorder.runs["x-b-1"] == 1
    assert result.restored + result.executed == 4
    assert result.outputs["last.c.word"] == "x-b-1"
    with pytest.raises(NothingToResume, match="is finished"):
        run_flow(flow, resume=True)


def test_a_resumed_run_sees_the_outputs_that_a_fresh_one_sees(write, recorder):
    fresh = run_flow(write(THREE, "fresh.yaml"))
    flow = write(THREE, "broken.yaml")
    recorder.broken = {"x-b-1"}
    with pytest.raises(StepFailed):
        run_flow(flow)
    recorder.broken = set()
    assert run_flow(flow, resume=True).outputs == fresh.outputs
    assert fresh.outputs["first.a.pair"] == ["x", 1]  # as JSON has it, at once


def test_a_step_that_was_changed_runs_again_with_all_that_follow(write, recorder):
    flow = write(THREE)
    recorder.broken = {"x-b-1"}
    with pytest.raises(StepFailed):
        run_flow(flow)
    recorder.broken = set()
    write(THREE.replace("'x'", "'yy'"))
    result = run_flow(flow, resume=True)
    assert result.outputs["last.c.word"] == "yy-b-2"
    assert recorder.runs["yy-b"] == 1


def test_a_run_without_resume_begins_again(write, recorder):
    flow = write(THREE)
    assert [run_flow(flow).run for _ in range(2)] == [1, 2]
    assert recorder.runs["x"] == 2


def test_there_is_nothing_to_resume_before_the_first_run(write, recorder):
    with pytest.raises(NothingToResume, match="has not been run yet"):
        run_flow(write(THREE), resume=True)
    assert not recorder.runs


def test_the_run_of_one_job_is_resumed_apart_from_the_run_of_all(write, recorder):
    flow = write(THREE)
    recorder.broken = {"x-b"}
    with pytest.raises(StepFailed):
        run_flow(flow, job="last")
    with pytest.raises(NothingToResume, match="this flow has not been run yet"):
        run_flow(flow, resume=True)
    recorder.broken = set()
    assert run_flow(flow, job="last", resume=True).restored == 1


def test_a_run_is_resumed_after_a_step_that_moved_what_it_read(write, recorder, tmp_path):
    write("x", "in.txt")
    flow = write(f"""
        name: moved
        resources: {{ box: {{ driver: local, config: {{ path: box }} }} }}
        jobs:
          j:
            steps:
              - {{ id: m, type: move_file, inputs: {{ source: in.txt, folder: box }} }}
              - {step("n", "x")}
    """)
    recorder.broken = {"x"}
    with pytest.raises(StepFailed):
        run_flow(flow)
    assert not (tmp_path / "in.txt").exists()
    recorder.broken = set()
    assert run_flow(flow, resume=True).restored == 1


def test_steps_without_outputs_are_restored_too(write, recorder):
    class Silent(Step):
        """Hand on nothing."""

        def run(self):
            recorder.runs["silent"] += 1
            return StepResult()

    register_step("silent", Silent)
    flow = write(f"""
        name: silent
        jobs:
          j:
            steps: [{{ id: s, type: silent }}, {step("n", "x")}]
    """)
    recorder.broken = {"x"}
    with pytest.raises(StepFailed):
        run_flow(flow)
    recorder.broken = set()
    assert run_flow(flow, resume=True).restored == 1
    assert recorder.runs["silent"] == 1


def test_two_runs_of_one_flow_never_overlap(write, tmp_path, recorder):
    flow = write(THREE)
    with RunState(tmp_path / ".aetherflow" / "flow.yaml.sqlite3", "three", None, {}):
        for resume in (False, True):
            with pytest.raises(RunFailed, match="another run of this flow is in progress"):
                run_flow(flow, resume=resume)
    assert not recorder.runs
    run_flow(flow)


def test_a_state_that_cannot_be_used_is_named(write, recorder):
    broken = write("this is not a database, " * 100, "state")
    with pytest.raises(
        RunFailed, match=r"cannot use the state file .*state: file is not a database"
    ):
        run_flow(write(THREE), state=broken)
    assert not recorder.runs


def test_the_state_can_be_kept_elsewhere(write, tmp_path):
    run_flow(write(THREE), state=tmp_path / "deep" / "state.db")
    assert (tmp_path / "deep" / "state.db").exists()
    assert not (tmp_path / ".aetherflow").exists()


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({"wrong": 1}, "TypeError: promised the outputs ['right'], gave ['wrong']"),
        ({}, "TypeError: promised the outputs ['right'], gave []"),
        ({"right": Path("x")}, "is not JSON serializable"),
    ],
)
def test_a_step_keeps_its_promise_about_outputs(write, outputs, reason):
    class Liar(Step):
        """Promise something."""

        def run(self):
            return StepResult(outputs)

    Liar.outputs = ("right",)
    register_step("liar", Liar)
    with pytest.raises(StepFailed) as caught:
        run_flow(write("name: l\njobs: { j: { steps: [{ id: s, type: liar }] } }"))
    assert reason in caught.value.reason


def test_a_reference_of_the_wrong_type_fails_at_its_input(write):
    flow = write(f"""
        name: wrong
        jobs:
          j:
            steps:
              - {step("a", "soon")}
              - id: b
                type: run_process
                inputs: {{ command: [x], timeout: "${{j.a.word}}" }}
    """)
    with pytest.raises(
        StepFailed, match=r"step `j\.b` failed: `inputs\.timeout`: expected a number, found text$"
    ):
        run_flow(flow)


def test_paths_begin_in_the_folder_of_the_flow(write, tmp_path, monkeypatch):
    write("a\n1\n", "deep/in.csv")
    write(
        """
        name: paths
        resources: { db: { driver: sqlite, config: { path: out/x.db } } }
        jobs:
          j:
            steps:
              - { id: s, type: csv_to_table, inputs: { source: in.csv, database: db, table: t } }
              - { id: z, type: zip_files, inputs: { files: [in.csv], target: out/z.zip } }
              - { id: p, type: run_process, inputs: { command: [pwd] } }
        """,
        "deep/flow.yaml",
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    result = run_flow("../deep/flow.yaml")
    assert (tmp_path / "deep" / "out" / "x.db").exists()
    assert (tmp_path / "deep" / "out" / "z.zip").exists()
    assert Path(result.outputs["j.p.stdout"].strip()) == tmp_path.resolve() / "deep"
    assert list(elsewhere.iterdir()) == []


def test_the_state_says_what_is_done(write, tmp_path, recorder):
    recorder.broken = {"x-b"}
    with pytest.raises(StepFailed):
        run_flow(write(THREE), job="last")
    db = sqlite3.connect(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")
    ((job, name, outputs),) = db.execute(
        "SELECT job, step, outputs FROM step WHERE outcome = 'done'"
    ).fetchall()
    assert (job, name, json.loads(outputs)["word"]) == ("first", "a", "x")
    assert db.execute("SELECT job, outcome, error FROM run").fetchall() == [
        ("last", "failed", "step `last.b` failed: 'x-b' is broken")
    ]
    db.close()
