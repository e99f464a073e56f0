"""A network between a client and the broker that can be made to stall: a SOCKS5 proxy."""

import socket
import threading


class Network:
    """Forwards connections as RFC 1928 says (no authentication, CONNECT), or holds their bytes."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._start(self._accept)

    @property
    def kafka(self) -> dict[str, str]:
        """The settings that make kafka-python go through here."""
        return {"proxy_url": f"socks5://127.0.0.1:{self._server.getsockname()[1]}"}

    def stall(self) -> None:
        """From now on nothing gets through; connections stay up."""
        self._open.clear()

    def resume(self) -> None:
        """What was held goes on."""
        self._open.set()

    def close(self) -> None:
        self._open.set()
        for each in (self._server, *self._sockets):
            # Wakes the threads that wait in accept and recv, which close alone does not.
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                assert each.fileno() == -1 or each is self._server or not _connected(each)
            each.close()

    def _start(self, target: object, *arguments: object) -> None:
        threading.Thread(target=target, args=arguments, daemon=True).start()  # type: ignore[arg-type]

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self._start(self._connect, client)

    def _connect(self, client: socket.socket) -> None:
        try:
            self._forward_both_ways(client)
        except (OSError, ValueError):
            # It went away before it had said where to; nobody waits for this thread's error.
            client.close()

    def _forward_both_ways(self, client: socket.socket) -> None:
        stream = client.makefile("rb")
        _, methods = stream.read(2)
        stream.read(methods)
        client.sendall(b"\x05\x00")
        _, _, _, kind = stream.read(4)
        by_address = kind == 1
        host = stream.read(4 if by_address else stream.read(1)[0])
        port = int.from_bytes(stream.read(2), "big")
        server = socket.create_connection(
            (socket.inet_ntoa(host) if by_address else host.decode(), port)
        )
        client.sendall(
            b"\x05\x00\x00\x01" + socket.inet_aton("127.0.0.1") + port.to_bytes(2, "big")
        )
        self._sockets += [client, server]
        self._start(self._forward, client, server)
        self._start(self._forward, server, client)

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                self._open.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return


def _connected(each: socket.socket) -> bool:
    try:
        each.getpeername()
    except OSError:
        return False
    return True
