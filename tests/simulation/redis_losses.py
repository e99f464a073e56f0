"""How Redis loses a suffix: it is put back to a copy that was taken of it earlier."""

from typing import Any

from tests.simulation.excuses import Excuses
from tests.simulation.memory_redis import Value
from tests.simulation.processes import Processes
from tests.simulation.refold import refold
from tests.simulation.world import World


class RedisLosses:
    """``count`` of them so far; ``copies`` from the oldest to the newest."""

    def __init__(self, world: World, excuses: Excuses, processes: Processes) -> None:
        self.count = 0
        self.copies: list[dict[bytes, Value]] = []
        #: Where Redis was put back to, until somebody claims there: partition -> (seq, chain).
        self.unclaimed: dict[int, tuple[bytes, bytes]] = {}
        self._world = world
        self._excuses = excuses
        self._processes = processes
        world.redis.claimed = self._claimed

    def copy(self) -> dict[bytes, Value]:
        copy = self._world.redis.copy()
        self.copies.append(copy)
        return copy

    def put_back(self) -> None:
        """Redis lost a suffix, perhaps with living and frozen workers connected."""
        if self.copies:
            rng = self._world.rng
            self._put_back(max(rng.randrange(len(self.copies)) for _ in range(3)))

    def put_back_to(self, copy: dict[bytes, Value]) -> bool:
        """The same, with this copy; False when it is of a lineage that is void."""
        at = next((at for at, one in enumerate(self.copies) if one is copy), None)
        if at is not None:
            self._put_back(at)
        return at is not None

    def _put_back(self, at: int) -> None:
        rng = self._world.rng
        del self.copies[at + 1 :]
        restarted = rng.random() < 0.7
        for worker in self._processes.alive():
            # A failover behind a proxy breaks no connection; but whoever is recovering then would
            # compare two Redis with each other.
            worker.cut_off = restarted or worker.stage == "recover"
        self.lose_suffix(self.copies[at])

    def lose_suffix(self, copy: dict[bytes, Value]) -> None:
        world = self._world
        world.redis.put_back(copy)
        self.count += 1
        world.tally.events["redis put back"] += 1
        for number in range(world.partitions):
            meta = world.meta(number)
            if b"seq" not in meta:
                self.excuse("missing", number)
            self.unclaimed.pop(number, None)
            if self._processes.may_still_commit(meta.get(b"member", b"").decode()):
                if ("forked", number) not in self._excuses:
                    self.unclaimed[number] = _position(meta)
                # A worker that the copy takes for the owner goes on where the copy stands.
                self.excuse("forked", number)

    def empty(self) -> None:
        """All is gone, and there is no copy."""
        self._world.redis.data.clear()
        self.copies.clear()
        for number in range(self._world.partitions):
            self.excuse("missing", number)

    def excuse(self, case: str, number: int) -> None:
        """``case`` may be refused now; a rebuild makes it good."""
        self._excuses.add(case, number, lambda: self._rebuild(number))

    def _rebuild(self, number: int) -> None:
        world = self._world
        refold(world.kafka, world.partitions, number).put_into(world.redis, number)
        self.copies.clear()  # some may be of a lineage that is void
        for case in ("forked", "missing"):
            self._excuses.drop(case, number)

    def _claimed(self, key: bytes) -> None:
        """From here on the epoch keeps out whoever could have gone on where the copy stood."""
        number = int(key.split(b"{")[1].split(b"}")[0])
        if self.unclaimed.pop(number, None) == _position(self._world.redis.hash(key)):
            self._excuses.drop("forked", number)


def _position(meta: dict[bytes, Any]) -> tuple[bytes, bytes]:
    """Where a partition's meta stands: seq and chain."""
    return meta.get(b"seq", b"0"), meta.get(b"chain", b"")
