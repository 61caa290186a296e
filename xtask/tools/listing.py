"""Read what an index answers for a project, and take nothing else for a listing (PEP 503, PEP 691).

Error pages, login pages and empty bodies come with status 200 as well. An answer that is not
certainly a listing is an error with a sentence that says why; it never counts as an empty listing.

Must not know how an answer was fetched.
"""

import json
import re
from datetime import datetime, timezone
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

DISTRIBUTION = re.compile(
    r"\.(whl|tar\.gz|zip|egg|tgz|tar\.bz2|tar\.xz|exe|msi|rpm|deb|dmg)$", re.IGNORECASE
)
SHA256 = re.compile(r"[0-9a-f]{64}")


class NotAListing(ValueError):
    """The answer cannot be used; the text says why, and continues "could not query X: …"."""


class _Page(HTMLParser):
    """Collects what tells a listing from another page."""

    def __init__(self) -> None:
        super().__init__()
        # Each with whether its file is yanked (PEP 592).
        self.hrefs: list[tuple[str, bool]] = []
        self.opened: set[str] = set()
        self.closed: set[str] = set()
        self.is_marked = False
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.add(tag)
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.hrefs.append((values["href"] or "", "data-yanked" in values))
        if tag == "meta" and values.get("name") == "pypi:repository-version":
            self.is_marked = True

    def handle_endtag(self, tag: str) -> None:
        self.closed.add(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def normal(name: str) -> str:
    """Return a project's name in the form of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _file(filename: Any, url: Any, base: str, sha256: Any, age: int | None) -> dict[str, Any]:
    if not isinstance(filename, str) or not isinstance(url, str):
        raise NotAListing("its answer lists a file without a name and an address")
    if not filename.isprintable() or re.search(r"[/\\]", filename) or filename in ("", ".", ".."):
        raise NotAListing(f"its answer lists {filename[:60]!a}, which is not a file name")
    if sha256 is not None:
        sha256 = sha256.lower() if isinstance(sha256, str) else ""
        if not SHA256.fullmatch(sha256):
            raise NotAListing(f"its answer lists `{filename}` with an invalid SHA-256")
    return {"filename": filename, "url": urljoin(base, url), "sha256": sha256, "age": age}


def _days_since(upload_time: Any) -> int | None:
    # The seconds are followed by fractions and the Z of UTC; PEP 700 allows nothing else.
    try:
        then = datetime.strptime(str(upload_time)[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        return None
    return max((datetime.now(timezone.utc) - then.replace(tzinfo=timezone.utc)).days, 0)


def _belongs_to(filename: str, project: str) -> bool:
    stem = normal(DISTRIBUTION.sub("", filename))
    return bool(DISTRIBUTION.search(filename)) and stem.startswith(f"{project}-")


def _from_html(body: bytes, base: str, project: str) -> list[dict[str, Any]]:
    page = _Page()
    try:
        page.feed(body.decode("utf-8", "replace"))
        page.close()
    except AssertionError:  # what the parser raises for some broken declarations
        raise NotAListing("its answer is not valid HTML") from None
    for tag in ("html", "body"):
        if tag in page.opened and not page.closed & {"html", "body"}:
            raise NotAListing("its answer ends in the middle of a page")
    files = []
    for href, yanked in page.hrefs:
        url, fragment = urldefrag(urljoin(base, href))
        algorithm, _, digest = fragment.partition("=")
        filename = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
        if _belongs_to(filename, project) or (DISTRIBUTION.search(filename) and "/" in filename):
            sha256 = digest if algorithm == "sha256" else None
            files.append({**_file(filename, url, base, sha256, None), "yanked": yanked})
    # A project without a file: servers mark such a page, or head it with the words of PEP 503.
    words = " ".join(" ".join(page.text).lower().split())
    is_empty_listing = page.is_marked or f"links for {project}" in re.sub(r"[-_.]+", "-", words)
    if not files and ("form" in page.opened or not is_empty_listing):
        raise NotAListing("its answer is a page that lists no files of the project")
    return files


def _from_json(body: bytes, base: str, project: str) -> list[dict[str, Any]]:
    try:
        answer = json.loads(body)
    except RecursionError:
        raise NotAListing("its answer is nested too deeply to be read") from None
    except ValueError:
        raise NotAListing("its answer is not valid JSON") from None
    if not isinstance(answer, dict) or not isinstance(answer.get("files"), list):
        raise NotAListing("its answer is JSON without a list of files (PEP 691)")
    meta = answer.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    if not isinstance(version, str) or version.partition(".")[0] != "1":
        raise NotAListing("its answer does not have version 1 of the simple API (PEP 691)")
    name = answer.get("name")
    if not isinstance(name, str) or normal(name) != project:
        raise NotAListing("its answer is about another project")
    files = []
    for file in answer["files"]:
        hashes = file.get("hashes") if isinstance(file, dict) else None
        if not isinstance(hashes, dict):
            raise NotAListing("its answer lists a file without its hashes (PEP 691)")
        age = _days_since(file.get("upload-time"))
        listed = _file(file.get("filename"), file.get("url"), base, hashes.get("sha256"), age)
        files.append({**listed, "yanked": file.get("yanked") not in (None, False)})
    return files


def read(content_type: str, body: bytes, base: str, project: str) -> list[dict[str, Any]]:
    """Return the files that an answer with status 200 lists; ``base`` is its address.

    Raises ``NotAListing`` where it is anything else.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not body.strip():
        raise NotAListing("its answer is empty")
    if kind == "application/json" or kind.endswith("+json"):
        files = _from_json(body, base, project)
    elif kind in ("text/html", "application/xhtml+xml") or kind.endswith("+html"):
        files = _from_html(body, base, project)
    else:
        shown = kind if kind.isprintable() and kind else "no type"
        raise NotAListing(f"its answer has the content type `{shown[:60]}`, not that of a listing")
    digests: dict[str, str | None] = {}
    for file in files:
        if digests.setdefault(file["filename"], file["sha256"]) != file["sha256"]:
            raise NotAListing(f"its answer lists `{file['filename']}` twice, with two digests")
    return files
