"""Files appear whole or not at all, so that a step can be run again after any interruption."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Lend a path to write to, beside `target`, which is replaced by it at the end.

    Raises:
        OSError: The folder cannot be made or written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_drafts_of_the_dead(target)
    draft = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        yield draft
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _remove_drafts_of_the_dead(target: Path) -> None:
    """Remove what processes that were killed have left beside `target`."""
    if os.name != "posix":  # elsewhere, asking whether a process lives would end it
        return
    prefix = f".{target.name}."
    for path in target.parent.iterdir():
        process, dash, _ = path.name.removeprefix(prefix).partition("-")
        if path.name.startswith(prefix) and dash and process.isdecimal():
            try:
                os.kill(int(process), 0)
            except ProcessLookupError:
                path.unlink(missing_ok=True)
            except (PermissionError, OverflowError):  # it lives, or is not a draft of ours
                continue
