"""Running one step: attempt after attempt, each within its time, recorded as it goes."""

import hashlib
import json
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from aetherflow.core.control import Cancelled, Control, controlled
from aetherflow.core.errors import PermanentError, StepFailed
from aetherflow.core.events import Event, Listener
from aetherflow.core.extension import Scope, Step
from aetherflow.core.logs import note
from aetherflow.core.model import StepSpec
from aetherflow.core.references import resolve
from aetherflow.core.registry import known_steps
from aetherflow.core.state import RunState
from aetherflow.core.wording import problems_of

_LONGEST_PAUSE = 300.0
"""Seconds that a retry waits at most."""


class StepRunner:
    """Runs the steps of one job, one at a time.

    Attributes:
        control: That of the attempt in progress, for the engine to see whether it is late.
    """

    def __init__(
        self,
        job: str,
        scope: Scope,
        state: RunState,
        listener: Listener,
        *,
        cancel: threading.Event,
        no_more: threading.Event,
    ) -> None:
        """Take what all steps of the job need.

        Args:
            job: The name of the job.
            scope: What its steps may use.
            state: Where they are recorded.
            listener: Told of what happens.
            cancel: Set once the step is to stop.
            no_more: Set once nothing new is to start, no further attempt either.
        """
        self._job = job
        self._scope = scope
        self._state = state
        self._listener = listener
        self._cancel = cancel
        self._no_more = no_more
        self.control: Control | None = None
        self.step: str = ""

    def run(self, spec: StepSpec, values: Mapping[str, Any], digest: str) -> dict[str, Any]:
        """Run a step until it succeeds, and return its outputs.

        Raises:
            StepFailed: It failed, and so did its retries.
            Cancelled: The run is being stopped.
            RunFailed: The state cannot be written.
        """
        attempt = 0
        while True:
            attempt += 1
            self._state.step_started(self._job, spec.id, digest, attempt)
            self._tell("started", spec)
            control = Control(
                self._state.logs / f"{self._job}.{spec.id}", self._cancel, spec.timeout
            )
            started = time.monotonic()
            try:
                with controlled(control):
                    outputs = self._attempt(spec, values, control)
            # A step can be foreign code: anything can come out of it, `sys.exit` included.
            except (Exception, SystemExit) as error:
                seconds = round(time.monotonic() - started, 3)
                reason = reason_of(error)
                self._state.step_failed(self._job, spec.id, seconds, reason)
                if attempt > spec.retries or isinstance(error, (PermanentError, ValidationError)):
                    self._tell("failed", spec, seconds, reason)
                    raise StepFailed(self._job, spec.id, reason, control.log) from error
                self._pause(spec, attempt, reason)
                continue
            seconds = round(time.monotonic() - started, 3)
            self._state.step_done(self._job, spec.id, seconds, outputs)
            self._tell("done", spec, seconds)
            return outputs

    def _attempt(
        self, spec: StepSpec, values: Mapping[str, Any], control: Control
    ) -> dict[str, Any]:
        self.control, self.step = control, spec.id
        try:
            note(f"started: {spec.type}")
            kind = known_steps()[spec.type]
            step = kind.model_validate(resolve(spec.inputs, values), context=self._scope)
            outputs = _as_json(step, step.run().outputs)
            control.check_time()  # a step that does not look at the time is late all the same
            note("done")
            return outputs
        except (Exception, SystemExit):
            note(f"failed\n{traceback.format_exc()}")
            raise
        finally:
            self.control = None

    def _pause(self, spec: StepSpec, attempt: int, reason: str) -> None:
        seconds = min(spec.backoff * 2 ** (attempt - 1), _LONGEST_PAUSE)
        self._tell("retry", spec, seconds, reason)
        if self._no_more.wait(seconds):
            raise Cancelled

    def _tell(self, kind: Any, spec: StepSpec, seconds: float = 0.0, text: str = "") -> None:
        self._listener(Event(kind, self._job, spec.id, seconds, text))


def fingerprint(spec: StepSpec, resources: Mapping[str, Any]) -> str:
    """Return a digest of all that the flow document says about what a step does."""
    text = json.dumps([spec.type, spec.inputs, resources], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def reason_of(error: BaseException) -> str:
    """Return why a step failed, in one sentence for the author of the flow."""
    if isinstance(error, ValidationError):
        # The values are not quoted: they can be secrets from the environment.
        problems = problems_of(error, prefix="inputs", secret=lambda path: True)
        return "; ".join(f"`{p.path}`: {p.message}" for p in problems)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    if isinstance(error, (OSError, ValueError, RuntimeError)) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _as_json(step: Step, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs as they will be read back, so that a resumed run sees the same."""
    if set(outputs) != set(step.outputs):
        raise TypeError(f"promised the outputs {sorted(step.outputs)}, gave {sorted(outputs)}")
    restored: dict[str, Any] = json.loads(json.dumps(dict(outputs)))
    return restored
