"""Several jobs at the same time."""

import logging
import threading
import time
from typing import ClassVar

import pytest

from aetherflow.core import registry
from aetherflow.core.api import Step, StepFailed, StepResult, register_step, run_flow
from aetherflow.core.history import read_runs


@pytest.fixture(autouse=True)
def own_steps(monkeypatch):
    monkeypatch.setattr(registry, "_steps", dict(registry._steps))


@pytest.fixture
def meet():
    """A step that waits until a number of them run at the same time."""

    class Meet(Step):
        """Wait for the others."""

        outputs = ("number",)
        number: int

        def run(self):
            Meet.barrier.wait(timeout=30)
            return StepResult({"number": self.number})

    register_step("meet", Meet)
    return Meet


class Watch(Step):
    """Note how many run at the same time."""

    mutex: ClassVar = threading.Lock()
    running: ClassVar = 0
    most: ClassVar = 0
    barrier: ClassVar = threading.Barrier(1)

    def run(self):
        with Watch.mutex:
            Watch.running += 1
            Watch.most = max(Watch.most, Watch.running)
        Watch.barrier.wait(timeout=60)  # until as many run as may
        time.sleep(0.01)  # time enough for one too many
        with Watch.mutex:
            Watch.running -= 1
        return StepResult()


def many(number, kind, inputs=""):
    jobs = "".join(
        f"  j{i}: {{ steps: [{{ id: s, type: {kind}, inputs: {{ {inputs.format(i=i)} }} }}] }}\n"
        for i in range(number)
    )
    return f"name: many\njobs:\n{jobs}"


def test_100_steps_run_at_the_same_time(write, meet, tmp_path):
    meet.barrier = threading.Barrier(100)
    result = run_flow(write(many(100, "meet", "number: {i}")), jobs=100)
    assert result.executed == 100
    assert {result.outputs[f"j{i}.s.number"] for i in range(100)} == set(range(100))
    (run,) = read_runs(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")
    assert len(run.steps) == 100
    assert {step.outcome for step in run.steps} == {"done"}


@pytest.mark.parametrize("jobs", [1, 3])
def test_no_more_than_allowed(write, jobs):
    Watch.most, Watch.barrier = 0, threading.Barrier(jobs)
    register_step("watch", Watch)
    run_flow(write(many(12, "watch")), jobs=jobs)
    assert Watch.most == jobs


@pytest.mark.parametrize("jobs", [0, -1])
def test_fewer_than_one_is_refused(write, jobs):
    with pytest.raises(ValueError, match="`jobs` must be at least 1"):
        run_flow(write(many(1, "watch")), jobs=jobs)


def test_the_option_is_a_number(write, aetherflow):
    write(many(1, "run_process", "command: [x]"))
    done = aetherflow("run", "flow.yaml", "--jobs", "0")
    assert done.returncode == 2
    assert done.stderr.endswith("argument --jobs: expected a whole number from 1 on, found `0`\n")


DIAMOND = """
name: diamond
jobs:
  top: { steps: [{ id: s, type: note, inputs: { word: top } }] }
  left: { depends_on: [top], steps: [{ id: s, type: note, inputs: { word: left } }] }
  right:
    depends_on: [top]
    steps:
      - { id: s, type: note, inputs: { word: right } }
      - { id: t, type: note, inputs: { word: "${right.s.word}-2" } }
  bottom:
    depends_on: [left, right]
    steps: [{ id: s, type: note, inputs: { word: "${left.s.word}+${right.t.word}" } }]
"""


@pytest.fixture
def note():
    class Note(Step):
        """Note a word."""

        outputs = ("word",)
        word: str

        def run(self):
            if self.word in Note.broken:
                raise ValueError("broken")
            Note.words.append(self.word)
            return StepResult({"word": self.word})

    Note.words, Note.broken = [], set()
    register_step("note", Note)
    return Note


def test_a_job_waits_for_all_that_it_depends_on(write, note):
    result = run_flow(write(DIAMOND), jobs=4)
    assert note.words[0] == "top"
    assert note.words[-1] == "left+right-2"
    assert result.outputs["bottom.s.word"] == "left+right-2"


def test_a_failure_lets_what_is_running_end_and_starts_nothing_new(write, note, tmp_path):
    began, released = threading.Event(), threading.Event()

    class Slow(Step):
        """Wait until the other job has failed."""

        outputs = ("word",)

        def run(self):
            began.set()
            assert released.wait(20)
            time.sleep(0.2)  # time enough for the failure to be seen
            return StepResult({"word": "slow"})

    class Fails(Step):
        """Fail while the other job runs."""

        outputs = ("word",)

        def run(self):
            assert began.wait(20)
            released.set()
            raise ValueError("broken")

    register_step("slow", Slow)
    register_step("fails", Fails)
    flow = write("""
        name: two
        jobs:
          a: { steps: [{ id: s, type: fails }] }
          b: { steps: [{ id: s, type: slow }, { id: t, type: note, inputs: { word: later } }] }
          c: { depends_on: [b], steps: [{ id: s, type: note, inputs: { word: last } }] }
    """)
    with pytest.raises(StepFailed, match=r"step `a\.s` failed: broken"):
        run_flow(flow, jobs=2)
    assert note.words == []
    (run,) = read_runs(tmp_path / ".aetherflow" / "flow.yaml.sqlite3")
    outcomes = {f"{step.job}.{step.step}": step.outcome for step in run.steps}
    assert outcomes == {"a.s": "failed", "b.s": "done"}


def test_a_failure_ends_the_pauses_of_other_jobs(write, tmp_path):
    paused = threading.Event()

    class Pauses(Step):
        """Fail, and be retried much later."""

        def run(self):
            paused.set()
            raise ValueError("again")

    class Fails(Step):
        """Fail once the other job waits for its retry."""

        def run(self):
            assert paused.wait(20)
            time.sleep(0.2)
            raise ValueError("broken")

    register_step("pauses", Pauses)
    register_step("fails", Fails)
    flow = write("""
        name: two
        jobs:
          a: { steps: [{ id: s, type: pauses, retries: 5, backoff: 300 }] }
          b: { steps: [{ id: s, type: fails }] }
    """)
    started = time.monotonic()
    with pytest.raises(StepFailed, match=r"step `b\.s` failed: broken"):
        run_flow(flow, jobs=2)
    assert time.monotonic() - started < 60


def test_a_resumed_run_repeats_only_what_builds_on_what_runs_again(write, note):
    flow = write(DIAMOND)
    note.broken = {"left+right-2"}
    with pytest.raises(StepFailed):
        run_flow(flow, jobs=2)
    note.broken, note.words[:] = set(), []
    write(DIAMOND.replace("word: right }", "word: RIGHT }"))
    result = run_flow(flow, resume=True, jobs=2)
    assert sorted(note.words) == ["RIGHT", "RIGHT-2", "left+RIGHT-2"]
    assert (result.executed, result.restored) == (3, 2)


def test_outputs_of_jobs_are_not_mixed(write, aetherflow, tmp_path):
    command = "[sh, -c, 'for i in 1 2 3 4 5 6 7 8 9; do echo {i}; echo {i} >&2; done']"
    write(many(8, "run_process", f"command: {command}"))
    done = aetherflow("run", "flow.yaml", "--jobs", "8")
    assert done.returncode == 0
    assert sorted(line.partition(":")[0] for line in done.stderr.splitlines()) == [
        f"j{i}.s" for i in range(8)
    ]
    for i in range(8):
        for kind in ("stdout", "stderr"):
            path = tmp_path / ".aetherflow" / "flow.yaml.logs" / "1" / f"j{i}.s.{kind}"
            assert path.read_text() == f"{i}\n" * 9


def test_what_a_step_prints_and_logs_goes_to_its_own_log(write, aetherflow, tmp_path):
    barrier = threading.Barrier(4)

    class Loud(Step):
        """Print and log."""

        name: str

        def run(self):
            barrier.wait(20)
            print(f"print of {self.name}")
            logging.getLogger("some.library").info("log of %s", self.name)
            barrier.wait(20)
            return StepResult()

    register_step("loud", Loud)
    write(many(4, "loud", "name: n{i}"))
    done = aetherflow("run", "flow.yaml", "--jobs", "4")
    assert done.stdout == "many, run 1: done; 4 steps run, 0 done before\n"
    assert "log of" not in done.stderr
    for i in range(4):
        log = tmp_path / ".aetherflow" / "flow.yaml.logs" / "1" / f"j{i}.s.log"
        text = log.read_text()
        assert f"print of n{i}\n" in text
        assert f"INFO some.library: log of n{i}\n" in text
        assert text.count(" of n") == 2


def test_two_runs_at_once(write, meet, tmp_path):
    """One flow has one run at a time; two flows do not hinder each other."""
    meet.barrier = threading.Barrier(2)
    flows = [write(many(1, "meet", "number: 1"), name) for name in ("a.yaml", "b.yaml")]
    results = {}

    def run(flow):
        results[flow] = run_flow(flow).executed

    threads = [threading.Thread(target=run, args=(flow,)) for flow in flows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert results == dict.fromkeys(flows, 1)


def test_two_runs_of_one_flow_at_once_if_both_say_so(write, meet, tmp_path):
    meet.barrier = threading.Barrier(2)
    flow = write(many(1, "meet", "number: 1"))
    runs = []
    threads = [
        threading.Thread(target=lambda: runs.append(run_flow(flow, overlap=True).run))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(runs) == [1, 2]
