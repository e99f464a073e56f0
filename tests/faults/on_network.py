"""Faults of the network between one worker and one of the servers; others go on meanwhile.

Each returns the stage at which it struck.
"""

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal

from tests.faults.scene import Scene
from tests.faults.schedule import Fault
from tests.faults.toxiproxy import Proxy, Stream

Server = Literal["kafka", "redis"]
#: What is lost on a half-open connection: answers, so that what was asked has been done; or all.
LOST: tuple[tuple[Stream, ...], ...] = (("downstream",), ("upstream", "downstream"))
#: So slow that nothing is in time, and not so slow that a worker must give up.
_DELAYS_MS = (200, 500, 900)

Break = Callable[[Proxy, Fault], AbstractContextManager[None]]


def cut(server: Server) -> Callable[[Scene, Fault], str]:
    return _struck(server, lambda proxy, _: proxy.cut(), past_session=False)


def slow(server: Server) -> Callable[[Scene, Fault], str]:
    def broken(proxy: Proxy, fault: Fault) -> AbstractContextManager[None]:
        delay = _DELAYS_MS[fault.variant % len(_DELAYS_MS)]
        return proxy.slow(delay, delay // 3)

    return _struck(server, broken, past_session=False)


def half_open(server: Server) -> Callable[[Scene, Fault], str]:
    """Past the session time-out: of Kafka, others own then what the worker believes to own."""

    def broken(proxy: Proxy, fault: Fault) -> AbstractContextManager[None]:
        return proxy.half_open(*LOST[fault.variant % len(LOST)])

    return _struck(server, broken, past_session=True)


def _struck(server: Server, broken: Break, *, past_session: bool) -> Callable[[Scene, Fault], str]:
    def strike(scene: Scene, fault: Fault) -> str:
        slot, stage = scene.hold(fault.stage)
        since = time.monotonic()
        network = scene.servers.network
        proxy = (network.kafka if server == "kafka" else network.redis)[slot.number]
        # While the worker stands still, so that it meets this at its stage.
        with broken(proxy, fault):
            slot.signal(signal.SIGCONT)
            if past_session:
                scene.wait(scene.settings.session_timeout)
            scene.wait(fault.length)
        scene.tally.cuts += 1
        scene.until_whole(since)
        return stage

    return strike
