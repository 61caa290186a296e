"""Answers of indexes and archives of any shape, from fixed seeds.

Usage: ``run.py TOOLS SEED ROUNDS``. An answer is a listing or refused with a sentence, and whatever
counts as empty is empty; an archive reads as before, or as broken. Nothing else is raised.
"""

import gzip
import hashlib
import io
import json
import random
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])

import archive  # noqa: E402
import listing  # noqa: E402

JSON = "application/vnd.pypi.simple.v1+json"
KINDS = [JSON, "text/html", "text/html; charset=utf-8", "text/plain", "application/json", "", "x"]
DIGEST = "0" * 64
ODD = [None, 5, -1.5, True, "", "../x", "a/b", "..", "\0", [], {}, "x" * 300, {"sha256": 5}]
FILE = {"filename": "core-1.0.tar.gz", "url": "/f/core-1.0.tar.gz", "hashes": {"sha256": DIGEST}}
GOOD = {"meta": {"api-version": "1.0"}, "name": "core", "files": [FILE]}
PAGES = [
    b"<html><body><h1>503 Backend fetch failed</h1></body></html>",
    b"<html><body><form><input type=password></form><a href='/'>home</a></body></html>",
    b"<!DOCTYPE html><html><body><a href='../../core-1.0.tar.gz'>core-1.0.tar.gz</a></body></html>",
    b"<html><title>Links for core</title><body></body></html>",
    b"<html><body><a href='core-%2e%2e%2fx.tar.gz'>x</a></body></html>",
    b"",
    b" \n",
    b"null",
    b"[" * 100_000 + b"]" * 100_000,
]


def changed(rng: random.Random, value: object) -> object:
    """Return a JSON value with something odd in a random place."""
    if rng.random() < 0.3:
        return rng.choice(ODD)
    if isinstance(value, dict) and value:
        key = rng.choice(sorted(value))
        if rng.random() < 0.2:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: changed(rng, value[key])}
    if isinstance(value, list) and value:
        return [changed(rng, value[0]), *value[1:]]
    return rng.choice(ODD)


def broken(rng: random.Random, raw: bytes) -> bytes:
    """Return bytes with a few changed, removed or added."""
    data = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(4)
        if how == 0 and at < len(data):
            data[at] = rng.randrange(256)
        elif how == 1:
            del data[at : at + rng.randint(1, 40)]
        elif how == 2:
            data[at:at] = rng.randbytes(rng.randint(1, 40))
        else:
            data = bytearray(rng.randbytes(7)) + data if at % 2 else data + bytearray(7 * b"x")
    return bytes(data)


def ask(rng: random.Random) -> None:
    """Read one answer of an index."""
    if rng.random() < 0.5:
        body = json.dumps(changed(rng, GOOD)).encode()
    else:
        body = rng.choice(PAGES)
    if rng.random() < 0.4 and len(body) < 10_000:
        body = broken(rng, body)
    kind = rng.choice(KINDS)
    try:
        files = listing.read(kind, body, "http://x.invalid/simple/core/", "core")
    except ValueError as error:
        assert str(error), "no reason"
        return
    assert kind not in ("text/plain", "", "x"), (kind, body)
    for file in files:
        assert "/" not in file["filename"] and file["filename"] not in (".", "..")
    if not files:
        assert b'"files"' in body or b"links for core" in body.lower(), body


def wheel() -> bytes:
    """Return a small wheel."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.writestr("core/__init__.py", "x = 1\n" * 20)
        target.writestr("core-1.0.dist-info/METADATA", "Name: core\nVersion: 1.0\n")
        target.writestr("core-1.0.dist-info/WHEEL", "Tag: py3-none-any\n")
        target.writestr("core-1.0.dist-info/RECORD", "core/__init__.py,sha256=AA,1\n")
    return out.getvalue()


def sdist() -> bytes:
    """Return a small sdist."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as target:
        for name in ("PKG-INFO", "core.py"):
            info = tarfile.TarInfo(f"core-1.0/{name}")
            info.size = 11
            target.addfile(info, io.BytesIO(b"Name: core\n"))
    return out.getvalue()


def read(rng: random.Random, folder: Path) -> None:
    """Read one archive that somebody has changed."""
    if rng.random() < 0.5:
        name, raw = "core-1.0-py3-none-any.whl", broken(rng, wheel())
    else:
        raw = broken(rng, sdist())
        name, raw = "core-1.0.tar.gz", gzip.compress(raw) if rng.random() < 0.8 else raw
    path = folder / name
    path.write_bytes(raw)
    found = archive.inspect(path)
    assert "error" in found or found["members"], hashlib.sha256(raw).hexdigest()
    json.dumps(found)


def main(seed: int, rounds: int) -> None:
    """Try ``rounds`` answers and archives."""
    with tempfile.TemporaryDirectory() as folder:
        (good := Path(folder) / "core-1.0-py3-none-any.whl").write_bytes(wheel())
        assert "error" not in archive.inspect(good), archive.inspect(good)
        for prefix, suffix in ((b"#!/bin/sh\n", b""), (b"", b"x")):
            good.write_bytes(prefix + wheel() + suffix)
            assert "error" in archive.inspect(good), (prefix, suffix)
        for number in range(rounds):
            rng = random.Random(seed * 1_000_003 + number)
            try:
                ask(rng)
                read(rng, Path(folder))
            except Exception as error:
                raise AssertionError(f"seed {seed}, round {number}") from error


if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]))
