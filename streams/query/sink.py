"""Copies the topics into the query store, exactly once: rows and offsets in one transaction.

The group only says which sink reads which partition. Where to begin stands in the store; what Kafka may know
of the group is never asked for. A sink that lost a partition and does not know it yet finds that
the store's offset has moved, and ends with a doubt.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from schemas.decoding import RawRecord
from streams.engine.log import raw_record
from streams.query.archived import ArchivedHeads, Head
from streams.query.batch import Batch, BatchReader, Slice
from streams.query.errors import StoreDoubt, StoreRefused
from streams.query.kafka_errors import is_passing
from streams.query.log import Bounds, bounds, group_consumer, names_of, topic_ids
from streams.query.metrics import SinkMetrics
from streams.query.store import QueryStore, Stored
from streams.settings import Settings

#: Records of one transaction, at most: dead letters of 128 KB each make 128 MB.
BATCH: Final = 1_000
#: Seconds that a batch waits for more: two transactions a second at live rates.
LINGER_SECONDS: Final = 0.5
#: Seconds between two looks at whether other sinks have come to the ends, too.
LOOK_SECONDS: Final = 1.0

#: Seconds without anything written after which a run up to the ends gives up: a member that died is out of
#: the group, and its partitions are somebody's, several times over.
PATIENCE_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Progress:
    """What one run has done. ``archived``: those of the records that an archive had. ``behind``: records
    short of the ends at its start, of its own partitions.
    """

    records: int = 0
    archived: int = 0
    passed_over: int = 0
    transactions: int = 0
    partitions: int = 0
    behind: int = 0


class Sink:
    """One consumer and the store it writes into. Everything happens in the thread that calls ``run``.

    ``archive``: has what retention has cut from the topics.
    """

    def __init__(
        self,
        settings: Settings,
        store: QueryStore,
        metrics: SinkMetrics | None = None,
        archive: ArchivedHeads | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._archive = archive
        self._names = names_of(settings)
        self._reader = BatchReader(settings.partitions, self._names)
        self._consumer: Consumer | None = None
        #: The partitions that are ours, and up to where the store has them.
        self._positions: dict[tuple[str, int], int] = {}
        self._failure: BaseException | None = None
        self._progress = Progress()
        self._metrics = metrics if metrics is not None else SinkMetrics()
        self._measured = 0.0

    def run(
        self,
        stopping: Callable[[], bool],
        *,
        once: bool = False,
        patience: float = PATIENCE_SECONDS,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> Progress:
        """Write what the topics have until ``stopping`` says so, or, ``once``, up to the ends of now.

        ``once`` gives up, with a StoreDoubt, when no sink wrote for ``patience`` seconds. ``progress`` is
        told after every transaction. Blocks. Raises StoreRefused, StoreDoubt, LogError, KafkaException and
        SQLAlchemy's errors; nothing that was not committed counts then.
        """
        ids = topic_ids(self._settings, list(self._names))
        at_start, heads = self._take_over(ids)
        while heads and not stopping():
            self._fill(heads, at_start, stopping, progress)
            # Retention may have gone on meanwhile.
            at_start, heads = self._take_over(ids)
        if stopping():
            return self._progress
        self._consumer = group_consumer(self._settings)
        try:
            self._consumer.subscribe(
                list(self._names),
                on_assign=self._assigned,
                on_revoke=self._revoked,
                on_lost=self._revoked,
            )
            until_ends = _UntilEnds(self._store, at_start, patience) if once else None
            while not stopping():
                if self._poll(self._consumer, at_start):
                    progress(self._progress)
                self._measure(self._consumer)
                if until_ends is not None and until_ends.reached():
                    break
            return self._progress
        finally:
            # The next sink gets the partitions at once, not when the session has run out.
            self._consumer.close()

    def _take_over(self, ids: dict[str, str]) -> tuple[Bounds, list[Head]]:
        """Check that the store is of these topics, and begin what it has nothing of. Gives the topics' bounds
        and what is to be read from the archive before them.
        """
        # Before the topics: another sink may go on meanwhile, and the topics only grow.
        held = self._store.offsets()
        at_start = bounds(self._settings, self._names)
        heads = [] if self._archive is None else self._archive.plan(held, at_start)
        begins = {**at_start.starts, **{(head.topic, head.partition): head.start for head in heads}}
        refusals = [
            reason
            for place, part in sorted(held.items())
            if place in begins and (reason := _refusal(part, ids, begins[place], at_start))
        ]
        if refusals:
            raise StoreRefused("; ".join(refusals) + ". Fill another store (--store)")
        self._store.begin(
            [
                Stored(topic, number, ids[topic], start, start, None, 0, 0)
                for (topic, number), start in begins.items()
                if (topic, number) not in held
            ]
        )
        return at_start, heads

    def _fill(
        self,
        heads: list[Head],
        at_start: Bounds,
        stopping: Callable[[], bool],
        progress: Callable[[Progress], None],
    ) -> None:
        """Write what the archive has and the topics have no longer."""
        assert self._archive is not None
        log.info("filling from the archive", offsets=sum(head.end - head.start for head in heads))
        self._positions = {(head.topic, head.partition): head.start for head in heads}
        for batch in self._archive.fill(heads, self._store, self._reader, BATCH, stopping):
            self._written(batch, at_start)
            self._progress.archived += sum(advance.records for advance in batch.advances)
            progress(self._progress)
        self._positions = {}

    def _poll(self, consumer: Consumer, at_start: Bounds) -> bool:
        """Write what one poll brings; whether there was anything."""
        slices = self._slices(consumer.consume(BATCH, LINGER_SECONDS))
        if self._failure is not None:
            raise self._failure
        if not slices:
            return False
        batch = self._reader.read(slices)
        self._store.write(batch)
        self._written(batch, at_start)
        return True

    def _written(self, batch: Batch, at_start: Bounds) -> None:
        """Count a batch that is in the store."""
        done = self._progress
        for advance in batch.advances:
            self._positions[advance.topic, advance.partition] = advance.end
            done.records += advance.records
            done.passed_over += advance.passed_over
            self._metrics.committed(
                self._names[advance.topic], advance.records, advance.passed_over
            )
        self._metrics.committed_all()
        done.transactions += 1
        done.partitions = len(self._positions)
        done.behind = sum(
            max(0, at_start.ends[place] - position) for place, position in self._positions.items()
        )

    def _measure(self, consumer: Consumer) -> None:
        """Now and then, how far the partitions are behind, by what the last fetch said of their ends."""
        if time.monotonic() - self._measured < LOOK_SECONDS:
            return
        self._measured = time.monotonic()
        left = {}
        for (topic, number), position in self._positions.items():
            # The client knows no end before its first fetch, and says so with one below 0.
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, number), cached=True)
            if end >= 0:
                left[self._names[topic], str(number)] = float(max(0, end - position))
        self._metrics.behind(left)

    def _slices(self, messages: Iterable[Message]) -> list[Slice]:
        """What is new of the partitions that are ours: one slice each, where it moved."""
        records: dict[tuple[str, int], list[RawRecord]] = {}
        ends: dict[tuple[str, int], int] = {}
        for message in messages:
            error = message.error()
            if error is not None and error.code() != KafkaError._PARTITION_EOF:
                where = f"{message.topic()}[{message.partition()}]"
                if is_passing(error, where, message.offset()):
                    log.warning("the topics cannot be read just now", error=error.str())
                continue
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            assert topic is not None
            assert partition is not None
            assert offset is not None
            place = (topic, partition)
            # What was fetched before a rebalance may still come: not ours, or written already.
            position = self._positions.get(place)
            if position is None or offset < position:
                continue
            if error is None:
                records.setdefault(place, []).append(raw_record(message))
                offset += 1
            # The end of a partition lies behind markers of transactions, which are no records.
            ends[place] = max(offset, ends.get(place, position))
        return [
            Slice(*place, self._positions[place], end, records.get(place, ()))
            for place, end in ends.items()
            if end > self._positions[place]
        ]

    # Called by the client within consume(), which hands exceptions on in some cases only.

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            held = self._store.offsets()
            places = [(part.topic, part.partition) for part in partitions]
            self._refuse_added(place for place in places if place not in held)
            self._positions = {place: held[place].next for place in places}
            for part in partitions:
                part.offset = self._positions[part.topic, part.partition]
            consumer.assign(partitions)
        except BaseException as error:  # noqa: BLE001 - raised again by _poll
            self._failure = error
            consumer.unassign()
        else:
            log.info("partitions assigned", count=len(partitions))

    def _refuse_added(self, places: Iterable[tuple[str, int]]) -> None:
        """Their keys are spread over another number of partitions than this sink, and the workers, know."""
        names = ", ".join(f"{topic}[{number}]" for topic, number in sorted(places))
        if names:
            raise StoreRefused(
                f"{names}: added since this sink began, with {self._settings.partitions} partitions a topic "
                "(HUITOU_PARTITIONS). A stack's count changes by `huitou repartition` only, into topics of "
                "another generation"
            )

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Between two polls nothing is under way: what was polled is written.
        self._positions = {}
        consumer.unassign()
        log.info("partitions revoked", count=len(partitions))


class _UntilEnds:
    """Looks now and then how far the store is; other sinks of the group may have partitions, too."""

    def __init__(self, store: QueryStore, at_start: Bounds, patience: float) -> None:
        self._store = store
        self._ends = at_start.ends
        self._patience = patience
        self._looked = self._moved = time.monotonic()
        self._left: int | None = None

    def reached(self) -> bool:
        """Whether all is in the store. Raises StoreDoubt when nothing came for longer than the patience."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        held = self._store.offsets()
        left = sum(max(0, end - held[place].next) for place, end in self._ends.items())
        if left != self._left:
            self._left, self._moved = left, now
        elif now - self._moved > self._patience:
            raise StoreDoubt(
                f"{left:,} offsets are left and nothing was written for {now - self._moved:.0f} s: Kafka "
                "does not answer, or another sink of the group has the partitions and stands still. Run it "
                "again"
            )
        return left == 0


def _refusal(part: Stored, ids: dict[str, str], begins: int, at_start: Bounds) -> str | None:
    """Why the store cannot go on with this partition, which can be read from ``begins`` on; None: it can."""
    place = (part.topic, part.partition)
    where = f"{part.topic}[{part.partition}]"
    if part.topic_id != ids[part.topic]:
        return (
            f"{where}: the store is of another topic of that name (id {part.topic_id}, now "
            f"{ids[part.topic]}): it was made anew, or this is another stack's store"
        )
    if part.next < begins:
        return (
            f"{where}: the store ends at offset {part.next} and the topic begins at {begins}: retention was "
            "faster; an archive of the topics helps (--archive)"
        )
    if part.next > at_start.ends[place]:
        return (
            f"{where}: the store ends at offset {part.next} and the topic already at "
            f"{at_start.ends[place]}: records were lost"
        )
    return None
