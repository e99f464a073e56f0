"""What toxiproxy does to a connection, on a server that sends back what it gets."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.local.ports import pick
from tests.faults.toxiproxy import Proxy, Toxiproxy, ToxiproxyError, executable
from tests.waiting import wait_for

#: Toxiproxy is built first, where this user has none yet.
pytestmark = [pytest.mark.long, pytest.mark.timeout(700)]


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(1_000):
                self.server.heard.append(data)  # type: ignore[attr-defined]
                self.request.sendall(data)


class Way(NamedTuple):
    """``heard``: what has come to the server behind ``proxy``, which listens on ``port``."""

    proxy: Proxy
    port: int
    heard: list[bytes]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)


@pytest.fixture
def way(tmp_path: Path) -> Iterator[Way]:
    orders, port = pick(2)
    heard: list[bytes] = []
    with (
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server,
        Toxiproxy(orders, tmp_path / "toxiproxy.log") as toxiproxy,
    ):
        server.daemon_threads = True
        server.heard = heard  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Way(toxiproxy.proxy("echo", port, server.server_address[1]), port, heard)
        server.shutdown()


def _ask(connection: socket.socket, words: bytes) -> bytes:
    connection.sendall(words)
    return connection.recv(1_000)


def _ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1_000) == b""
    except ConnectionError:
        return True


def test_a_cut_closes_connections_and_refuses_new_ones(way: Way) -> None:
    with way.connect() as connection:
        assert _ask(connection, b"before") == b"before"
        with way.proxy.cut():
            assert _ended(connection)
            with pytest.raises(ConnectionRefusedError):
                way.connect()
    with way.connect() as connection:
        assert _ask(connection, b"after") == b"after"


def test_a_slow_connection_delays_both_ways(way: Way) -> None:
    with way.connect() as connection:
        assert _ask(connection, b"before") == b"before"
        with way.proxy.slow(300, 0):
            began = time.monotonic()
            assert _ask(connection, b"slow") == b"slow"
            assert time.monotonic() - began >= 0.55


def test_a_half_open_connection_hears_no_answer_to_what_was_done(way: Way) -> None:
    with way.connect() as connection:
        assert _ask(connection, b"before") == b"before"
        with way.proxy.half_open("downstream"):
            connection.sendall(b"asked")
            wait_for(lambda: b"asked" in way.heard, 60, "the request at the server")
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.recv(1_000)
        connection.settimeout(60)
        assert _ended(connection)
    with way.connect() as connection:
        assert _ask(connection, b"after") == b"after"


def test_a_connection_that_is_dead_both_ways_reaches_nobody(way: Way) -> None:
    with way.connect() as connection, way.proxy.half_open("upstream", "downstream"):
        connection.sendall(b"lost")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1_000)
    assert way.heard == []


def test_without_go_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToxiproxyError, match="apt-get install golang-go"):
        executable()
