"""Everything that can be known about a flow before its first step runs, found all at once."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aetherflow.core.document import join_path, problems_of, read_document
from aetherflow.core.errors import InvalidDocument, Problem, did_you_mean
from aetherflow.core.expression import Expression
from aetherflow.core.extension import Connector, Scope
from aetherflow.core.model import Flow, JobSpec, StepSpec
from aetherflow.core.order import ancestors, execution_order
from aetherflow.core.references import Reference, find_references, parse_reference
from aetherflow.core.registry import known_connectors, known_steps

_Visible = Mapping[Reference, None]


def validate_flow(path: str | Path) -> Flow:
    """Read a flow document and check all of it; nothing is run, opened or written.

    Args:
        path: The YAML file.

    Raises:
        InvalidDocument: The document is refused; the error lists all that is wrong with it.
        PluginError: A plugin cannot be loaded.
    """
    file = Path(path)
    flow = read_document(file, Flow)
    # Each stage needs the one before: a step cannot be checked against a broken resource.
    for stage in (_resource_problems, _order_problems, _job_problems):
        problems = list(stage(flow, file))
        if problems:
            raise InvalidDocument(file, problems)
    return flow


def open_scope(flow: Flow, file: Path) -> Scope:
    """Return what the steps of a flow may use.

    Raises:
        ValidationError: A resource's config does not fit its connector.
    """
    folder = file.absolute().parent
    drivers = known_connectors()
    resources: dict[str, Connector] = {
        name: drivers[spec.driver].model_validate(spec.config, context=Scope(folder))
        for name, spec in flow.resources.items()
    }
    return Scope(folder, resources)


def _resource_problems(flow: Flow, file: Path) -> Iterator[Problem]:
    drivers = known_connectors()
    for name, spec in flow.resources.items():
        where = f"resources.{name}"
        if spec.driver not in drivers:
            hint = did_you_mean(spec.driver, drivers)
            yield Problem(f"{where}.driver", f"no connector '{spec.driver}'{hint}")
            continue
        try:
            drivers[spec.driver].model_validate(spec.config, context=Scope(file.parent))
        except ValidationError as error:
            yield from problems_of(error, f"{where}.config")


def _order_problems(flow: Flow, file: Path) -> Iterator[Problem]:
    unknown = [
        Problem(f"jobs.{name}.depends_on[{i}]", f"no job '{job}'{did_you_mean(job, flow.jobs)}")
        for name, spec in flow.jobs.items()
        for i, job in enumerate(spec.depends_on)
        if job not in flow.jobs
    ]
    if unknown:
        yield from unknown
        return
    try:
        execution_order(flow.jobs)
    except ValueError as error:
        yield Problem("jobs", str(error))


def _job_problems(flow: Flow, file: Path) -> Iterator[Problem]:
    scope = open_scope(flow, file)
    for name, job in flow.jobs.items():
        where = f"jobs.{name}"
        before = ancestors(flow.jobs, name)
        visible = dict.fromkeys(r for other in before for r in _outputs(other, flow.jobs[other]))
        if job.when is not None:
            yield from _when_problems(job.when, visible, f"{where}.when")
        ids: set[str] = set()
        for i, step in enumerate(job.steps):
            if step.id in ids:
                yield Problem(f"{where}.steps[{i}].id", f"'{step.id}' is the id of two steps")
            ids.add(step.id)
            yield from _step_problems(step, scope, visible, f"{where}.steps[{i}]")
            visible |= dict.fromkeys(_step_outputs(name, step))


def _when_problems(text: str, visible: _Visible, where: str) -> Iterator[Problem]:
    try:
        references = Expression(text).references
    except ValueError as error:
        yield Problem(where, str(error))
        return
    for reference in references:
        yield from _reference_problems(reference, visible, where)


def _step_problems(
    spec: StepSpec, scope: Scope, visible: _Visible, where: str
) -> Iterator[Problem]:
    kinds = known_steps()
    if spec.type not in kinds:
        yield Problem(f"{where}.type", f"no step '{spec.type}'{did_you_mean(spec.type, kinds)}")
        return
    for location, text in find_references(spec.inputs):
        place = join_path(f"{where}.inputs", location)
        try:
            yield from _reference_problems(parse_reference(text), visible, place)
        except ValueError as error:
            yield Problem(place, str(error))
    try:
        kinds[spec.type].model_validate(spec.inputs, context=scope)
    except ValidationError as error:
        # What a reference will stand for is not known yet; the engine checks it again.
        dynamic = {join_path(f"{where}.inputs", place) for place in _open_places(spec.inputs)}
        yield from (p for p in problems_of(error, f"{where}.inputs") if p.path not in dynamic)


def _reference_problems(reference: Reference, visible: _Visible, where: str) -> Iterator[Problem]:
    if reference not in visible:
        names = [str(other) for other in visible]
        hint = did_you_mean(str(reference), names) if names else "; no step is done before this"
        yield Problem(where, f"no output '{reference}'{hint}")


def _open_places(inputs: dict[str, Any]) -> Iterator[tuple[str | int, ...]]:
    """Yield every place in `inputs` whose value is, or holds, a reference."""
    for location, _ in find_references(inputs):
        for length in range(1, len(location) + 1):
            yield location[:length]


def _outputs(name: str, job: JobSpec) -> Iterator[Reference]:
    for step in job.steps:
        yield from _step_outputs(name, step)


def _step_outputs(job: str, step: StepSpec) -> Iterator[Reference]:
    kind = known_steps().get(step.type)
    for output in kind.outputs if kind else ():
        yield Reference(job, step.id, output)
