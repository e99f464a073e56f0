"""A worker's cycle over a Kafka and a Redis in memory, which catches up poll by poll."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from schemas.clock import WALL, Tick, encode_clock
from schemas.decoding import RawRecord
from schemas.journal import Fired
from streams.engine.clock import TickQueue
from streams.engine.clock_ahead import ClockAhead
from streams.engine.clock_reading import ClockReading
from streams.engine.commit import Commit, Fetched
from streams.engine.crashpoints import CrashPoints
from streams.engine.cycle import Circumstances, Cycle
from streams.engine.log import LogReader
from streams.engine.partition import NEW_CLOCK, NEW_POSITION, Partition, StateCache
from streams.engine.poison import PoisonGuard
from streams.engine.publisher import Publisher
from streams.engine.transport import Poll
from streams.operations.metrics import Metrics
from tests.simulation.memory_kafka import MemoryKafka
from tests.simulation.memory_redis import MemoryClient, MemoryRedis, MemoryStore
from tests.simulation.worker import TOPICS, FixedDefinitions, make_processors

CARTS = "shop.carts"
MINUTE, HOUR = 60_000, 3_600_000
START = datetime(2026, 1, 1, tzinfo=UTC)
START_MS = int(START.timestamp()) * 1_000
LATENESS_MS = 5_000
#: Ticks that are written and not yet read.
AHEAD = 5
CLOCK = (TOPICS.clock, 0)
#: Of an owner of the past: it says nothing.
OLD_TICK = encode_clock(Tick(0, START_MS, WALL, 0, {}))


class Network:
    """Nothing of it ever fails; ``reads`` counts what was asked of the clock's log."""

    require_stable = True

    def __init__(self) -> None:
        self.kafka = MemoryKafka({TOPICS.clock: 1}, 1)
        self.reads = 0
        #: Seconds that each answer takes.
        self.slow = 0.0
        self._seconds = 0.0

    def call(
        self, owner: str, name: str, effect: Callable[[], Any], lost: Callable[[], Exception]
    ) -> Any:
        self.reads += name == "read"
        self._seconds += self.slow
        return effect()

    def wait(self, owner: str, met: Callable[[], bool]) -> bool:
        return met()

    def sleep(self, seconds: float) -> None:
        self._seconds += seconds

    def flips(self) -> bool:
        return False

    def time(self) -> float:
        return self._seconds

    def monotonic(self) -> float:
        return self._seconds


class CatchingUp:
    """``ahead``: the records of the clock's log that are there before they are read."""

    def __init__(self, network: Network, ahead: int = AHEAD) -> None:
        self.fired: set[int] = set()
        #: Coupons of carts, by the time of the change.
        self.occasions: dict[int, int] = {}
        self._carts = self._clock = 0
        self._log = network.kafka
        self._ahead = ahead
        store = _Store(MemoryClient(MemoryRedis()), "test:")
        store.told = self._told
        found = store.claim(0, 1, "member")
        nothing = cast(Any, lambda *_: None)
        self._cycle = Cycle(
            TOPICS, store, make_processors(1), FixedDefinitions(),
            cast(Publisher, SimpleNamespace(committed=nothing, wake=nothing)),
            PoisonGuard(0.5, 1_000, 60.0), Circumstances("build", "config", "1", LATENESS_MS),
            Metrics(), CrashPoints(),
            ClockReading(TOPICS.clock, LogReader(""), ClockAhead(TOPICS.clock, "")),
            nothing, nothing, nothing,
        )  # fmt: skip
        vector = dict.fromkeys(TOPICS.inputs, 0) | found.vector
        self._cycle.partitions[0] = Partition(
            0, 1, NEW_POSITION, vector, NEW_CLOCK, 0, 0, StateCache(100), TickQueue()
        )

    def write(self, value: bytes) -> None:
        """A record of the clock's log."""
        self._log.append(CLOCK, None, value)

    def poll(self, now: int, *added: tuple[str, int]) -> None:
        """Changes of carts, and a tick that was written after them."""
        start = self._carts
        records = [
            RawRecord(CARTS, 0, start + at, now, customer.encode(), _added(customer, ms))
            for at, (customer, ms) in enumerate(added)
        ]
        self._carts += len(records)
        tick = encode_clock(Tick(0, now, WALL, 1, {CARTS: self._carts}))
        clock = RawRecord(TOPICS.clock, 0, self._clock, now, None, tick)
        self._clock += 1
        while self._log.logs[CLOCK].end < self._clock + self._ahead:
            # What a poll brings was there before it; only a tool's word counts here.
            self.write(OLD_TICK)
        self._cycle.process(
            Poll(
                1,
                {
                    (CARTS, 0): Fetched(CARTS, start, self._carts, records),
                    (TOPICS.clock, 0): Fetched(TOPICS.clock, self._clock - 1, self._clock, [clock]),
                },
                0.0,
            )
        )

    def _told(self, commit: Commit) -> None:
        if isinstance(commit.journal.fired, Fired):
            self.fired.add(commit.journal.fired.due)
        for row in commit.rows:
            if row.topic == TOPICS.triggers:
                cause = json.loads(row.value)["data"]["cause"]
                changed = cause["due"] - 30 * MINUTE
                self.occasions[changed] = self.occasions.get(changed, 0) + 1


class _Store(MemoryStore):
    told: Any

    def commit(self, batch: Any, outbox: bool = True) -> Any:
        results = super().commit(batch, outbox)
        for *_, commit in batch:
            self.told(commit)
        return results


def _added(customer: str, ms: int) -> bytes:
    time = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    event = {
        "specversion": "1.0", "type": "shop.cart.v1", "id": f"{customer}-{ms}", "source": "test",
        "subject": customer, "time": time.isoformat(),
        "data": {"shop_id": "tea", "action": "add", "sku": f"s{ms}"},
    }  # fmt: skip
    return json.dumps(event).encode()
