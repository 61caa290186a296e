"""Run twine, and add how long an index asks to wait before another attempt.

Usage: ``upload.py`` with twine's own arguments. Every line of standard input is a JSON list of
further arguments, the files of one upload; every answer is a line, ``{"ok": ..., "said": ...}``
with what twine printed. twine shows the status of a refusal and drops its headers; here the line
``Retry-After: SECONDS`` follows what twine says, where the index sent one.

When standard input closes, this process ends at once: who asked is no longer there, and whoever
comes next asks the index what has arrived.
"""

import contextlib
import http
import io
import json
import os
import queue
import sys
import threading
import traceback
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import requests
from twine import cli, exceptions


def _seconds(value: str) -> int | None:
    """Read the header (RFC 9110, section 10.2.3): seconds, or the time of day."""
    if value.isdecimal():
        return int(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0, round((until - datetime.now(timezone.utc)).total_seconds()))


def _tell(response: requests.Response) -> None:
    """Say what twine says of a refusal, in its words, and how long to wait."""
    known = [status.phrase for status in http.HTTPStatus if status == response.status_code]
    phrase = known[0] if known else "Unknown Status"
    print(f"HTTPError: {response.status_code} {phrase} from {response.url}\n{response.reason}")
    seconds = _seconds(response.headers.get("Retry-After", ""))
    if seconds is not None:
        print(f"Retry-After: {seconds}")


def _upload(arguments: list[str]) -> bool:
    """Return whether twine did what it was told."""
    try:
        return not cli.dispatch(arguments)
    except requests.HTTPError as error:
        if error.response is None:
            traceback.print_exc()
            return False
        _tell(error.response)
    except exceptions.TwineException as error:
        print(f"{type(error).__name__}: {error.args[0]}")
    except SystemExit as error:  # what twine makes of arguments that it does not understand
        print(error)
    except Exception:
        traceback.print_exc()
    return False


def _read(uploads: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        uploads.put(line)
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Upload until nobody asks any more."""
    uploads: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(uploads,), daemon=True).start()
    while True:
        files = json.loads(uploads.get())
        with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
            ok = _upload(arguments + files)
        print(json.dumps({"ok": ok, "said": said.getvalue()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
