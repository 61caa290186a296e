"""The live view of a run on a terminal: the steps that run now, below those that are done."""

import logging
import sys
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from aetherflow.core.events import Event

_COLOURS = {"done": "green", "retry": "yellow", "failed": "red", "skipped": "dim"}


class LiveView:
    """Shows events on stderr. A context manager; the view disappears at the end."""

    def __init__(self) -> None:
        """Prepare the view."""
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._mutex = threading.Lock()
        self._since: dict[str, float] = {}
        self._spinner = Spinner("dots")
        self._live = Live(
            get_renderable=self._render,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
        )
        self._logger = logging.getLogger("aetherflow")

    def __enter__(self) -> "LiveView":
        """Show the view, and print above it what is logged."""
        self._handlers = self._logger.handlers
        self._logger.handlers = [_Above(self._console)]
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the view."""
        self._live.stop()
        self._logger.handlers = self._handlers
        sys.stderr.flush()

    def on_event(self, event: Event) -> None:
        """Show an event; called from the threads of the jobs."""
        with self._mutex:
            if event.kind == "started":
                self._since[event.place] = time.monotonic()
                return
            self._since.pop(event.place, None)
        line = Text(f"{event.place}: ")
        line.append(event.kind, style=_COLOURS.get(event.kind, ""))
        if event.kind == "retry":
            line.append(f" in {event.seconds:g} s: {event.text}")
        elif event.kind == "done":
            line.append(f" in {event.seconds:.2f} s")
        self._console.print(line)

    def _render(self) -> Table:
        table = Table.grid(padding=(0, 1))
        with self._mutex:
            running = list(self._since.items())
        for place, since in running:
            table.add_row(self._spinner, Text(place), f"{time.monotonic() - since:.0f} s")
        return table


class _Above(logging.Handler):
    """Prints records above the view."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(Text(self.format(record)))
