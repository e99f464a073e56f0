"""The engine as it is, and broken on purpose in one way at a time."""

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from schemas.journal import GENESIS
from streams.engine.clock_ahead import ClockAhead
from streams.engine.clock_reading import ClockReading
from streams.engine.commit import Commit
from streams.engine.definitions import CurrentDefinitions
from streams.engine.group_offsets import Published
from streams.engine.log import LogReader
from streams.engine.partition import Partition, StateCache
from streams.engine.publisher import Publisher, persist
from streams.engine.recovery import Recovery
from streams.engine.repetition import Repetition
from streams.engine.ticker import Ticker
from streams.engine.unsettled import Unsettled
from streams.state.increments import NOTHING_ADDED
from tests.simulation.memory_redis import CHECKS


@dataclass(frozen=True)
class Variant:
    """What of the engine and of the servers' answers is other than it is."""

    publisher: type[Publisher] = Publisher
    recovery: type[Recovery] = Recovery
    repetition: type[Repetition] = Repetition
    ticker: type[Ticker] = Ticker
    clock_reading: type[ClockReading] = ClockReading
    #: What the commit script compares.
    checks: frozenset[str] = CHECKS
    #: How input topics are fetched.
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed"
    #: Whether the group's offsets wait for transactions in flight.
    require_stable: bool = True
    #: What names a lineage; None: the digest of the journal's last row.
    chain: Callable[[bytes], bytes] | None = None
    #: Whether a worker in doubt goes on instead of ending.
    goes_on: bool = False


class TrimsFirst(Publisher):
    """Drops what it is about to publish."""

    def _transact(self, batches: Mapping[int, Any]) -> list[tuple[str, int, str]]:
        ends = [(n, self._partitions[n].epoch, b.entries[-1].seq) for n, b in batches.items()]
        self._store.trim_many(ends)
        return super()._transact(batches)


class TrimsWhatIsCommitted(Publisher):
    """Drops as far as Redis has committed, not as far as Kafka has published."""

    def _publish(self, wanted: set[int]) -> bool:
        published = super()._publish(wanted)
        if published:
            held = self._partitions.items()
            self._store.trim_many([(n, one.epoch, one.committed) for n, one in held])
        return published


class OffsetsFirst(Publisher):
    """Commits the offsets in a transaction of their own, and the rows in another one after it."""

    def _transact(self, batches: Mapping[int, Any]) -> list[tuple[str, int, str]]:
        producer = self._producer
        sends = producer.send_offsets_to_transaction
        rows: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        produce = producer.produce
        producer.produce = lambda *a, **k: rows.append((a, k))  # type: ignore[method-assign]
        try:
            sent = super()._transact(batches)
        finally:
            producer.produce = produce  # type: ignore[method-assign]
        producer.send_offsets_to_transaction = lambda *_: None  # type: ignore[method-assign]
        try:
            producer.begin_transaction()
            for positional, named in rows:
                produce(*positional, **named)
            persist(producer.commit_transaction)
        finally:
            producer.send_offsets_to_transaction = sends  # type: ignore[method-assign]
        return sent


class LiveGeneration(Publisher):
    """Asks who it is in the group when it sends the offsets, not when it claimed the partitions."""

    #: (generation, member) at this moment; the worker sets it.
    coordinator: Callable[[], tuple[int, str]]

    def _transact(self, batches: Mapping[int, Any]) -> list[tuple[str, int, str]]:
        producer = self._producer
        sends = producer.send_offsets_to_transaction

        def send(offsets: Any, _: bytes, timeout: float) -> None:
            generation, member = self.coordinator()
            # As group_metadata does it, which refuses to name nobody.
            name = self._group.encode() + b"\0" + member.encode() + b"\0\x01"
            sends(offsets, b"CGMDv2:" + struct.pack("<i", generation) + name, timeout)

        producer.send_offsets_to_transaction = send  # type: ignore[method-assign,assignment]
        try:
            return super()._transact(batches)
        finally:
            producer.send_offsets_to_transaction = sends  # type: ignore[method-assign]


class NoReplay(Repetition):
    """Goes on where Redis stands, whatever Kafka has beyond it."""

    def run(self, partition: Partition, journal: LogReader, kafka: Published) -> str:
        """Nothing is done again."""
        return "replayed"


class NewestDefinitions(Repetition):
    """Repeats by the definitions of now, not by those of the row."""

    def run(self, partition: Partition, journal: LogReader, kafka: Published) -> str:
        """By a source that knows one moment only."""
        self._definitions = OneMoment(self._definitions.current())
        return super().run(partition, journal, kafka)


class OneMoment:
    """Definitions that are what they are now, whatever offsets are asked for."""

    def __init__(self, now: CurrentDefinitions) -> None:
        self._now = now

    def current(self) -> CurrentDefinitions:
        return self._now

    def upto(self, offsets: Mapping[str, int]) -> CurrentDefinitions:
        return self._now


class ForgetsAggregates(Repetition):
    """Repeats states and timers, and adds nothing to the aggregates."""

    def _repeat(self, *arguments: Any) -> Commit | None:
        commit = super()._repeat(*arguments)
        if commit is not None:
            commit.added = NOTHING_ADDED
        return commit


class KeepsWhatExpired(Repetition):
    """Repeats what was written, and removes nothing."""

    def _repeat(self, *arguments: Any) -> Commit | None:
        commit = super()._repeat(*arguments)
        if commit is not None:
            commit.expired = []
        return commit


class KeepsCache(Recovery):
    """Takes the states that it had before into the next claim."""

    _kept: dict[int, StateCache]

    def _partition(self, number: int, *arguments: Any) -> Partition:
        partition = super()._partition(number, *arguments)
        kept = self.__dict__.setdefault("_kept", {})
        partition.cache = kept.setdefault(number, partition.cache)
        return partition


class FiresAtOnce(Recovery):
    """Lets every timer fire that the watermark has passed, whichever clock may rule it."""

    def _partition(self, number: int, *arguments: Any) -> Partition:
        partition = super()._partition(number, *arguments)
        partition.unsettled = _Settled()
        return partition


class _Settled(Unsettled):
    def limit(self, watermark: int) -> int:
        """All of them."""
        return watermark


class StableTicks(Ticker):
    """Ticks name the ends of what can be read, not of what is written."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._log = _Stable(self._log)  # type: ignore[assignment]


class StableClock(ClockReading):
    """The clock's end is that of what can be read of it, not of what is written."""

    def __init__(self, topic: str, log: LogReader, ahead: ClockAhead) -> None:
        super().__init__(topic, cast(LogReader, _Stable(log)), ahead)


class _Stable:
    def __init__(self, log: LogReader) -> None:
        self.high_watermarks = log.stable_ends


AS_IT_IS = Variant()


@dataclass(frozen=True)
class Mutation:
    """A deliberate break, and what the failure says that shows its harm (a regular expression)."""

    variant: Variant
    shows: str


MUTATIONS: Mapping[str, Mutation] = {
    # The chain is a digest of rows that name their seq: asked for alone, it refuses the same commits.
    "no seq check": Mutation(Variant(checks=CHECKS - {"position"}), "follows seq"),
    "no chain hash": Mutation(Variant(chain=lambda _: GENESIS), r"was taken up to|from \d+ again"),
    "no epoch check": Mutation(Variant(checks=CHECKS - {"epoch"}), "refused without need: forked"),
    "offset committed before publish": Mutation(
        Variant(publisher=OffsetsFirst), "refused without need: missing"
    ),
    "live instead of captured generation": Mutation(
        Variant(publisher=LiveGeneration), "follows seq"
    ),
    "no require-stable": Mutation(Variant(require_stable=False), "behind \\d+, which was"),
    "trim before commit": Mutation(Variant(publisher=TrimsFirst), "behind \\d+, which was"),
    "trim by position": Mutation(Variant(publisher=TrimsWhatIsCommitted), "behind \\d+, which was"),
    "no journal replay": Mutation(Variant(repetition=NoReplay), "Redis and Kafka differ"),
    "replay by the newest definitions": Mutation(
        Variant(repetition=NewestDefinitions), r"its row says \d+"
    ),
    "replay without aggregates": Mutation(
        Variant(repetition=ForgetsAggregates), "Redis, partition \\d+: (days|sums of|sets of)"
    ),
    "replay without removals": Mutation(
        Variant(repetition=KeepsWhatExpired), "Redis, partition \\d+: states|folding it again gives"
    ),
    "read_uncommitted": Mutation(Variant(isolation="read_uncommitted"), r"of \d+ records"),
    "ends at the last stable offset": Mutation(
        # A timer that fires too early loses a trigger, or a state that an event was still to come for.
        Variant(ticker=StableTicks),
        "triggers: lost|: states: ",
    ),
    "timers fire before their clock is read": Mutation(
        Variant(recovery=FiresAtOnce), r"triggers: lost .*, too many \['"
    ),
    "the clock's end is the last stable offset": Mutation(
        # A coupon for a cart that was emptied in time, or an event of the tool's time judged too far ahead.
        Variant(clock_reading=StableClock),
        r"triggers: lost .*, too many \['|events counted: .*dead_letter",
    ),
    "cache kept after a raise": Mutation(
        Variant(recovery=KeepsCache, goes_on=True), "folding it again gives"
    ),
}
#: Mutation -> the seed of a schedule that shows its harm. Any change to the order of the engine's steps
#: makes other schedules of the same seeds: `python -m tests.simulation --find-seeds` writes it anew.
SEEDS_FILE = Path(__file__).with_name("seeds.json")


def seeds() -> dict[str, int]:
    """What is recorded, by mutation."""
    found: dict[str, int] = json.loads(SEEDS_FILE.read_text())
    return found
