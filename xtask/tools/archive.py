"""Read the contents and the structure of sdists and wheels, as JSON.

A question is a list of paths; the answer an array with one object per file: ``filename``,
``size`` in bytes, ``members`` (path to SHA-256; the paths of an sdist without its top folder),
``ids`` (path to the identity that git gives these contents), ``pointers`` (members that are
pointers of Git LFS), ``extending`` (``__init__.py`` members that extend the path of their package),
``kinds`` (path to the type of a member and those of its permissions that are not ordinary),
``comment`` (of a zip) and ``metadata`` (every header of METADATA or PKG-INFO as a list of strings).
A wheel also has ``tags`` (those of its WHEEL file) and ``record`` (path to the SHA-256 that RECORD
has for it; null where it has none, empty where that is wrong). A file that cannot be read, or that
one reader would read otherwise than another, has ``error`` instead.
"""

import base64
import binascii
import csv
import email.parser
import email.policy
import gzip
import hashlib
import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

# Bytes that an archive may unpack to; an index accepts far less.
LARGEST = 4_000_000_000
# How a pointer of Git LFS begins, which has less than 1024 bytes.
POINTER = b"version https://git-lfs.github.com/spec/"
# The older ways to share a package between distributions.
EXTENDING = (b"extend_path", b"declare_namespace")
# Errors of broken archives.
ERRORS = (
    *(OSError, ValueError, KeyError, EOFError, NotImplementedError, RuntimeError, struct.error),
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, csv.Error, RecursionError),
)


def _headers(text: bytes) -> dict[str, list[str]]:
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(text)
    headers: dict[str, list[str]] = {}
    for key, value in message.items():
        headers.setdefault(key, []).append(str(value))
    return headers


def _once(files: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Digest every file. A path that occurs twice is an error: one of its contents is hidden."""
    members: dict[str, str] = {}
    ids: dict[str, str] = {}
    pointers, extending = [], []
    for path, content in files:
        parts = PurePosixPath(path).parts
        if ".." in parts or path.startswith("/") or "\\" in path or "\0" in path:
            raise ValueError(f"it contains `{path}`, a path that leads out of it")
        if path in members:
            raise ValueError(f"it contains `{path}` twice")
        members[path] = hashlib.sha256(content).hexdigest()
        blob = b"blob %d\0" % len(content) + content
        ids[path] = hashlib.sha1(blob, usedforsecurity=False).hexdigest()
        if content.startswith(POINTER) and len(content) < 1024:
            pointers.append(path)
        if path.endswith("/__init__.py") and any(word in content for word in EXTENDING):
            extending.append(path)
    return {"members": members, "ids": ids, "pointers": pointers, "extending": extending}


def _kind(mode: int) -> str:
    """Return the type of a file, and its permissions apart from those that a umask decides."""
    words = ["link" if stat.S_ISLNK(mode) else "file" if stat.S_ISREG(mode) else "other"]
    for bit, word in (
        (stat.S_ISUID, "setuid"),
        (stat.S_ISGID, "setgid"),
        (stat.S_ISVTX, "sticky"),
        (stat.S_IXUSR, "executable"),
        (stat.S_IWOTH, "writable by everybody"),
    ):
        if mode & bit:
            words.append(word)
    return ", ".join(words)


def _check_layout(raw: bytes, archive: zipfile.ZipFile) -> None:
    """Compare the local headers with the central directory.

    Some readers go by the one, some by the other. Bytes that neither describes may be a file too.
    """
    at = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if info.header_offset != at or raw[at : at + 4] != b"PK\3\4":
            raise ValueError(f"it has data before `{info.filename}` that it does not list")
        flags, name_length, extra_length = struct.unpack("<6xH18xHH", raw[at : at + 30])
        name = raw[at + 30 : at + 30 + name_length]
        if name.decode("utf-8" if flags & 0x800 else "cp437", "replace") != info.orig_filename:
            raise ValueError(f"it has a file under two names, one of them `{info.filename}`")
        at += 30 + name_length + extra_length + info.compress_size
        if flags & 8:  # sizes and checksum follow the data, with or without a signature
            at += 4 if raw[at : at + 4] == b"PK\7\10" else 0
            at += 12 if _is_next(raw, at + 12, archive.start_dir) else 20
    if at != archive.start_dir:
        raise ValueError("it has data before its list of files that it does not list")
    end = raw.rfind(b"PK\5\6")
    if end < archive.start_dir or end + 22 + len(archive.comment) != len(raw):
        raise ValueError("it has data after its list of files")


def _is_next(raw: bytes, at: int, directory: int) -> bool:
    return at == directory or raw[at : at + 4] == b"PK\3\4"


def _record(rows: str, read: Any, names: dict[str, str]) -> dict[str, str | None]:
    """Return the SHA-256 of every file in a RECORD; null without one, empty if it is wrong."""
    record: dict[str, str | None] = {}
    for row in csv.reader(io.StringIO(rows)):
        if not row:
            continue
        path, hashed = row[0], row[1] if len(row) > 1 else ""
        algorithm, _, digest = hashed.partition("=")
        try:
            found = base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4))
        except (binascii.Error, ValueError):
            found = b""
        record[path] = found.hex() if algorithm == "sha256" else "" if hashed else None
        if algorithm in ("sha384", "sha512") and path in names:
            is_right = hashlib.new(algorithm, read(path)).digest() == found
            record[path] = names[path] if is_right else ""
    return record


def _wheel(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        _check_layout(raw, archive)
        infos = [info for info in archive.infolist() if not info.is_dir()]
        if sum(info.file_size for info in infos) > LARGEST:
            raise ValueError("it unpacks to more than an index accepts")
        contents = _once((info.filename, archive.read(info)) for info in infos)
        members = contents["members"]
        found = [m for m in members if m.count("/") == 1 and m.endswith(".dist-info/METADATA")]
        if len(found) != 1:
            raise ValueError(f"expected 1 METADATA file, found {len(found)}")
        folder = found[0].rpartition("/")[0]
        wheel = archive.read(f"{folder}/WHEEL") if f"{folder}/WHEEL" in members else b""
        rows = archive.read(f"{folder}/RECORD") if f"{folder}/RECORD" in members else b""
        kinds = {info.filename: _kind(_zip_mode(info)) for info in infos}
        return {
            **contents,
            "kinds": kinds,
            "comment": archive.comment.decode("latin-1"),
            "metadata": _headers(archive.read(found[0])),
            "tags": _headers(wheel).get("Tag", []),
            "record": _record(rows.decode(), archive.read, members),
        }


def _zip_mode(info: zipfile.ZipInfo) -> int:
    mode = info.external_attr >> 16
    return mode if stat.S_IFMT(mode) else mode | stat.S_IFREG


def _sdist(path: Path) -> dict[str, Any]:
    with gzip.open(path) as stream:
        raw = stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise ValueError("it unpacks to more than an index accepts")
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        found = [member for member in archive.getmembers() if not member.isdir()]
        if raw[archive.offset :].strip(b"\0"):
            raise ValueError("it has data after its end")
        tops = {member.name.split("/", 1)[0] for member in found}
        if len(tops) != 1:
            raise ValueError(f"expected 1 top-level folder, found {len(tops)}")
        top = tops.pop()
        info = archive.extractfile(f"{top}/PKG-INFO")
        if info is None:
            raise ValueError("PKG-INFO is not a file")
        contents = _once((member.name[len(top) + 1 :], _bytes(archive, member)) for member in found)
        kinds = {member.name[len(top) + 1 :]: _kind(_tar_mode(member)) for member in found}
        return {**contents, "kinds": kinds, "metadata": _headers(info.read())}


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Return the contents of a member; for a link, its target."""
    if not member.isreg():
        return member.linkname.encode()
    content = archive.extractfile(member)
    return content.read() if content else b""


def _tar_mode(member: tarfile.TarInfo) -> int:
    if member.isreg():
        kind = stat.S_IFREG
    else:
        kind = stat.S_IFLNK if member.issym() or member.islnk() else stat.S_IFIFO
    return kind | stat.S_IMODE(member.mode)


def inspect(path: Path) -> dict[str, Any]:
    """Return the contents of one archive; an error of reading it becomes the key ``error``."""
    read = _wheel if path.suffix == ".whl" else _sdist
    try:
        return {"filename": path.name, "size": path.stat().st_size, **read(path)}
    except ERRORS as error:
        return {"filename": path.name, "error": f"{type(error).__name__}: {error}"}


def answer(paths: list[str]) -> list[dict[str, Any]]:
    """Return the contents of each of these files."""
    return [inspect(Path(path)) for path in paths]
