"""Serve directories as package indexes on loopback until standard input closes.

Usage: ``serve.py DIRECTORY...``. Its first line of output has the port of each directory, chosen by
the system. The process that started it holds the other end of standard input: however that process
ends, this one ends with it.
"""

import os
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pypiserver


class _Server(ThreadingMixIn, WSGIServer):
    """One thread for each request, so that two uploads do not wait for each other."""

    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the client reports a failed request."""


def _wait_for_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def _server(directory: str) -> WSGIServer:
    without_login = {"authenticate": [], "password_file": "."}
    app = pypiserver.app(roots=[directory], disable_fallback=True, **without_login)
    return make_server("127.0.0.1", 0, app, _Server, _QuietHandler)


def main(directories: list[str]) -> None:
    """Serve every directory for reading and uploading, without authentication."""
    servers = [_server(directory) for directory in directories]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(*(server.server_port for server in servers), flush=True)
    _wait_for_parent()


if __name__ == "__main__":
    main(sys.argv[1:])
