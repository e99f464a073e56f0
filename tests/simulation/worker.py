"""A worker without threads: the engine's own objects, each of its threads driven step by step."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

from schemas.decoding import Decoder, RawRecord
from streams.definitions import Definitions
from streams.engine.commit import Fetched
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
from tests.simulation.memory_kafka import MemoryKafka
from tests.simulation.memory_redis import MemoryClient, MemoryStore, Wire
from tests.simulation.variants import LiveGeneration, Variant

TOPICS = TopicNames.of("")
GROUP = "group"
#: So little that states are evicted and read again.
CACHED_STATES = 3
LATENESS_MS = 5_000
CONFIG = "config"


def make_processors(partitions: int) -> dict[int, PartitionProcessor]:
    decoder = Decoder(partitions, {topic: topic for topic in TOPICS.customer})
    return {
        number: PartitionProcessor(
            number,
            decoder,
            CouponCodes("key", "1"),
            triggers_topic=TOPICS.triggers,
            deadletters_topic=TOPICS.deadletters,
        )
        for number in range(partitions)
    }


class NoDefinitions:
    """No shop has settings of its own."""

    def __init__(self) -> None:
        self._none = Definitions()

    def current(self) -> Definitions:
        return self._none

    def upto(self, offsets: object) -> Definitions:
        return self._none


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
    ) -> None:
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
        self.positions: dict[tuple[str, int], int] = {}
        self.member = ""
        self._rejoins = 0
        self._kafka = kafka
        self._variant = variant
        cycle_store, publisher_store = (MemoryStore(client(wire), "sim:") for _ in range(2))
        points = Points(reach)
        processors = make_processors(partitions)
        definitions = NoDefinitions()
        self.publisher = variant.publisher(
            name, GROUP, f"{GROUP}-{slot}", publisher_store, TOPICS.journal, TOPICS.customer[0],
            NoMetrics(), points, self._failed,
        )  # fmt: skip
        if isinstance(self.publisher, LiveGeneration):
            self.publisher.coordinator = self._coordinator
        guard = PoisonGuard(0.5, 1_000, 60.0)
        self.cycle = Cycle(
            TOPICS, cycle_store, processors, definitions, self.publisher, guard,
            Circumstances(build, CONFIG, "1", LATENESS_MS), metrics, points, self._pause, self._resume,
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
        self.engine._loop = cast(asyncio.AbstractEventLoop, _Now())
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

    def _pause(self, topic: str, partition: int | None, reason: str) -> None:
        raise AssertionError(f"paused: {topic} {partition} {reason}")

    def _resume(self, partition: int, offsets: Mapping[tuple[str, int], int]) -> None:
        raise AssertionError(f"resumed: {partition} {offsets}")

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
        if numbers:
            self.positions = dict(self.engine._recover(assignment))
        else:
            # Faust calls no rewind hook for an assignment that is empty.
            self.engine._assignment = Assignment(group.generation, self.member, frozenset())

    def release(self) -> None:
        if self.assignment is not NOTHING:
            self.engine._release()
        self.positions = {}

    def fetch(self, most: Callable[[], int]) -> None:
        """One poll: of each topic-partition at most ``most()`` offsets."""
        fetched: dict[tuple[str, int], Fetched] = {}
        committed = self._variant.isolation == "read_committed"
        for place, start in self.positions.items():
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
        """Whether it has processed and published all that it knows of."""
        return not self.polls and not self.publisher.backlog()

    # As the engine's consumer ---------------------------------------------------------------------

    def pause_partitions(self, places: set[tuple[str, int]]) -> None:
        raise AssertionError(f"paused: {places}")


class _Now:
    """An event loop for call_soon_threadsafe: at once."""

    def call_soon_threadsafe(self, call: Callable[..., Any], *arguments: Any) -> None:
        call(*arguments)
