"""In which order jobs run."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from aetherflow.core.model import JobSpec


def execution_order(jobs: Mapping[str, JobSpec], only: str | None = None) -> list[str]:
    """Return the names of all jobs, or of `only` and what it depends on, dependencies first.

    Raises:
        ValueError: The jobs depend on each other in a circle; the message spells it out.
    """
    try:
        return list(TopologicalSorter(dependencies(jobs, only)).static_order())
    except CycleError as error:
        # graphlib lists what comes before what; `depends_on` points the other way.
        circle = " -> ".join(reversed(error.args[1]))
        raise ValueError(f"jobs depend on each other in a circle: {circle}") from error


def dependencies(jobs: Mapping[str, JobSpec], only: str | None = None) -> dict[str, list[str]]:
    """Return what each job depends on: of all jobs, or of `only` and what it needs."""
    names = jobs if only is None else {only, *ancestors(jobs, only)}
    return {name: _known(jobs, jobs[name].depends_on) for name in jobs if name in names}


def ancestors(jobs: Mapping[str, JobSpec], name: str) -> set[str]:
    """Return the names of all jobs that are done before `name` starts."""
    found: set[str] = set()
    todo = _known(jobs, jobs[name].depends_on)
    while todo:
        job = todo.pop()
        if job not in found:
            found.add(job)
            todo += _known(jobs, jobs[job].depends_on)
    return found


def _known(jobs: Mapping[str, JobSpec], names: Iterable[str]) -> list[str]:
    return [name for name in names if name in jobs]
