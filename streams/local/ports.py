"""Ports that are free now and stay so while a server restarts."""

import random
import socket

from streams.local.errors import LocalStackError

#: Below Linux's ephemeral ports (32768 and up): a port from there could be taken by any outgoing
#: connection while its server is down, even by a client that tries to reach it.
_FIRST, _LAST = 20_000, 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:``port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of a former server in TIME_WAIT do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    """Whether something accepts connections on 127.0.0.1:``port``."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def pick(count: int, base: int | None = None) -> list[int]:
    """``count`` free ports: from ``base`` upwards in order, or drawn at random without one.

    Raises LocalStackError when a port of ``base`` is taken, naming it.
    """
    if base is not None:
        ports = [base + index for index in range(count)]
        if taken := [port for port in ports if not is_free(port)]:
            raise LocalStackError(
                f"Port {taken[0]} is taken: choose another --port-base, or none for free ports."
            )
        return ports
    drawn: set[int] = set()
    while len(drawn) < count:
        port = random.randrange(_FIRST, _LAST)  # noqa: S311 - no secret
        if is_free(port):
            drawn.add(port)
    return sorted(drawn)
