"""The events of a run, step by step, for any view that shows them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger("aetherflow.core")


@dataclass(frozen=True)
class Event:
    """Something that has happened.

    Attributes:
        kind: What: a job was skipped, or what became of a step.
        job: Name of the job.
        step: Id of the step; empty for a job.
        seconds: How long the step took, or how long the engine waits before it retries.
        text: Why it failed.
        flow: Name of the flow.
    """

    kind: Literal["skipped", "started", "restored", "done", "retry", "failed"]
    job: str
    step: str = ""
    seconds: float = 0.0
    text: str = ""
    flow: str = ""

    @property
    def place(self) -> str:
        """What it is about, as a flow refers to it."""
        return f"{self.job}.{self.step}" if self.step else self.job


Listener = Callable[[Event], None]
"""Called from the thread of the job, so it has to be safe for threads."""


def log_event(event: Event) -> None:
    """Write an event to the logger `aetherflow.core`, one line for each.

    The records have the attribute `flow`, for programs that run several flows at once.
    """
    extra = {"flow": event.flow}
    match event.kind:
        case "started":
            logger.debug("%s: started", event.place, extra=extra)
        case "skipped":
            logger.info("%s: skipped", event.place, extra=extra)
        case "restored":
            logger.info("%s: done before", event.place, extra=extra)
        case "done":
            logger.info("%s: done in %.2f s", event.place, event.seconds, extra=extra)
        case "retry":
            logger.warning(
                "%s: failed, next attempt in %g s: %s",
                event.place,
                event.seconds,
                event.text,
                extra=extra,
            )
        case "failed":
            logger.debug("%s: failed: %s", event.place, event.text, extra=extra)
