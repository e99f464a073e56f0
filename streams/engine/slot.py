"""The slot of a worker, which names its transactional id: given to it, or leased from Redis.

A newcomer's first call under a transactional id ends whatever its predecessor of that id left open and
fences it off. So a slot that was given twice (Redis lost what it knew of a lease) does no harm: the older
worker ends itself at its next transaction.
"""

import os
import secrets
import socket
import threading
from collections.abc import Callable
from typing import Self

import structlog
from redis.exceptions import RedisError

from streams.state.slot_leases import SlotStore

#: Of a lease, after which it is renewed; so two renewals may fail to come before it ends.
RENEWED_AT = 1 / 3

log = structlog.get_logger(__name__)


class SlotLost(Exception):
    """The lease ended unrenewed, or Redis forgot it: the process must end, and lease anew."""


class GivenSlot:
    """A number that only one worker at a time is given: the pod's ordinal, or by the supervisor."""

    def __init__(self, number: int) -> None:
        self.name = str(number)

    def start(self) -> None:
        """Nothing is to be renewed."""

    def stop(self) -> None:
        """Nothing is to be given back."""


class LeasedSlot:
    """A slot of Redis's; ``start`` renews it in a thread of its own, ``stop`` gives it back.

    Leased slots do not meet given ones: their transactional ids differ.
    """

    def __init__(
        self, number: int, lease: float, store: SlotStore, failed: Callable[[BaseException], None]
    ) -> None:
        self.number = number
        self.name = f"leased-{number}"
        self._lease = lease
        self._store = store
        self._failed = failed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slot", daemon=True)

    @classmethod
    def take(
        cls, redis_url: str, prefix: str, lease: float, failed: Callable[[BaseException], None]
    ) -> Self:
        """Lease the lowest free slot for ``lease`` seconds. Raises redis.RedisError.

        ``failed`` is called from the thread when the slot is lost, or Redis does not answer.
        """
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(8)}"
        store = SlotStore(redis_url, prefix, owner)
        return cls(store.take(lease), lease, store, failed)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """After the last transaction: the next worker may have the slot at once."""
        self._stopping.set()
        self._thread.join()
        try:
            self._store.give_back(self.number)
        except RedisError as error:
            log.warning("slot kept", slot=self.name, seconds=self._lease, error=str(error))
        self._store.close()

    def _run(self) -> None:
        try:
            while not self._stopping.wait(self._lease * RENEWED_AT):
                if not self._store.renew(self.number, self._lease):
                    raise SlotLost(f"slot {self.number} was leased to this worker and no longer is")
        except BaseException as error:  # noqa: BLE001 - without its slot it must not publish
            self._failed(error)
