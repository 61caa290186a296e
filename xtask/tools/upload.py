"""Run twine uploads, and report the status of a refusal and how long the index asks to wait.

Usage: ``upload.py`` with twine's own arguments. Every line of standard input is a JSON object,
``{"arguments": [...], "sha256": {PATH: DIGEST}}``: the further arguments of one upload, and the
files that it sends. twine reads each file several times; what it sends is compared with the digest,
and is what was compared. Every answer is a line:

``{"ok": ..., "output": ..., "status": ..., "retry_after": ..., "changed": ...}``

``output`` is what twine printed, without the password, which an index may echo in any form.
``status`` is the HTTP status of a refusal and ``retry_after`` the seconds of its ``Retry-After``
header; both are null where there is none. twine ends every failure with the same exit code and
drops the header. ``changed`` is the path of a file that does not have its digest: nothing of it has
been sent.

When standard input closes, this process ends at once: its parent is gone, and the next release asks
the index which files have arrived.
"""

import argparse
import contextlib
import hashlib
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
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests
from twine import cli, exceptions, repository, utils

# `-I` also removes the folder of the script from the path. No bytecode is written there.
sys.dont_write_bytecode = True
sys.path.append(str(Path(__file__).parent))

import masking  # noqa: E402


class _ChangedError(Exception):
    """A file is not the one that was built and tested."""


def _send_only(digests: dict[str, str]) -> None:
    """Let twine send the files of these digests and no others."""

    def read(path: str, mode: str) -> BinaryIO:
        with open(path, mode) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != digests.get(path):
            raise _ChangedError(path)
        return io.BytesIO(content)

    # twine opens a file by this name at the moment of sending it, and nowhere else in this module.
    repository.open = read  # type: ignore[attr-defined]


def _seconds(value: str) -> int | None:
    """Read the header (RFC 9110, section 10.2.3): seconds, or the time of day."""
    if value.isdecimal():
        return int(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0, round((until - datetime.now(timezone.utc)).total_seconds()))


def _refusal(response: requests.Response) -> dict[str, Any]:
    """Print a refusal in twine's words, and return its status and pause."""
    known = [status.phrase for status in http.HTTPStatus if status == response.status_code]
    phrase = known[0] if known else "Unknown Status"
    print(f"HTTPError: {response.status_code} {phrase} from {response.url}\n{response.reason}")
    seconds = _seconds(response.headers.get("Retry-After", ""))
    if seconds is not None:
        print(f"Retry-After: {seconds}")
    return {"ok": False, "status": response.status_code, "retry_after": seconds}


def _upload(arguments: list[str]) -> dict[str, Any]:
    """Run twine once; its output goes to standard output."""
    ok = False
    try:
        ok = not cli.dispatch(arguments)
    except _ChangedError as error:
        print("a file has changed since it was built")
        return {"ok": False, "status": None, "retry_after": None, "changed": str(error)}
    except requests.HTTPError as error:
        if error.response is not None:
            return _refusal(error.response)
        traceback.print_exc()
    except exceptions.TwineException as error:
        print(f"{type(error).__name__}: {error.args[0]}")
    except SystemExit as error:  # twine does not understand its arguments
        print(error)
    except Exception:
        traceback.print_exc()
    return {"ok": ok, "status": None, "retry_after": None}


def _passwords(arguments: list[str]) -> set[str]:
    """Return every form of the passwords that twine may send.

    They are from the environment and from its configuration.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-file", default=utils.DEFAULT_CONFIG_FILE)
    parser.add_argument("--repository", required=True)
    options, _ = parser.parse_known_args(arguments)
    logins = [(os.environ.get("TWINE_USERNAME"), os.environ.get("TWINE_PASSWORD"))]
    with contextlib.suppress(exceptions.TwineException, ValueError):
        config = utils.get_repository_from_config(options.config_file, options.repository)
        users = (config.get("username"), logins[0][0])
        logins += [(user, config.get("password")) for user in users]
        address = urlsplit(config["repository"] or "")
        logins.append((address.username, address.password))
    known = [(user, password) for user, password in logins if password]
    return {form for user, password in known for form in masking.forms(user, password)}


def _read(uploads: "queue.SimpleQueue[str]") -> None:
    for line in sys.stdin:
        uploads.put(line)
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Upload until standard input closes."""
    passwords = _passwords(arguments)
    uploads: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(uploads,), daemon=True).start()
    while True:
        upload = json.loads(uploads.get())
        _send_only(upload["sha256"])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            answer = _upload(arguments + upload["arguments"])
        output = masking.masked(printed.getvalue(), passwords)
        print(json.dumps({**answer, "output": output}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
