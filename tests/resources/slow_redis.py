"""A Redis that takes its time: a TCP proxy that holds every answer for a while."""

import socket
import threading
from typing import Self


class SlowRedis:
    """Forwards connections to ``port`` of this machine; ``latency`` seconds may be changed any time."""

    def __init__(self, port: int, latency: float) -> None:
        self.latency = latency
        self._port = port
        self._stopping = threading.Event()
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._server.getsockname()[1]}/0"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        # An accept or recv that waits is not ended by a close alone.
        for each in (self._server, *self._sockets):
            if each.fileno() != -1:
                _shut(each)
                each.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                client, _ = self._server.accept()
            except OSError:
                return  # closed
            server = socket.create_connection(("127.0.0.1", self._port))
            self._sockets += [client, server]
            for source, target, held in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._forward, args=(source, target, held), daemon=True
                ).start()

    def _forward(self, source: socket.socket, target: socket.socket, held: bool) -> None:
        try:
            while data := source.recv(1024 * 1024):
                if held:
                    self._stopping.wait(self.latency)
                target.sendall(data)
        except OSError:
            return  # either side has gone
        finally:
            _shut(target)


def _shut(each: socket.socket) -> None:
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was not connected any more
