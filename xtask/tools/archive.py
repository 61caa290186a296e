"""Tell what lies in sdists and wheels, as JSON.

Usage: ``archive.py FILE...``. Prints an array with one object per file: ``filename``,
``members`` (paths; those of an sdist without its top folder) and ``metadata`` (every header of
METADATA or PKG-INFO as a list of strings). A file that cannot be read has ``error`` instead.
"""

import email.parser
import email.policy
import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any


def _headers(text: bytes) -> dict[str, list[str]]:
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(text)
    headers: dict[str, list[str]] = {}
    for key, value in message.items():
        headers.setdefault(key, []).append(str(value))
    return headers


def _wheel(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        members = [info.filename for info in archive.infolist() if not info.is_dir()]
        found = [m for m in members if m.count("/") == 1 and m.endswith(".dist-info/METADATA")]
        if len(found) != 1:
            raise ValueError(f"{len(found)} METADATA files, not one")
        return {"members": members, "metadata": _headers(archive.read(found[0]))}


def _sdist(path: Path) -> dict[str, Any]:
    with tarfile.open(path) as archive:
        names = [member.name for member in archive.getmembers() if not member.isdir()]
        tops = {name.split("/", 1)[0] for name in names}
        if len(tops) != 1:
            raise ValueError(f"{len(tops)} top folders, not one")
        top = tops.pop()
        info = archive.extractfile(f"{top}/PKG-INFO")
        if info is None:
            raise ValueError("PKG-INFO is no file")
        members = [name[len(top) + 1 :] for name in names]
        return {"members": members, "metadata": _headers(info.read())}


def inspect(path: Path) -> dict[str, Any]:
    """Return what lies in one archive; errors of reading it become the key ``error``."""
    read = _wheel if path.suffix == ".whl" else _sdist
    try:
        return {"filename": path.name, **read(path)}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        return {"filename": path.name, "error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    json.dump([inspect(Path(name)) for name in sys.argv[1:]], sys.stdout)
