"""Faust's Kafka transport, bent: one message a poll, offsets left alone, seeks decided by recovery.

Stock Faust spends 95 to 240 us of CPU on each event before an agent sees it. Here a poll's records for
all partitions are one Faust message, a ``Poll``, so that cost is paid once a poll. Each override names
the upstream behaviour it replaces; tests/contract/test_faust.py fails when an upgrade changes one of them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.engine import header_names
from streams.engine.commit import Fetched

header_names.install()

#: Faust drops a message whose offset does not rise within its topic-partition; ours are not offsets.
FIRST_MESSAGE = 1 << 50
#: What a fetch waits for, as long as fetch_wait allows.
FETCH_MIN_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one rebalance gave this process, read in one piece where nothing can move in between."""

    generation: int
    member: str
    partitions: frozenset[tuple[str, int]]


NOTHING = Assignment(-1, "", frozenset())


@dataclass(slots=True)
class Poll:
    """Everything one poll fetched, a Fetched per topic-partition, also where only offsets moved."""

    generation: int
    fetched: dict[tuple[str, int], Fetched]
    #: monotonic seconds
    at: float


class EngineHooks(Protocol):
    """What the transport asks of the engine; ``app.engine`` has it."""

    def attach(self, consumer: "Consumer") -> None:
        """What the engine pauses partitions of: known before its first recovery; again is harmless."""

    async def recover(self, assignment: Assignment) -> Mapping[tuple[str, int], int]:
        """Claim and recover; returns where each topic-partition is to be read from. Never raises."""

    async def room(self) -> bool:
        """Whether another poll may wait for the cycle; waits a while for it."""

    async def release(self) -> None:
        """Publish what is committed and let go of all partitions."""

    def delivered(self) -> None:
        """A poll is on its way to the cycle."""

    def beat(self, what: str) -> None: ...


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Captures (generation, member, partitions) in the synchronous prefix of the callback.

    Later the coordinator's own fields may already belong to the next rebalance: they change when a
    JoinGroup is sent, and are (-1, "") after a reset, which a broker accepts from anyone.
    """

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        tps = list(assigned)
        coordinator = self._thread._ensure_consumer()._coordinator
        thread = cast("ConsumerThread", self._thread)
        thread.assignment_value = Assignment(
            coordinator.generation,
            coordinator.member_id,
            frozenset((tp.topic, tp.partition) for tp in tps),
        )
        await super().on_partitions_assigned(tps)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer."""

    assignment_value: Assignment = NOTHING

    def __post_init__(self) -> None:
        super().__post_init__()
        #: Positions before the fetch that is under way; a seek meanwhile moves them too.
        self._before: dict[tuple[str, int], int] = {}
        #: Numbers the fetches: more than one may be under way.
        self._calls = 0

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        # Faust has no settings for these three: it reads uncommitted and lets a fetch wait 1.5 s for one
        # byte. A fetch of some forty partitions costs a millisecond of pure Python, so at live rates the
        # broker is to wait for a few records; under backlog it answers at once.
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_wait_ms = int(self.app.fetch_wait * 1000)
        consumer._fetch_min_bytes = FETCH_MIN_BYTES
        return consumer

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        """As upstream, but with the offsets [start, end) that each partition's position moved over.

        Positions, not records, say what was passed: transaction markers, aborted batches and compacted
        offsets hold no record, and a tick's ends count them. Runs in the consumer's thread; records are
        drained and positions moved in the last step of the call above us, with no await in between.

        A call that began before a rebalance can outlast it (seen: with a quick one) and drain records
        after the seeks of the new generation, for nobody. Such a call puts back what it took.
        """
        generation = self.assignment_value.generation
        self._calls += 1
        call = self._calls
        self._before = self._positions(consumer)
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        before = self._before
        abandoned = (
            call != self._calls
            or generation != self.assignment_value.generation
            or not self.consumer.flow_active
        )
        if abandoned:
            # Also where no record was: markers and aborted batches move a position on their own.
            now = self._positions(consumer)
            self._seek(consumer, {tp: at for tp, at in before.items() if now.get(tp, at) > at})
            return {}
        fetched: dict[tuple[str, int], Fetched] = {}
        for tp, end in self._positions(consumer).items():
            start = before.get(tp)
            if start is not None and end > start:
                fetched[tp] = Fetched(tp[0], start, end, records.get(tp, ()))
        return Poll(generation, fetched, time.monotonic()) if fetched else {}

    @staticmethod
    def _positions(consumer: Any) -> dict[tuple[str, int], int]:
        subscription = consumer._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None:
            return {}
        return {
            tp: state._position
            for tp, state in assignment._tp_state.items()
            if state._position is not None
        }

    async def seek_all(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Seek in the consumer's own thread, where no fetch can overtake it."""
        await self.call_thread(self._seek_all, offsets)

    async def _seek_all(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self._seek(self._ensure_consumer(), offsets)

    def _seek(self, consumer: Any, offsets: Mapping[tuple[str, int], int]) -> None:
        assigned = consumer.assignment()
        for (topic, partition), offset in offsets.items():
            tp = driver.TopicPartition(topic, partition)
            if tp in assigned:
                consumer.seek(tp, offset)
                self._before[topic, partition] = offset


class Consumer(driver.Consumer):
    """Yields one message a poll and never commits: offsets reach Kafka only in our transactions."""

    RebalanceListener: ClassVar[type[driver.ConsumerRebalanceListener]] = RebalanceListener
    _thread: ConsumerThread
    _messages = FIRST_MESSAGE

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def engine(self) -> EngineHooks:
        return cast(EngineHooks, self.app.engine)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        # Faust's own buffers only discourage the one partition that a message names.
        has_room = await self.engine.room()
        self.engine.beat("poll")
        if not has_room:
            return
        poll, _ = await self._wait_next_records(timeout)
        self.engine.beat("poll")
        if not isinstance(poll, Poll) or self.should_stop:
            return
        if not self.flow_active:
            # Fetched while a rebalance had begun. What is not delivered is read again.
            await self._thread.seek_all({tp: part.start for tp, part in poll.fetched.items()})
            return
        topic, partition = next(iter(poll.fetched))
        tp = TP(topic, partition)
        self._messages += 1
        self.engine.delivered()
        yield (
            tp,
            ConsumerMessage(
                topic,
                partition,
                self._messages,
                time.time(),
                1,
                (),
                None,
                cast(bytes, poll),
                None,
                0,
                0,
                tp,
                generation_id=self.app.consumer_generation_id,
            ),
        )

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Also reached by an assignment that turns out empty, for which Faust calls no rewind hook."""
        await super().on_partitions_revoked(revoked)
        await self.engine.release()

    async def perform_seek(self) -> None:
        """The rewind hook: Faust calls it after every assignment that is not empty."""
        # The app's tasks start after the first recovery, which may pause partitions already.
        self.engine.attach(self)
        assignment = self._thread.assignment_value
        offsets = await asyncio.shield(asyncio.ensure_future(self.engine.recover(assignment)))
        if self._thread.assignment_value is assignment:
            await self._thread.seek_all(offsets)
            for place in offsets:
                self._read_offset[TP(*place)] = None

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing is acknowledged, so no gap is kept."""

    def _new_offset(self, tp: TP) -> int | None:
        """No offset of Faust's is ever committed."""
        return None

    async def _commit_offsets(self, *arguments: Any, **options: Any) -> bool:
        # stream.events() acknowledges a bundle when the agent takes the next one, long before its rows
        # are published; such a commit could even move an offset back behind a transaction.
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's watchdog expects a message for each topic-partition, and commits of its own: ten
        minutes after the start it would call every one of ours stuck. /livez and /readyz watch it."""

    async def reread(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Fetch again from these offsets, after a pause."""
        await self._thread.seek_all(offsets)


class Transport(driver.Transport):
    """``broker_consumer="bundle://host:port"``; registered by the entry point ``faust.transports``."""

    Consumer = Consumer
