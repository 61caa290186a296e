"""Read the contents of sdists and wheels, as JSON.

A question is a list of paths; the answer an array with one object per file: ``filename``,
``size`` in bytes, ``members`` (path to SHA-256; the paths of an sdist without its top folder) and
``metadata`` (every header of METADATA or PKG-INFO as a list of strings). A file that cannot be
read has ``error`` instead.
"""

import email.parser
import email.policy
import hashlib
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def _headers(text: bytes) -> dict[str, list[str]]:
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(text)
    headers: dict[str, list[str]] = {}
    for key, value in message.items():
        headers.setdefault(key, []).append(str(value))
    return headers


def _once(files: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    """Digest every file. A path that occurs twice is an error: one of its contents is hidden."""
    members: dict[str, str] = {}
    for path, content in files:
        if path in members:
            raise ValueError(f"it contains `{path}` twice")
        members[path] = hashlib.sha256(content).hexdigest()
    return members


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Return the contents of a member; for a link, its target."""
    if not member.isfile():
        return member.linkname.encode()
    content = archive.extractfile(member)
    return content.read() if content else b""


def _wheel(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
        members = _once((info.filename, archive.read(info)) for info in infos)
        found = [m for m in members if m.count("/") == 1 and m.endswith(".dist-info/METADATA")]
        if len(found) != 1:
            raise ValueError(f"expected 1 METADATA file, found {len(found)}")
        return {"members": members, "metadata": _headers(archive.read(found[0]))}


def _sdist(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as archive:
        found = [member for member in archive.getmembers() if not member.isdir()]
        tops = {member.name.split("/", 1)[0] for member in found}
        if len(tops) != 1:
            raise ValueError(f"expected 1 top-level folder, found {len(tops)}")
        top = tops.pop()
        info = archive.extractfile(f"{top}/PKG-INFO")
        if info is None:
            raise ValueError("PKG-INFO is not a file")
        members = _once((member.name[len(top) + 1 :], _bytes(archive, member)) for member in found)
        return {"members": members, "metadata": _headers(info.read())}


def inspect(path: Path) -> dict[str, Any]:
    """Return the contents of one archive; an error of reading it becomes the key ``error``."""
    read = _wheel if path.suffix == ".whl" else _sdist
    try:
        return {"filename": path.name, "size": path.stat().st_size, **read(path)}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        return {"filename": path.name, "error": f"{type(error).__name__}: {error}"}


def answer(paths: list[str]) -> list[dict[str, Any]]:
    """Return the contents of each of these files."""
    return [inspect(Path(path)) for path in paths]
