"""Query an index over the simple API (PEP 503, PEP 691), or download files from it.

A question is one of these objects:

* ``{"simple": URL, "projects": [NAME, ...]}`` gives, per name, ``{"files": [{"filename", "url",
  "sha256", "age"}, ...]}`` (empty where the index does not know the project) or
  ``{"unknown": WHY}`` where there is no answer. An unknown file is never reported as absent.
* ``{"fetch": [{"url", "path"}, ...]}`` stores every file and gives ``{}``, or ``{"unknown": WHY}``.

Names are in PEP 503 normal form; ``sha256`` and ``age`` (whole days since the upload, PEP 700) are
null where the index does not give them.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import requests

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
# Seconds to connect, and seconds between two packets.
TIMEOUT = (10, 30)
# Seconds between two attempts, and the longest that an index may ask to wait.
PAUSES = (0.5, 2)
LONGEST_PAUSE = 60.0


class _Anchors(HTMLParser):
    """Collects the ``href`` of every anchor."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.hrefs.extend(value for key, value in attrs if key == "href" and value)


def _from_html(text: str, base: str) -> list[dict[str, Any]]:
    anchors = _Anchors()
    anchors.feed(text)
    files = []
    for href in anchors.hrefs:
        url, fragment = urldefrag(urljoin(base, href))
        algorithm, _, digest = fragment.partition("=")
        sha256 = digest if algorithm == "sha256" else None
        filename = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        files.append({"filename": filename, "url": url, "sha256": sha256, "age": None})
    return files


def _from_json(body: dict[str, Any], base: str) -> list[dict[str, Any]]:
    return [
        {
            "filename": file["filename"],
            "url": urljoin(base, file["url"]),
            "sha256": file.get("hashes", {}).get("sha256"),
            "age": _days_since(file.get("upload-time")),
        }
        for file in body["files"]
    ]


def _days_since(upload_time: str | None) -> int | None:
    # The seconds are followed by fractions and the Z of UTC; PEP 700 allows nothing else.
    try:
        then = datetime.strptime((upload_time or "")[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return None
    return max((datetime.now(timezone.utc) - then.replace(tzinfo=timezone.utc)).days, 0)


def ask(simple: str, project: str) -> dict[str, Any]:
    """Return the files that the index at ``simple`` lists for ``project``."""
    url = f"{simple.rstrip('/')}/{project}/"
    try:
        response = _get_patiently(url)
        if response.status_code == 404:
            return {"files": []}
        if response.status_code != 200:
            return {"unknown": f"status {response.status_code} {response.reason}"}
        if "json" in response.headers.get("Content-Type", ""):
            return {"files": _from_json(response.json(), response.url)}
        return {"files": _from_html(response.text, response.url)}
    except (requests.RequestException, KeyError, TypeError, ValueError) as error:
        return {"unknown": _reason(error)}


def _get_patiently(url: str) -> requests.Response:
    """Repeat the request a few times after a failure that may pass."""
    headers = {"Accept": ACCEPT, "Cache-Control": "no-cache", "Pragma": "no-cache"}
    for pause in PAUSES:
        try:
            response = requests.get(url, headers=headers, timeout=TIMEOUT)
        except requests.ConnectionError:
            time.sleep(pause)
            continue
        if response.status_code != 429 and response.status_code < 500:
            return response
        wanted = response.headers.get("Retry-After", "")
        time.sleep(min(float(wanted), LONGEST_PAUSE) if wanted.isdecimal() else pause)
    return requests.get(url, headers=headers, timeout=TIMEOUT)


def fetch(files: list[dict[str, str]]) -> dict[str, Any]:
    """Store every file under its path; stop at the first that cannot be downloaded."""
    for file in files:
        try:
            with requests.get(file["url"], timeout=TIMEOUT, stream=True) as response:
                if response.status_code != 200:
                    return {"unknown": f"status {response.status_code} for {file['url']}"}
                with Path(file["path"]).open("wb") as target:
                    for block in response.iter_content(1 << 16):
                        target.write(block)
        except requests.RequestException as error:
            return {"unknown": _reason(error)}
    return {}


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
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = pool.map(lambda project: ask(question["simple"], project), projects)
        return dict(zip(projects, answers, strict=True))
