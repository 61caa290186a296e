"""Query an index over the simple API (PEP 503, PEP 691), or download files from it.

A question is one of these objects:

* ``{"simple": URL, "projects": [NAME, ...]}`` gives, per name, ``{"files": [{"filename", "url",
  "sha256", "age", "yanked"}, ...]}`` (empty where the index does not know the project) or
  ``{"unknown": WHY}`` where there is no answer. An unknown file is never reported as absent.
* ``{"fetch": [{"url", "path"}, ...]}`` stores every file and gives ``{}``, or ``{"unknown": WHY}``.

Names are in PEP 503 normal form; ``sha256`` and ``age`` (whole days since the upload, PEP 700) are
null where the index does not give them. No answer contains an address: it may hold a password.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import listing
import masking
import requests
import urllib3

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
# Seconds to connect, and seconds between two packets.
TIMEOUT = (10, 30)
# Seconds for one whole answer: an index that sends a byte now and then never runs into TIMEOUT.
LIMIT = 45
# The same for the download of one file.
FETCH_LIMIT = 900
# Bytes of a listing. The longest of PyPI have a tenth of that.
LARGEST = 200_000_000
# Seconds between two attempts, and the longest that an index may ask to wait.
PAUSES = (0.5, 2)
LONGEST_PAUSE = 60.0
# Everything that a broken answer makes `requests` raise, some of it not its own.
ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


@dataclass
class _Answer:
    status: int
    reason: str
    headers: Any
    url: str
    is_redirected: bool
    body: bytes


def ask(simple: str, project: str) -> dict[str, Any]:
    """Return the files that the index at ``simple`` lists for ``project``."""
    url = f"{simple.rstrip('/')}/{project}/"
    try:
        answer = _get_patiently(url)
        if answer.is_redirected and not _is_about(answer.url, project):
            return {"unknown": "it redirects to another page, such as a login"}
        if answer.status == 404:
            return {"files": []}
        if answer.status != 200:
            return {"unknown": f"status {answer.status} {answer.reason}".strip()}
        kind = answer.headers.get("Content-Type", "")
        return {"files": listing.read(kind, answer.body, answer.url, project)}
    except listing.NotAListing as error:
        return {"unknown": str(error)}
    except ERRORS as error:
        return {"unknown": _reason(error)}


def _is_about(url: str, project: str) -> bool:
    last = urlsplit(url).path.rstrip("/").rsplit("/", 1)[-1]
    return listing.normal(last) == project


def _get_patiently(url: str) -> _Answer:
    """Repeat the request a few times after a failure that may pass."""
    for pause in PAUSES:
        try:
            answer = _within(LIMIT, lambda: _get(url))
        except requests.ConnectionError:
            time.sleep(pause)
            continue
        if answer.status != 429 and answer.status < 500:
            return answer
        wanted = answer.headers.get("Retry-After", "")
        is_number = wanted.isascii() and wanted.isdecimal() and len(wanted) < 10
        time.sleep(min(float(wanted), LONGEST_PAUSE) if is_number else pause)
    return _within(LIMIT, lambda: _get(url))


def _get(url: str) -> _Answer:
    headers = {"Accept": ACCEPT, "Cache-Control": "no-cache", "Pragma": "no-cache"}
    with requests.get(url, headers=headers, timeout=TIMEOUT, stream=True) as response:
        body = bytearray()
        for block in response.iter_content(1 << 16):
            body += block
            if len(body) > LARGEST:
                raise listing.NotAListing("its answer has no end")
        # An index may echo the login of the address, or of a .netrc file.
        sent = response.request.headers.get("Authorization", "")
        reason = masking.masked(response.reason or "", masking.of_header(sent))
        is_redirected = bool(response.history)
        return _Answer(
            response.status_code, reason, response.headers, response.url, is_redirected, bytes(body)
        )


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Return what ``work`` returns, or raise ``requests.Timeout`` while it goes on elsewhere.

    Only a thread of its own bounds the whole: a time limit of `requests` begins again with every
    packet, also with those of the header.
    """
    done: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise requests.Timeout
    return done[0]


def fetch(files: list[dict[str, str]]) -> dict[str, Any]:
    """Store every file under its path; stop at the first that cannot be downloaded."""
    for file in files:
        path = Path(file["path"])
        try:
            status = _within(FETCH_LIMIT, lambda url=file["url"], path=path: _store(url, path))
        except ERRORS as error:
            return {"unknown": f"{_reason(error)} (`{path.name}`)"}
        if status != 200:
            return {"unknown": f"status {status} for `{path.name}`"}
    return {}


def _store(url: str, path: Path) -> int:
    with requests.get(url, timeout=TIMEOUT, stream=True) as response:
        if response.status_code == 200:
            with path.open("wb") as target:
                for block in response.iter_content(1 << 16):
                    target.write(block)
        return response.status_code


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "connection failed"
    return f"unreadable answer ({type(error).__name__})"


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to one question, in the form that this module describes."""
    if "fetch" in question:
        return fetch(question["fetch"])
    projects = question["projects"]
    silent = threading.Event()

    def one(project: str) -> dict[str, Any]:
        # An index that did not answer in time is not waited for once more by every project.
        if silent.is_set():
            return {"unknown": "no answer in time"}
        found = ask(question["simple"], project)
        if found.get("unknown") == "no answer in time":
            silent.set()
        return found

    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(projects, pool.map(one, projects), strict=True))
