"""Serve one directory as a package index on loopback until standard input closes.

Usage: ``serve.py DIRECTORY``. Prints the port, chosen by the system, as its first line. The
process that started it holds the other end of standard input: however that process ends, this
one ends with it.
"""

import os
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pypiserver


class _Server(ThreadingMixIn, WSGIServer):
    """One thread a request, so that two uploads do not wait for each other."""

    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what matters of a request, its client says."""


def _exit_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main(directory: str) -> None:
    """Serve ``directory`` for reading and uploading, without authentication."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    anybody = {"authenticate": [], "password_file": "."}
    app = pypiserver.app(roots=[directory], disable_fallback=True, **anybody)
    server = make_server("127.0.0.1", 0, app, _Server, _QuietHandler)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
