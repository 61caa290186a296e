"""A package index for tests: pypiserver on a loopback port, with a log of what it was asked.

Usage: ``index.py FOLDER [PASSWORD]``. Serves ``FOLDER/files`` and prints its port. Every request
becomes a line of ``FOLDER/requests.log``: the method, then the path or the name of the file that
is uploaded. An upload is refused while ``FOLDER/refuse`` holds the start of its file's name, and
when it comes without PASSWORD, where one is given; the refusal repeats the password that was sent,
as careless servers do.

It ends when its standard input closes, so it never outlives the test that started it.
"""

import base64
import io
import os
import re
import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pypiserver

FOLDER = Path(sys.argv[1])
PASSWORD = sys.argv[2] if len(sys.argv) > 2 else None


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format, *args):
        """Say nothing: the log is written below."""


def _exit_with_parent():
    sys.stdin.read()
    os._exit(0)


def _password(environ):
    _, _, encoded = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return base64.b64decode(encoded).decode().partition(":")[2]


def _refused(file, password):
    refuse = FOLDER / "refuse"
    unwanted = refuse.exists() and file.startswith(refuse.read_text().strip())
    return unwanted or (PASSWORD is not None and password != PASSWORD)


def _logged(app):
    def serve(environ, start_response):
        method, what = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if method == "POST":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            what = re.search(rb'filename="([^"]+)"', body)[1].decode()
        with (FOLDER / "requests.log").open("a") as log:
            log.write(f"{method} {what}\n")
        if method == "POST" and _refused(what, _password(environ)):
            start_response(f"403 Not with {_password(environ)}", [("Content-Type", "text/plain")])
            return [f"not with {_password(environ)}".encode()]
        return app(environ, start_response)

    return serve


def main():
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    files = FOLDER / "files"
    files.mkdir(parents=True, exist_ok=True)
    app = pypiserver.app(
        roots=[str(files)], disable_fallback=True, authenticate=[], password_file="."
    )
    server = make_server("127.0.0.1", 0, _logged(app), _Server, _QuietHandler)
    print(server.server_port, flush=True)
    server.serve_forever()


main()
