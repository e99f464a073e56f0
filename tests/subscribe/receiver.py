"""A real HTTP server that keeps what was posted to it and answers as a test says."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Self

#: Of the tests; 32 bytes.
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


class Posted(NamedTuple):
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def check_signature(self, key: bytes = KEY) -> None:
        """As a receiver does that knows the specification only, not our code."""
        signed = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert f"v1,{right}" in self.headers["webhook-signature"].split(" ")


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str] = {}


class Receiver:
    """``answers(posted, how often this id was posted before)`` says the answer; runs in ``with``."""

    def __init__(self, answers: Callable[[Posted, int], Answer] = lambda *_: Answer(200)) -> None:
        self.posted: list[Posted] = []
        #: Most requests that were in the server at the same time, and of one customer.
        self.most_at_once = 0
        lock = threading.Lock()
        outer = self
        inside = 0

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                nonlocal inside
                body = self.rfile.read(int(self.headers["content-length"]))
                posted = Posted({k.lower(): v for k, v in self.headers.items()}, body)
                with lock:
                    before = sum(one.id == posted.id for one in outer.posted)
                    outer.posted.append(posted)
                    inside += 1
                    outer.most_at_once = max(outer.most_at_once, inside)
                try:
                    answer = answers(posted, before)
                finally:
                    with lock:
                        inside -= 1
                try:
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", "0")
                    self.end_headers()
                except (BrokenPipeError, ConnectionResetError):
                    # The client was killed, which some tests do.
                    self.close_connection = True

            def log_message(self, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook?token=in-the-address"

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.posted]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
