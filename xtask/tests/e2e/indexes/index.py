"""A package index for tests: pypiserver or devpi on a loopback port, with a log of its requests.

Usage: ``index.py pypiserver|devpi FOLDER [PASSWORD]``. Keeps its files below ``FOLDER/files`` and
prints its port. Every request becomes a line of ``FOLDER/requests.log``: the method, then the path
or the name of the file that is uploaded. An upload is refused while ``FOLDER/refuse`` holds the
start of its file's name, and when it comes without PASSWORD, where one is given; the refusal
repeats the password that was sent, as careless servers do.

devpi serves the index ``somebody/index``, to which the user ``somebody`` may upload with PASSWORD.

It ends when its standard input closes, so it never outlives the test that started it.
"""

import base64
import io
import json
import os
import re
import sys
import threading
import urllib.request
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

KIND, FOLDER = sys.argv[1], Path(sys.argv[2])
PASSWORD = sys.argv[3] if len(sys.argv) > 3 else None
FILES = FOLDER / "files"


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
        file = None
        if method == "POST":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            file = re.search(rb'filename="([^"]+)"', body)
        if file:
            what = file[1].decode()
        with (FOLDER / "requests.log").open("a") as log:
            log.write(f"{method} {what}\n")
        if file and _refused(what, _password(environ)):
            start_response(f"403 Not with {_password(environ)}", [("Content-Type", "text/plain")])
            return [f"not with {_password(environ)}".encode()]
        return app(environ, start_response)

    return serve


def _pypiserver():
    import pypiserver

    FILES.mkdir(parents=True, exist_ok=True)
    app = pypiserver.app(
        roots=[str(FILES)], disable_fallback=True, authenticate=[], password_file="."
    )
    server = make_server("127.0.0.1", 0, _logged(app), _Server, _QuietHandler)
    print(server.server_port, flush=True)
    server.serve_forever()


def _devpi():
    import waitress
    from devpi_server import init, main

    # It says a lot on standard output, where only the port is expected.
    port_to = os.fdopen(os.dup(1), "w")
    FILES.mkdir(parents=True)
    os.dup2(os.open(FOLDER / "devpi.log", os.O_WRONLY | os.O_CREAT), 1)
    place = ["--serverdir", str(FILES)]
    init.init(argv=["devpi-init", *place, "--no-root-pypi"])

    def serve(app, **_):
        # devpi cannot be told to take any free port, and would not say which.
        server = waitress.create_server(_logged(app), host="127.0.0.1", port=0)
        furnish = threading.Thread(target=_furnish, args=[server.effective_port, port_to])
        furnish.start()
        server.run()

    waitress.serve = serve
    # What keeps its tokens safe from whoever steals its files takes seven seconds.
    hasty = [f"--argon2-{cost}=1" for cost in ("time-cost", "parallelism")]
    main.main(["devpi-server", *place, "--offline-mode", "--argon2-memory-cost=8", *hasty])


def _furnish(port, port_to):
    """Make the user and the index: no bases, and what was uploaded stays as it is."""

    def ask(method, path, body, **headers):
        url = f"http://127.0.0.1:{port}/{path}"
        headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
        with urllib.request.urlopen(request) as response:
            return json.load(response)["result"]

    ask("PUT", "somebody", {"password": PASSWORD})
    token = ask("POST", "+login", {"user": "somebody", "password": PASSWORD})["password"]
    login = base64.b64encode(f"somebody:{token}".encode()).decode()
    stage = {"type": "stage", "bases": [], "volatile": False}
    ask("PUT", "somebody/index", stage, **{"X-Devpi-Auth": login})
    (FOLDER / "requests.log").unlink()
    print(port, file=port_to, flush=True)


def main():
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    {"pypiserver": _pypiserver, "devpi": _devpi}[KIND]()


main()
