"""The one recovery path: claim, compare what Kafka and Redis know, and start where both agree.

K is what Kafka has: seq and chain in the metadata of the committed offsets. R is what Redis has. Every
case that is not plainly safe is refused with the command that repairs it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.journal import GENESIS, JournalRow, Slice, decode_row
from streams.engine.clock import TickQueue
from streams.engine.crashpoints import CrashPoints
from streams.engine.definitions import DefinitionsSource
from streams.engine.log import LOGGER, LogReader, slice_crc
from streams.engine.log_errors import JournalGap, LogRangeLost
from streams.engine.partition import NEW_CLOCK, Partition, StateCache
from streams.engine.partition_log import PartitionLog
from streams.engine.process import Fetched, PartitionProcessor, Stamp
from streams.engine.publisher import Publishing
from streams.engine.topicnames import TopicNames
from streams.engine.transport import Assignment
from streams.operations.metrics import Metrics
from streams.state.redis_store import Held, RedisStore, Refused, Stored

CALL_TIMEOUT = 30.0
#: Said of repair commands until they exist.
LATER = "(a command of the next version)"
#: Timers of one fired journal row; more than processing ever puts into one commit.
FIRED_LIMIT = 1_000_000


class RecoveryRefused(Exception):
    """Nothing may be processed until an operator acts; ``case`` is the label of shop_recoveries_total."""

    def __init__(self, case: str, partition: int, message: str) -> None:
        super().__init__(f"partition {partition}: {message}")
        self.case = case
        self.partition = partition


@dataclass(frozen=True, slots=True)
class Published:
    """What Kafka has of a partition: the last published seq, its chain, the offsets committed with it."""

    seq: int
    chain: bytes
    offsets: dict[str, int]
    #: A committed offset without our metadata: somebody else wrote it.
    foreign: str | None = None


class GroupOffsets:
    """Reads the group's committed offsets, waiting for transactions in flight (require-stable)."""

    def __init__(self, bootstrap: str, group: str) -> None:
        # A plain fetch right after a commit can answer the old offset; under read_committed librdkafka
        # asks for stable ones.
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": group,
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
            },
            logger=LOGGER,
        )

    def read(self, topics: Iterable[str], partitions: Iterable[int]) -> dict[int, Published]:
        """Raises KafkaException, also for an error of a single partition."""
        names = list(topics)
        numbers = list(partitions)
        wanted = [TopicPartition(topic, number) for number in numbers for topic in names]
        found: dict[int, Published] = {number: Published(0, GENESIS, {}) for number in numbers}
        for answer in self._consumer.committed(wanted, timeout=CALL_TIMEOUT):
            if answer.error is not None:
                raise KafkaException(answer.error)
            if answer.offset < 0:
                continue
            held = found[answer.partition]
            held.offsets[answer.topic] = answer.offset
            position = _parse(answer.metadata)
            if position is None:
                foreign = f"{answer.topic}[{answer.partition}] offset {answer.offset}"
                found[answer.partition] = Published(held.seq, held.chain, held.offsets, foreign)
            elif position[0] > held.seq:
                found[answer.partition] = Published(*position, held.offsets, held.foreign)
        return found

    def close(self) -> None:
        self._consumer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _parse(metadata: str | None) -> tuple[int, bytes] | None:
    seq, separator, chain = (metadata or "").partition(",")
    if not separator or not seq.isdecimal():
        return None
    try:
        return int(seq), bytes.fromhex(chain)
    except ValueError:
        return None


@dataclass(slots=True)
class Recovered:
    """What the worker owns from here on."""

    partitions: dict[int, Partition]
    publishing: dict[int, Publishing]

    def seeks(self) -> dict[tuple[str, int], int]:
        return {
            (topic, number): offset
            for number, partition in self.partitions.items()
            for topic, offset in partition.vector.items()
        }


class Recovery:
    """Stateless between calls; used by the cycle's thread only."""

    #: Open during ``recover``.
    _log: LogReader
    #: Open during the replay of a partition.
    _slices: PartitionLog

    def __init__(
        self,
        topics: TopicNames,
        store: RedisStore,
        bootstrap: str,
        group: str,
        processors: Mapping[int, PartitionProcessor],
        definitions: DefinitionsSource,
        metrics: Metrics,
        crash: CrashPoints,
        progress: Callable[[], None],
        cache_bound: int,
        build: str,
        config: str,
    ) -> None:
        self._topics = topics
        self._store = store
        self._bootstrap = bootstrap
        self._group = group
        self._processors = processors
        self._definitions = definitions
        self._metrics = metrics
        self._crash = crash
        self._progress = progress
        self._cache_bound = cache_bound
        self._build = build
        self._config = config

    def recover(self, assignment: Assignment) -> tuple[Recovered, dict[int, list[str]]]:
        """Claim and recover what the assignment gives whole.

        Returns what is owned, and for partitions of which a topic is missing, the missing topics.
        Raises RecoveryRefused, Held, redis.RedisError, KafkaException or a LogError.
        """
        inputs = self._topics.inputs
        numbers = sorted({number for _, number in assignment.partitions})
        missing = {
            number: [t for t in inputs if (t, number) not in assignment.partitions]
            for number in numbers
        }
        owned = [number for number in numbers if not missing[number]]
        try:
            stored = {
                number: self._store.claim(number, assignment.generation, assignment.member)
                for number in owned
            }
        except Held as held:
            self._refuse_restarted(held)
            raise
        self._crash.reach("after-claim")
        recovered = Recovered({}, {})
        if owned:
            # Clients for this one recovery: idle ones would cost threads and fetches for ever.
            with (
                GroupOffsets(self._bootstrap, self._group) as offsets,
                LogReader(self._bootstrap) as log,
            ):
                published = offsets.read(inputs, owned)
                self._log = log
                starts = log.log_starts([(t, n) for n in owned for t in inputs])
                ends = log.high_watermarks(
                    [(t, n) for n in owned for t in (*inputs, self._topics.triggers)]
                )
                for number in owned:
                    self._recover_one(
                        number, assignment.generation, stored[number], published[number],
                        starts, ends, recovered,
                    )  # fmt: skip
        return recovered, {number: topics for number, topics in missing.items() if topics}

    def _refuse_restarted(self, held: Held) -> None:
        """A group that was deleted or made anew counts its generations from 1 and knows no offsets."""
        number = held.partition
        with GroupOffsets(self._bootstrap, self._group) as offsets:
            kafka = offsets.read(self._topics.inputs, [number])[number]
        if kafka.seq < self._store.stored(number).trimmed:
            self._metrics.recoveries("reset").inc()
            raise RecoveryRefused(
                "reset",
                number,
                f"{held}, and group {self._group} has no offset of it: the group was deleted or made "
                f"anew. Adopt it with: huitou group adopt {LATER}",
            ) from held

    def _recover_one(
        self,
        number: int,
        epoch: int,
        found: Stored,
        kafka: Published,
        starts: Mapping[tuple[str, int], int],
        ends: Mapping[tuple[str, int], int],
        recovered: Recovered,
    ) -> None:
        try:
            partition = self._open(number, epoch, found, kafka, starts, ends)
        except RecoveryRefused as refusal:
            self._metrics.recoveries(refusal.case).inc()
            raise
        self._store.trim(number, epoch, kafka.seq)
        recovered.partitions[number] = partition
        recovered.publishing[number] = Publishing(
            epoch, kafka.seq, dict(kafka.offsets), partition.position.seq
        )

    def _open(
        self,
        number: int,
        epoch: int,
        found: Stored,
        kafka: Published,
        starts: Mapping[tuple[str, int], int],
        ends: Mapping[tuple[str, int], int],
    ) -> Partition:
        self._refuse_missing(number, found, kafka, ends)
        if kafka.foreign is not None or kafka.seq < found.trimmed:
            where = kafka.foreign or f"published seq {kafka.seq} behind the trimmed {found.trimmed}"
            raise RecoveryRefused(
                "reset",
                number,
                f"the group's offsets were changed from outside ({where}); the journal's last row "
                f"of {self._topics.journal}[{number}] tells the published seq. "
                f"Adopt them with: huitou group adopt {LATER}",
            )
        partition = self._partition(number, epoch, found, starts)
        self._refuse_outside(partition, starts, ends)
        if found.position.seq < kafka.seq:
            try:
                with PartitionLog(self._bootstrap) as self._slices:
                    self._replay(partition, found, kafka)
            except (JournalGap, LogRangeLost) as error:
                raise RecoveryRefused(
                    "incomplete",
                    number,
                    f"what Redis lost cannot be read back: {error}. "
                    f"Restore with: huitou rebuild --partition {number} {LATER}",
                ) from error
            self._metrics.recoveries("replayed").inc()
            return partition
        if self._chain_at(number, found, kafka.seq) != kafka.chain:
            raise _forked(number, f"at seq {kafka.seq} Redis and Kafka differ")
        self._metrics.recoveries("current").inc()
        return partition

    def _refuse_missing(
        self, number: int, found: Stored, kafka: Published, ends: Mapping[tuple[str, int], int]
    ) -> None:
        if found.exists:
            return
        triggers = ends[self._topics.triggers, number]
        if kafka.seq > 0 or triggers > 0:
            known = f"seq {kafka.seq}" if kafka.seq else f"{triggers} offsets of triggers"
            raise RecoveryRefused(
                "missing",
                number,
                f"Redis holds nothing, but Kafka has {known} of it; Redis was emptied or another one "
                f"is configured. Restore it with: huitou rebuild --partition {number} {LATER}",
            )

    def _partition(
        self, number: int, epoch: int, found: Stored, starts: Mapping[tuple[str, int], int]
    ) -> Partition:
        # A topic that this partition never read is read from where its log begins.
        vector = {
            topic: found.vector.get(topic, starts[topic, number]) for topic in self._topics.inputs
        }
        clock = found.clock or NEW_CLOCK
        ticks = TickQueue()
        ticks.latest = max(clock.tick, clock.until)
        read = vector[self._topics.clock]
        return Partition(
            number=number,
            epoch=epoch,
            position=found.position,
            vector=vector,
            clock=clock,
            clock_read=read,
            clock_applied=read,
            cache=StateCache(self._cache_bound),
            ticks=ticks,
            next_due=found.next_due,
        )

    def _refuse_outside(
        self,
        partition: Partition,
        starts: Mapping[tuple[str, int], int],
        ends: Mapping[tuple[str, int], int],
    ) -> None:
        for topic, offset in partition.vector.items():
            start, end = starts[topic, partition.number], ends[topic, partition.number]
            if topic == self._topics.clock and offset < start:
                # Ticks are kept a day; those that expired unread moved nothing.
                partition.vector[topic] = partition.clock_read = partition.clock_applied = start
            elif not start <= offset <= end:
                raise RecoveryRefused(
                    "outside_log",
                    partition.number,
                    f"Redis stands at {topic}[{partition.number}] offset {offset}, but the log holds "
                    f"{start} to {end}; the topic was deleted, or kept too short. "
                    f"Restore with: huitou rebuild --partition {partition.number} {LATER}",
                )

    def _chain_at(self, number: int, found: Stored, seq: int) -> bytes:
        """Redis's chain at ``seq``, which is at or behind where it stands."""
        if seq == found.position.seq:
            return found.position.chain
        if seq == 0:
            return GENESIS
        entries = self._store.outbox(number, seq, 1)
        if not entries or entries[0].seq != seq + 1:
            raise RecoveryRefused(
                "reset",
                number,
                f"the outbox lacks seq {seq + 1}, the first that Kafka does not have",
            )
        return decode_row(entries[0].row).previous

    def _replay(self, partition: Partition, found: Stored, kafka: Published) -> None:
        """Redis lost a suffix: repeat exactly what the journal says of it. Nothing is sent again."""
        number = partition.number
        first = found.position.seq + 1
        # A row names slices of a few records each; a seek for each of them would cost milliseconds.
        self._slices.begin(number, {t: partition.vector[t] for t in self._topics.customer})
        for stored in self._log.read_rows(self._topics.journal, number, first, kafka.seq):
            row = stored.row
            if row.previous != partition.position.chain:
                raise _forked(number, f"journal row {row.seq} follows another row than Redis holds")
            if (row.build, row.config) != (self._build, self._config):
                raise RecoveryRefused(
                    "adopt",
                    number,
                    f"Redis lost seq {first} to {kafka.seq}, which build {row.build} "
                    f"({row.config}) wrote; this is build {self._build} ({self._config}). "
                    "Start that build to recover, or run: huitou rebuild "
                    f"--partition {number} {LATER}",
                )
            self._repeat(partition, stored.raw, row)
            self._progress()
            self._crash.reach("in-replay")
        if partition.position.chain != kafka.chain:
            raise _forked(number, f"the journal's seq {kafka.seq} is not what the offsets name")

    def _repeat(self, partition: Partition, published: bytes, row: JournalRow) -> None:
        number = partition.number
        processor = self._processors[number]
        clock_slices = [part for part in row.slices if part.topic == self._topics.clock]
        fetched = [
            self._read(part, number) for part in row.slices if part.topic != self._topics.clock
        ]
        definitions = self._definitions.upto(row.definitions)
        states, sizes = partition.cache.states, partition.cache.sizes
        if row.fired is not None:
            last = (row.fired.due, row.fired.key)
            due = [
                (key, moment)
                for key, moment in self._store.due(number, row.fired.due, FIRED_LIMIT)
                if (moment, key) <= last
            ]
            self._load(partition, [key for key, _ in due])
            if not due or due[-1] != (row.fired.key, row.fired.due):
                raise _differs(number, row, "its timers are not the ones that fired")
            draft = processor.fire(partition.position, due, states, sizes, definitions)
        else:
            work = processor.prepare(fetched, row.latest)
            self._load(partition, list(work.keys))
            draft = processor.fold(
                partition.position, work, states, sizes, definitions, bounded=False
            )
        commit = draft.finish(stamp_of(row), clock_slices)
        if commit.row != published:
            raise _differs(number, row, "folding it again gave other rows or states")
        result = self._store.commit(
            [(number, partition.epoch, partition.position, commit)], outbox=False
        )[0]
        if isinstance(result, Refused):
            raise result
        partition.advance(commit, result)
        partition.clock_read = partition.clock_applied = partition.vector[self._topics.clock]

    def _read(self, part: Slice, number: int) -> Fetched:
        records = self._slices.take(part.topic, part.start, part.end)
        if len(records) != part.count or slice_crc(records) != part.crc:
            raise RecoveryRefused(
                "incomplete",
                number,
                f"{part.topic}[{number}] offsets {part.start} to {part.end} hold {len(records)} records "
                f"where the journal counted {part.count} (or other bytes); retention or compaction took "
                f"them. Restore with: huitou rebuild --partition {number} {LATER}",
            )
        return Fetched(part.topic, part.start, part.end, records)

    def _load(self, partition: Partition, keys: list[str]) -> None:
        missing = partition.cache.missing(keys)
        if missing:
            found = self._store.load_states({partition.number: missing})[partition.number]
            for key, (state, size) in found.items():
                partition.cache.states[key] = state
                partition.cache.sizes[key] = size


def stamp_of(row: JournalRow) -> Stamp:
    """The circumstances under which a published row was made."""
    return Stamp(
        epoch=row.epoch,
        clock=row.clock,
        latest=row.latest,
        definitions=row.definitions,
        build=row.build,
        codec=row.codec,
        config=row.config,
        code_key=row.code_key,
    )


def _forked(number: int, detail: str) -> RecoveryRefused:
    return RecoveryRefused(
        "forked",
        number,
        f"{detail}: two lineages (a failover to an old replica, or two stacks on one Redis). "
        f"Redis's copy is void; restore with: huitou rebuild --partition {number} {LATER}",
    )


def _differs(number: int, row: JournalRow, detail: str) -> RecoveryRefused:
    return RecoveryRefused(
        "adopt",
        number,
        f"journal seq {row.seq} cannot be repeated: {detail}. "
        f"Restore with: huitou rebuild --partition {number} {LATER}",
    )
