"""Run twine, and add how long an index asks to wait before another attempt.

Usage: ``upload.py`` with twine's own arguments. twine shows the status of a refusal and drops its
headers; here the line ``Retry-After: SECONDS`` follows what twine says, where the index sent one.
"""

import http
import sys
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


def main(arguments: list[str]) -> int:
    """Return 0 when twine did what it was told."""
    cli.configure_output()
    try:
        return 1 if cli.dispatch(arguments) else 0
    except requests.HTTPError as error:
        if error.response is None:
            raise
        _tell(error.response)
    except exceptions.TwineException as error:
        print(f"{type(error).__name__}: {error.args[0]}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
