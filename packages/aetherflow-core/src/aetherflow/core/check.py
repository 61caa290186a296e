"""Everything that can be known about a flow before its first step runs, found all at once."""

import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aetherflow.core.document import read_document
from aetherflow.core.errors import InvalidDocument, Problem, did_you_mean
from aetherflow.core.expression import Expression
from aetherflow.core.extension import Connector, Preview, Scope, Step
from aetherflow.core.model import Flow, JobSpec, StepSpec
from aetherflow.core.order import ancestors, execution_order
from aetherflow.core.parameters import bind
from aetherflow.core.references import (
    SOURCES,
    Location,
    find_references,
    parse_reference,
    resolve,
    resolve_known,
)
from aetherflow.core.registry import broken_plugins, known_connectors, known_steps
from aetherflow.core.wording import join_path, problems_of

logger = logging.getLogger("aetherflow.core")


@dataclass(frozen=True)
class CheckedFlow:
    """A flow that has passed all checks, with what its run needs.

    Attributes:
        flow: The document.
        file: Where it is.
        values: Parameters and environment variables by reference, such as `parameters.day`.
    """

    flow: Flow
    file: Path
    values: Mapping[str, Any]

    def scope(self) -> Scope:
        """Return what the steps of the flow may use.

        Raises:
            ValidationError: A resource's config does not fit its connector.
        """
        folder, drivers = self.file.absolute().parent, known_connectors()
        resources: dict[str, Connector] = {
            name: drivers[spec.driver].model_validate(
                resolve(spec.config, self.values), context=Scope(folder)
            )
            for name, spec in self.flow.resources.items()
        }
        return Scope(folder, resources, drivers)


def validate_flow(
    path: str | Path, *, parameters: Mapping[str, Any] | None = None, files: bool = False
) -> Flow:
    """Read a flow document and check it as a whole; nothing is run or written.

    Args:
        path: The YAML file.
        parameters: Values for the flow's parameters, by name; then all that have no default are
            needed, and so are the environment variables, as for a run. With None, what is not
            known yet is left open.
        files: Whether files that steps read have to be there, unless an earlier step makes them.

    Raises:
        InvalidDocument: The document is refused; the error lists all that is wrong with it.
    """
    complete = parameters is not None
    return check_flow(Path(path), parameters or {}, complete=complete, files=files).flow


def check_flow(
    file: Path,
    given: Mapping[str, Any],
    *,
    complete: bool,
    files: bool,
    ignore_unknown: bool = False,
) -> CheckedFlow:
    """Read a flow document and check it as a whole; see `validate_flow`.

    Args:
        file: The YAML file.
        given: Values for the flow's parameters; text is read as the parameter's type.
        complete: Whether all values that a run needs have to be known.
        files: Whether files that steps read have to be there.
        ignore_unknown: Whether values for parameters that the flow does not declare are ignored.

    Raises:
        InvalidDocument: The document is refused; the error lists all that is wrong with it.
    """
    flow = read_document(file, Flow)
    if ignore_unknown:
        given = {name: value for name, value in given.items() if name in flow.parameters}
    values, problems = bind(flow, given, complete=complete)
    check = _Check(flow, file, values, files)
    problems += [*check.resources(), *check.order(), *check.jobs()]
    if problems:
        raise InvalidDocument(file, problems)
    return CheckedFlow(flow, file, values)


@dataclass
class _Seen:
    """What the steps before a step leave behind.

    Attributes:
        names: The references that it may use; the order is that of the document.
        written: The files that they make; None if they may make any.
    """

    names: dict[str, None]
    written: list[Path] | None = field(default_factory=list)

    def add(self, other: "_Seen") -> None:
        self.names |= other.names
        if self.written is not None:
            self.written = None if other.written is None else self.written + other.written


class _Check:
    def __init__(self, flow: Flow, file: Path, values: Mapping[str, Any], files: bool) -> None:
        self._flow = flow
        self._folder = file.absolute().parent
        self._values = values
        self._files = files
        self._outside = dict.fromkeys(
            [f"parameters.{name}" for name in flow.parameters]
            + [f"env.{name}" for name in flow.env]
        )
        self._resources: dict[str, Connector] = {}
        self._open: set[str] = set()  # resources that are not known well enough to be opened
        self._left_by: dict[str, _Seen] = {}
        self._makers: list[tuple[Path, str, str]] = []  # a file, and the job and step that make it
        self._absent: dict[Problem, Path] = {}

    def resources(self) -> Iterator[Problem]:
        drivers = known_connectors()
        for name, spec in self._flow.resources.items():
            where = f"resources.{name}"
            self._open.add(name)
            if spec.driver not in drivers:
                yield Problem(f"{where}.driver", _unknown("driver", spec.driver, drivers))
                continue
            broken = list(self._references(spec.config, self._outside, f"{where}.config"))
            yield from broken
            config, unknown = resolve_known(spec.config, self._values)
            try:
                connector = drivers[spec.driver].model_validate(config, context=Scope(self._folder))
            except ValidationError as error:
                inside = f"{where}.config"
                secret = _secrets(spec.config, inside)
                found = problems_of(error, drivers[spec.driver], inside, secret=secret)
                yield from _closed(found, unknown, f"{where}.config")
                continue
            if not unknown:
                self._resources[name] = connector
                self._open.discard(name)

    def order(self) -> Iterator[Problem]:
        jobs = self._flow.jobs
        for name, spec in jobs.items():
            if name in SOURCES:
                yield Problem(
                    f"jobs.{name}", f"`{name}` is reserved for references: choose another name"
                )
            for i, job in enumerate(spec.depends_on):
                if job not in jobs:
                    hint = did_you_mean(job, jobs)
                    yield Problem(f"jobs.{name}.depends_on[{i}]", f"no job `{job}`{hint}")
        try:
            execution_order(jobs)
        except ValueError as error:
            yield Problem("jobs", str(error))

    def jobs(self) -> Iterator[Problem]:
        found = {name: list(self._job(name)) for name in self._sorted()}
        for name in self._flow.jobs:  # in the order of the document
            for problem in found[name]:
                yield self._with_maker(problem, name)

    def _with_maker(self, problem: Problem, job: str) -> Problem:
        """Return a problem with the step that makes the file that it misses, if there is one."""
        path = self._absent.get(problem)
        for made, other, step in self._makers:
            if path and (path == made or made in path.parents):
                what = " later" if other == job else f": add `{other}` to `depends_on`"
                hint = f"; step `{other}.{step}` makes it{what}"
                return Problem(problem.path, problem.message + hint)
        return problem

    def _sorted(self) -> list[str]:
        try:
            return execution_order(self._flow.jobs)
        except ValueError:
            return list(self._flow.jobs)

    def _job(self, name: str) -> Iterator[Problem]:
        job, where = self._flow.jobs[name], f"jobs.{name}"
        seen = _Seen(dict(self._outside))
        for other in self._sorted():
            if other in ancestors(self._flow.jobs, name):
                seen.add(self._left_by.get(other) or _Seen(_outputs(other, self._flow.jobs[other])))
        if job.when is not None:
            yield from self._when(job.when, seen.names, f"{where}.when")
        left = self._left_by[name] = _Seen({})
        ids: set[str] = set()
        for i, step in enumerate(job.steps):
            here = f"{where}.steps[{i}]"
            if step.id in ids:
                yield Problem(f"{here}.id", f"`{step.id}` is already the id of another step")
            ids.add(step.id)
            made = _Seen(_step_outputs(name, step))
            preview = yield from self._step(step, seen, here)
            made.written = None if preview.writes is None else list(preview.writes)
            self._makers += [(path, name, step.id) for path in preview.writes or ()]
            seen.add(made)
            left.add(made)

    def _when(self, text: str, visible: Mapping[str, None], where: str) -> Iterator[Problem]:
        try:
            expression = Expression(text)
            for reference in expression.references:
                yield from _reference_problems(reference, visible, where)
            if all(reference in self._values for reference in expression.references):
                expression.evaluate(self._values)
        except ValueError as error:
            yield Problem(where, str(error))

    def _step(self, spec: StepSpec, seen: _Seen, where: str) -> Generator[Problem, None, Preview]:
        """Yield what is wrong with a step, and return its preview."""
        kinds = known_steps()
        if spec.type not in kinds:
            yield Problem(f"{where}.type", _unknown("step", spec.type, kinds))
            return Preview()
        kind, inside = kinds[spec.type], f"{where}.inputs"
        yield from self._references(spec.inputs, seen.names, inside)
        inputs, unknown = resolve_known(spec.inputs, self._values)
        unknown |= {
            (key,)
            for key, value in inputs.items()
            if isinstance(value, str) and value in self._open
        }
        scope = Scope(self._folder, self._resources, known_connectors())
        try:
            preview = _preview(kind.model_validate(inputs, context=scope))
        except ValidationError as error:
            found = problems_of(error, kind, inside, secret=_secrets(spec.inputs, inside))
            yield from _closed(found, unknown, inside)
            return Preview()
        found = [Problem(f"{inside}.{name}", text) for name, text in preview.problems.items()]
        if self._files and seen.written is not None:
            absent = dict(_missing(preview, seen.written, inside))
            self._absent |= absent
            found += absent
        yield from _closed(found, unknown, inside)
        return Preview() if unknown else preview

    def _references(self, value: Any, visible: Mapping[str, None], where: str) -> Iterator[Problem]:
        for location, text in find_references(value):
            place = join_path(where, location)
            try:
                yield from _reference_problems(parse_reference(text), visible, place)
            except ValueError as error:
                yield Problem(place, str(error))


def _preview(step: Step) -> Preview:
    try:
        return step.preview()
    except Exception as error:  # a step can be foreign code: anything can come out of it
        kind = type(step)
        logger.warning("warning: `preview` of %s failed: %r", kind.__qualname__, error)
        return Preview()


def _closed(problems: list[Problem], unknown: set[Location], where: str) -> Iterator[Problem]:
    """Yield the problems that do not depend on values that are not known yet.

    The engine checks the others when it knows the values.
    """
    places = {
        join_path(where, location[:length])
        for location in unknown
        for length in range(1, len(location) + 1)
    }
    yield from (problem for problem in problems if problem.path not in places)


def _secrets(value: Any, where: str) -> Callable[[str], bool]:
    """Return whether a place holds a variable of the environment: no message may quote that."""
    places = {
        join_path(where, location)
        for location, text in find_references(value)
        if text.strip().startswith("env.")
    }
    return places.__contains__


def _missing(preview: Preview, written: list[Path], where: str) -> Iterator[tuple[Problem, Path]]:
    """Yield a problem for each file that a step reads, is not there, and no step before makes."""
    for name, paths in preview.reads.items():
        for path in paths:
            made = any(path == other or other in path.parents for other in written)
            # Unlike the method of the path, this takes a name that is too long for an answer.
            if not made and not os.path.exists(path):
                yield Problem(f"{where}.{name}", f"no such file: {path}"), path


def _reference_problems(
    reference: str, visible: Mapping[str, None], where: str
) -> Iterator[Problem]:
    owner = reference.rpartition(".")[0]
    if reference in visible or f"{owner}.*" in visible:
        return
    if owner == "env":
        hint = f"; declare it under `env`: `{reference.removeprefix('env.')}: {{}}`"
    else:
        names = [name for name in visible if not name.endswith(".*")]
        hint = did_you_mean(reference, names) or "; no step is done before this one"
    yield Problem(where, f"unknown reference `{reference}`{hint}")


def _unknown(what: str, name: str, known: Mapping[str, Any]) -> str:
    disabled = "".join(f"; {error}" for error in broken_plugins())
    return f"unknown {what} `{name}`{did_you_mean(name, known)}{disabled}"


def _outputs(name: str, job: JobSpec) -> dict[str, None]:
    outputs: dict[str, None] = {}
    for step in job.steps:
        outputs |= _step_outputs(name, step)
    return outputs


def _step_outputs(job: str, step: StepSpec) -> dict[str, None]:
    """Return the references to what a step hands on; any, if its kind is not known."""
    kind = known_steps().get(step.type)
    outputs = kind.outputs if kind else ("*",)
    return dict.fromkeys(f"{job}.{step.id}.{output}" for output in outputs)
