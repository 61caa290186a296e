"""A real HTTP server on loopback, for the tests of the steps that speak HTTP."""

import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

CONTENT = b"day,amount\n2026-11-25,1\n" * 20_000


class Handler(BaseHTTPRequestHandler):
    """Answers by path: `/flaky/N` fails N times, `/status/S` answers S, and so on."""

    def do_GET(self):
        self.server.asked[self.path] += 1
        path = urlsplit(self.path).path
        kind, _, rest = path.strip("/").partition("/")
        getattr(self, f"answer_{kind}", self.missing)(rest)

    do_POST = do_HEAD = do_PUT = do_DELETE = do_GET

    def missing(self, rest):
        self.reply(404, b"no such page")

    def answer_file(self, rest):
        self.reply(200, CONTENT, "text/csv")

    def answer_status(self, rest):
        self.reply(int(rest), b"as you wish")

    def answer_flaky(self, rest):
        failing = self.server.asked[self.path] <= int(rest)
        self.reply(503 if failing else 200, b"busy" if failing else b"at last")

    def answer_echo(self, rest):
        length = int(self.headers.get("content-length", 0))
        said = {
            "method": self.command,
            "query": dict(parse_qsl(urlsplit(self.path).query)),
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "body": self.rfile.read(length).decode(),
        }
        self.reply(200, json.dumps(said).encode(), "application/json")

    def answer_broken_json(self, rest):
        self.reply(200, b"{", "application/json")

    def answer_latin(self, rest):
        self.reply(200, "Käse".encode("latin-1"), "text/plain; charset=latin-1")

    def answer_redirect(self, rest):
        self.send_response(302)
        self.send_header("location", "/redirect/circle" if rest == "circle" else "/file")
        self.end_headers()

    def answer_cut(self, rest):
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"only this")

    def answer_slow(self, rest):
        self.send_response(200)
        self.end_headers()
        while not self.server.ended.wait(0.05):
            try:
                self.wfile.write(b".")
            except OSError:
                return

    def answer_silent(self, rest):
        self.server.ended.wait(20)

    def reply(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked = Counter()
        self.ended = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        pass  # a client that goes away is part of the tests


@contextmanager
def serving():
    """Run the server until the end of the block."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            thread.join()
