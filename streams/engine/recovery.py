"""The one recovery path: claim, compare what Kafka and Redis know, and start where both agree.

K is what Kafka has: seq and chain in the metadata of the committed offsets. R is what Redis has. Every
case that is not plainly safe is refused with the command that repairs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.journal import GENESIS, decode_row
from streams.engine.clock import TickQueue
from streams.engine.crashpoints import CrashPoints
from streams.engine.draft import FoldError
from streams.engine.generation import FENCES
from streams.engine.group_offsets import GroupOffsets, Published
from streams.engine.log import LogReader
from streams.engine.log_errors import JournalGap, LogIncomplete, LogRangeLost
from streams.engine.partition import NEW_CLOCK, Partition, StateCache
from streams.engine.publisher import Publishing
from streams.engine.refusal import RecoveryRefused, emptied, fenced, forked, superseded
from streams.engine.repetition import Repetition
from streams.engine.topicnames import TopicNames
from streams.engine.transport import Assignment
from streams.engine.unsettled import Unsettled
from streams.operations.metrics import Metrics
from streams.state.codec import CODEC_VERSION
from streams.state.redis_store import Held, RedisStore, Stored


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

    def __init__(
        self,
        topics: TopicNames,
        store: RedisStore,
        bootstrap: str,
        group: str,
        repetition: Repetition,
        metrics: Metrics,
        crash: CrashPoints,
        cache_bound: int,
    ) -> None:
        self._topics = topics
        self._store = store
        self._bootstrap = bootstrap
        self._group = group
        self._repetition = repetition
        self._metrics = metrics
        self._crash = crash
        self._cache_bound = cache_bound

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
                self._refuse_superseded(published)
                self._log = log
                starts = log.log_starts([(t, n) for n in owned for t in inputs])
                ends = log.high_watermarks([(t, n) for n in owned for t in inputs])
                for number in owned:
                    self._recover_one(
                        number, assignment, stored[number], published[number],
                        starts, ends, recovered,
                    )  # fmt: skip
        return recovered, {number: topics for number, topics in missing.items() if topics}

    def _refuse_restarted(self, held: Held) -> None:
        """A group that was deleted or made anew counts its generations from 1 and knows no offsets."""
        number = held.partition
        with (
            GroupOffsets(self._bootstrap, self._group) as offsets,
            LogReader(self._bootstrap) as self._log,
        ):
            kafka = offsets.read(self._topics.inputs, [number])[number]
            published = kafka.seq or self._last_published(number)
        self._refuse_superseded({number: kafka})
        if held.member in FENCES:
            self._metrics.recoveries("fenced").inc()
            raise fenced(number, held.member) from held
        if kafka.seq < max(published, self._store.stored(number).trimmed):
            self._metrics.recoveries("reset").inc()
            raise RecoveryRefused(
                "reset",
                number,
                f"{held}, and group {self._group} has no offset of it: the group was deleted or made "
                "anew. Adopt it with: huitou group adopt",
            ) from held

    def _refuse_superseded(self, published: Mapping[int, Published]) -> None:
        for number, kafka in published.items():
            if kafka.successor is not None:
                self._metrics.recoveries("superseded").inc()
                raise superseded(number, kafka.successor)

    def _recover_one(
        self,
        number: int,
        assignment: Assignment,
        found: Stored,
        kafka: Published,
        starts: Mapping[tuple[str, int], int],
        ends: Mapping[tuple[str, int], int],
        recovered: Recovered,
    ) -> None:
        epoch = assignment.generation
        try:
            partition = self._open(number, epoch, found, kafka, starts, ends)
        except RecoveryRefused as refusal:
            # Overtaken meanwhile (Held), it compared an old Redis with a newer Kafka: no refusal.
            self._store.claim(number, epoch, assignment.member)
            self._metrics.recoveries(refusal.case).inc()
            raise
        if partition.lost is None:
            self._store.trim(number, epoch, kafka.seq)
        recovered.partitions[number] = partition
        recovered.publishing[number] = Publishing(
            epoch, kafka.seq, dict(kafka.offsets), max(kafka.seq, partition.position.seq)
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
        self._refuse_newer(number, found)
        # A group without offsets is new, or was deleted: what was published then, the journal says.
        published = kafka.seq or self._last_published(number)
        if not found.exists and published:
            raise emptied(number, published)
        if kafka.foreign is not None or kafka.seq < max(published, found.trimmed):
            where = kafka.foreign or (
                f"published seq {kafka.seq} behind {max(published, found.trimmed)}, which was"
            )
            raise RecoveryRefused(
                "reset",
                number,
                f"the group's offsets were changed from outside ({where}); the journal's last row "
                f"of {self._topics.journal}[{number}] tells the published seq. "
                "Adopt them with: huitou group adopt",
            )
        partition = self._partition(number, epoch, found, starts)
        self._refuse_outside(partition, starts, ends)
        if found.position.seq < kafka.seq:
            self._repeat(partition, kafka)
            return partition
        if self._chain_at(number, found, kafka.seq) != kafka.chain:
            raise forked(number, f"at seq {kafka.seq} Redis and Kafka differ")
        self._metrics.recoveries("current").inc()
        return partition

    def go_on(self, partition: Partition) -> bool:
        """Repeat on what Redis lost, without what an operator has had left out since it was paused.

        False where another event cannot be folded: the partition is paused again. Raises what
        ``recover`` raises.
        """
        kafka = partition.lost
        assert kafka is not None
        with LogReader(self._bootstrap) as self._log:
            done = self._repeat(partition, kafka)
        partition.rewind_clock(self._topics.clock)
        if done:
            self._store.trim(partition.number, partition.epoch, kafka.seq)
        return done

    def _repeat(self, partition: Partition, kafka: Published) -> bool:
        """Repeat what Redis lost; False where the partition is paused for what this build cannot fold."""
        number = partition.number
        partition.lost = kafka
        try:
            case = self._repetition.run(partition, self._log, kafka)
        except FoldError as error:
            partition.stop(error)
            return False
        except (JournalGap, LogRangeLost, LogIncomplete) as error:
            if isinstance(error, LogIncomplete) and not self._ends_before(error):
                raise
            raise RecoveryRefused(
                "incomplete",
                number,
                f"what Redis lost cannot be read back: {error}. "
                f"Restore with: huitou rebuild --partition {number}",
            ) from error
        partition.lost = partition.paused = None
        partition.unsettled = Unsettled()
        self._metrics.recoveries(case).inc()
        return True

    def _ends_before(self, error: LogIncomplete) -> bool:
        """Whether what did not come is not in the log, as in a topic that was made anew."""
        place = (error.topic, error.partition)
        return self._log.high_watermarks([place])[place] < error.end

    def _refuse_newer(self, number: int, found: Stored) -> None:
        """A downgrade: writing its states would drop what the newer build added to them."""
        if found.codec_min > CODEC_VERSION:
            raise RecoveryRefused(
                "newer",
                number,
                f"a newer build has written its states in encoding {found.codec_min}, and this build "
                f"writes encoding {CODEC_VERSION}: start a build that writes {found.codec_min} or "
                "later. To go back for good, and lose what only the newer encoding holds, stop all "
                f"workers and fold the log with this build: huitou rebuild --partition {number}",
            )

    def _last_published(self, number: int) -> int:
        """The journal's last seq, 0 without any. Waits for markers that are still to come."""
        self._log.wait_stable(self._topics.journal, number)
        # Not the end of the log: what an aborted transaction left there was never published.
        last = self._log.last_row(self._topics.journal, number)
        return 0 if last is None else last.row.seq

    def _partition(
        self, number: int, epoch: int, found: Stored, starts: Mapping[tuple[str, int], int]
    ) -> Partition:
        # A topic that this partition never read is read from where its log begins.
        vector = {
            topic: found.vector.get(topic, starts[topic, number]) for topic in self._topics.inputs
        }
        clock = found.clock or NEW_CLOCK
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
            ticks=TickQueue(clock),
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
                    f"Restore with: huitou rebuild --partition {partition.number}",
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
