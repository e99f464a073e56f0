"""A worker without threads: the engine's own objects, each of its threads driven step by step."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, cast

from schemas.decoding import Decoder, RawRecord
from streams.definitions_reader import AllDefinitions
from streams.engine.clock_ahead import ClockAhead
from streams.engine.commit import Commit, Fetched, Position
from streams.engine.crashpoints import CrashPoint, CrashPoints
from streams.engine.cycle import Circumstances, Cycle
from streams.engine.engine import Consumer, Engine
from streams.engine.log import LogReader
from streams.engine.poison import PoisonGuard
from streams.engine.process import PartitionProcessor
from streams.engine.repetition import Author
from streams.engine.topicnames import TopicNames
from streams.engine.transport import NOTHING, Assignment, Poll
from streams.operations.health import Health
from streams.operations.metrics import Metrics
from streams.state.codes import CouponCodes
from streams.state.redis_store import Refused
from tests.simulation.definitions import EVERY_MS, GrowingDefinitions, check_definitions
from tests.simulation.frail import FrailProcessor
from tests.simulation.memory_kafka import MemoryKafka
from tests.simulation.memory_redis import MemoryClient, MemoryStore, Wire
from tests.simulation.source import START_MS
from tests.simulation.variants import LiveGeneration, Variant

TOPICS = TopicNames.of("")
GROUP = "group"
#: So little that states are evicted and read again.
CACHED_STATES = 3
LATENESS_MS = 5_000
CONFIG = "config"


def make_processors(
    partitions: int, kind: Callable[..., PartitionProcessor] = PartitionProcessor
) -> dict[int, PartitionProcessor]:
    decoder = Decoder(partitions, {topic: topic for topic in TOPICS.folded})
    return {
        number: kind(
            number,
            decoder,
            CouponCodes("key", "1"),
            triggers_topic=TOPICS.triggers,
            verdicts_topic=TOPICS.verdicts,
            decisions_topic=TOPICS.decisions,
            deadletters_topic=TOPICS.deadletters,
            exchange_topic=TOPICS.exchange,
            partitions=partitions,
        )
        for number in range(partitions)
    }


class FixedDefinitions:
    """No shop has settings of its own but the one that judges orders."""

    def __init__(self) -> None:
        self._fixed = GrowingDefinitions(lambda: 0, 0).current()

    def current(self) -> AllDefinitions:
        return self._fixed

    def upto(self, offsets: object) -> AllDefinitions:
        return self._fixed


class NoMetrics:
    """What the publisher tells its observer."""

    def published(self, rows: list[tuple[str, int, str]], seconds: float) -> None: ...
    def aborted(self, reason: str) -> None: ...


class Points(CrashPoints):
    """The engine's named crash points are steps like any other."""

    def __init__(self, reach: Callable[[str], None]) -> None:
        super().__init__()
        self._reach = reach

    def reach(self, point: CrashPoint) -> None:
        self._reach(point)


class Store(MemoryStore):
    """Says of each commit that leaves something out on an operator's word whether it is the first one."""

    build: str
    note: Callable[[str], None]
    processors: Mapping[int, FrailProcessor]

    def commit(
        self, batch: Sequence[tuple[int, int, Position, Commit]], outbox: bool = True
    ) -> list[int | None | Refused]:
        for number, _, _, commit in batch:
            # None where only the clock moved, or states of another generation were taken.
            used = self.processors[number].take_used()
            if used is not None:
                where = f"partition {number}, seq {commit.journal.seq}"
                check_definitions(commit.journal.definitions, used, where)
        results = super().commit(batch, outbox)
        for (*_, commit), result in zip(batch, results, strict=True):
            if commit.journal.skip and not isinstance(result, Refused):
                own = commit.journal.build == self.build
                again = "replayed" if own else "adopted"
                self.note("skip committed" if outbox else f"skip {again}")
        return results


class Worker:
    """One process. ``name`` is its identity on the network; its member id changes as it rejoins."""

    def __init__(
        self,
        name: str,
        slot: int,
        build: str,
        kafka: MemoryKafka,
        client: Callable[[Wire], MemoryClient],
        wire: Wire,
        reach: Callable[[str], None],
        metrics: Metrics,
        variant: Variant,
        partitions: int,
        note: Callable[[str], None],
    ) -> None:
        """``note`` is told of what a test counts."""
        self.name = name
        self.slot = slot
        self.build = build
        self.dead = False
        #: Stopped (SIGSTOP): none of its threads runs.
        self.frozen = False
        #: Whether its connection to Redis broke and it has not noticed yet.
        self.cut_off = False
        #: Threads that are in the middle of something, somewhere down the stack.
        self.busy: set[str] = set()
        #: What its step under way belongs to.
        self.stage = "start"
        self.polls: list[Poll] = []
        self.loop = _Loop()
        self.paused: set[tuple[str, int]] = set()
        self.positions: dict[tuple[str, int], int] = {}
        self.member = ""
        self._rejoins = 0
        self._kafka = kafka
        self._variant = variant
        cycle_store, publisher_store = (Store(client(wire), "sim:") for _ in range(2))
        cycle_store.build, cycle_store.note = build, note
        points = Points(reach)
        processors = make_processors(partitions, partial(FrailProcessor, build))
        # Each process has its own reader, and none is as far as another.
        definitions = GrowingDefinitions(lambda: (kafka.now - START_MS) // EVERY_MS, slot % 3)
        cycle_store.processors = publisher_store.processors = processors
        self.publisher = variant.publisher(
            name, GROUP, f"{GROUP}-{slot}", publisher_store, TOPICS.journal, TOPICS.customer[0],
            NoMetrics(), points, self._failed,
        )  # fmt: skip
        if isinstance(self.publisher, LiveGeneration):
            self.publisher.coordinator = self._coordinator
        guard = PoisonGuard(0.5, 1_000, 60.0)
        self.cycle = Cycle(
            TOPICS, cycle_store, processors, definitions, self.publisher, guard,
            Circumstances(build, CONFIG, "1", LATENESS_MS), metrics, points,
            variant.clock_reading(TOPICS.clock, LogReader(name), ClockAhead(TOPICS.clock, name)),
            lambda *pause: self.engine.pause(*pause),
            lambda *resume: self.engine.resume_partition(*resume),
            lambda partition: self.recovery.go_on(partition),
        )  # fmt: skip
        repetition = variant.repetition(
            TOPICS, cycle_store, name, processors, definitions, points, lambda: None,
            Author(build, CONFIG),
        )  # fmt: skip
        self.recovery = variant.recovery(
            TOPICS, cycle_store, name, GROUP, repetition, metrics, points, CACHED_STATES
        )
        self.engine = Engine(
            TOPICS, self.cycle, self.recovery, self.publisher, guard, Health(), points
        )
        self.engine._loop = cast(asyncio.AbstractEventLoop, self.loop)
        self.engine._consumer = cast(Consumer, self)
        self.ticker = variant.ticker(
            name, TOPICS, 1.0, self.engine.owned, LogReader(name), definitions, lambda: None,
            points, self._failed,
        )  # fmt: skip

    def _coordinator(self) -> tuple[int, str]:
        """Whom aiokafka's coordinator takes itself for: nobody, once the group has let go of it."""
        group = self._kafka.group
        return (group.generation, self.member) if self.member in group.members else (-1, "")

    def _failed(self, error: BaseException) -> None:
        raise AssertionError("no thread runs here") from error

    # The threads, a step each ---------------------------------------------------------------------

    def start(self) -> None:
        """What Publisher.start does before its thread begins; raises KafkaException."""
        self.publisher._producer.init_transactions(30.0)

    @property
    def assignment(self) -> Assignment:
        return self.engine._assignment

    @property
    def publishing(self) -> bool:
        """Whether whoever needs the publisher to stand still has to wait."""
        return self.publisher._work.locked()

    def must_rejoin(self) -> bool:
        group = self._kafka.group
        if self.member not in group.members:
            return True
        return group.joined is not None and self.member not in group.joined

    def is_assigned(self) -> bool:
        """Whether the group has something for it that it has not recovered yet."""
        group = self._kafka.group
        return (
            group.joined is None
            and self.member in group.members
            and self.assignment.generation != group.generation
        )

    def rejoin(self) -> None:
        self.release()
        if self.member not in self._kafka.group.members:
            self._rejoins += 1
            self.member = f"{self.name}.{self._rejoins}"
        self._kafka.group.join(self.member)

    def recover(self) -> None:
        group = self._kafka.group
        numbers = group.assigned.get(self.member, [])
        assignment = Assignment(
            group.generation,
            self.member,
            frozenset((topic, number) for topic in TOPICS.inputs for number in numbers),
        )
        self.positions = {}
        self.paused = set()
        if numbers:
            self.positions = dict(self.engine._recover(assignment))
        else:
            # Faust calls no rewind hook for an assignment that is empty.
            self.engine._assignment = Assignment(group.generation, self.member, frozenset())

    def release(self) -> None:
        if self.assignment is not NOTHING:
            self.engine._release()
        # A pause that the cycle asked for is older than the answer to its release.
        self.loop.run()
        self.positions = {}

    def fetch(self, most: Callable[[], int]) -> None:
        """One poll: of each topic-partition at most ``most()`` offsets."""
        fetched: dict[tuple[str, int], Fetched] = {}
        committed = self._variant.isolation == "read_committed"
        for place, start in self.positions.items():
            if place in self.paused:
                continue
            kept = self._kafka.logs[place]
            stable = kept.stable_end if committed else kept.end
            end = min(start + most(), stable)
            if end <= start:
                continue
            records = [
                RawRecord(*place, offset, entry.timestamp, entry.key, entry.value)
                for offset, entry in kept.visible(start, end, committed)
            ]
            fetched[place] = Fetched(place[0], start, end, records)
            self.positions[place] = end
        if fetched:
            self.polls.append(Poll(self.assignment.generation, fetched, 0.0))

    def process(self) -> None:
        self.engine._process(self.polls.pop(0))

    def publish(self) -> None:
        """A turn of the publisher's thread."""
        publisher = self.publisher
        with publisher._work:
            publisher._publish(publisher._wanted())

    def level(self) -> bool:
        """Whether it has its part in the group, and has processed and published all that it knows of."""
        if self.must_rejoin() or self.is_assigned():
            return False
        return not self.polls and not self.loop.calls and not self.publisher.backlog()

    # As the engine's consumer ---------------------------------------------------------------------

    def pause_partitions(self, places: set[tuple[str, int]]) -> None:
        self.paused |= places

    def resume_partitions(self, places: set[tuple[str, int]]) -> None:
        self.paused -= places

    async def reread(self, offsets: Mapping[tuple[str, int], int]) -> None:
        self.positions |= {place: at for place, at in offsets.items() if place in self.positions}


class _Loop:
    """The event loop: what other threads have asked of it waits until it has its turn."""

    def __init__(self) -> None:
        self.calls: deque[Callable[[], Any]] = deque()

    def call_soon_threadsafe(self, call: Callable[..., Any], *arguments: Any) -> None:
        self.calls.append(partial(call, *arguments))

    def create_task(self, coroutine: Coroutine[Any, Any, Any]) -> "Future[Any]":
        """Run one that waits for nothing."""
        done: Future[Any] = Future()
        try:
            coroutine.send(None)
        except StopIteration as ended:
            done.set_result(ended.value)
            return done
        raise AssertionError("waits")

    def run(self) -> None:
        while self.calls:
            self.calls.popleft()()
