"""Carries records from the topics of a closed generation to those of its successor, each exactly once."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from schemas.decoding import RawRecord
from schemas.forwarded import arrived_header, forwarded_header
from schemas.partitioner import partition_of
from streams.engine.group_offsets import GroupOffsets
from streams.engine.log import LogReader
from streams.engine.topicnames import TopicNames
from streams.repair.refused import RepairRefused
from streams.repair.repartition_transactions import RECORDS, Transactions
from streams.settings import Settings

#: Offsets of one partition read at a time.
CHUNK = 1_000

Place = tuple[str, int]


def forwarder_group(group: str) -> str:
    """The group whose offsets say how far a generation's topics were forwarded."""
    return f"{group}.forward"


def forwarded_partition(key: bytes | None, found_in: int, partitions: int, new: int) -> int:
    """Where the record goes whose key stood in partition ``found_in`` of ``partitions``.

    One that did not belong there goes where it does not belong either, so that it stays a dead letter;
    with ``new`` = 1 there is no such place, and it is read.
    """
    if key is None:
        return found_in % new
    right = partition_of(key, new)
    return right if partition_of(key, partitions) == found_in else (right + 1) % new


def first_offsets(
    log: LogReader, topics: TopicNames, ended: Mapping[Place, int]
) -> dict[Place, int]:
    """Where forwarding begins: where the generation ended, definitions from their first record."""
    customers = {place: at for place, at in ended.items() if place[0] in topics.folded}
    return {**customers, **log.log_starts([(topic, 0) for topic in topics.definitions])}


class _Part(NamedTuple):
    """Records of a partition, covering its offsets up to ``end``."""

    place: Place
    records: list[RawRecord]
    end: int


class Forwarder:
    """One thread; every call blocks, and raises RepairRefused, a LogError or KafkaException."""

    def __init__(
        self,
        old: Settings,
        new: Settings,
        log: LogReader,
        transactions: Callable[[], Transactions],
        progress: Callable[[int], None],
    ) -> None:
        """``transactions`` is called when something is to be written: it fences other forwarders.

        ``progress`` is told how many records were forwarded, before each commit.
        """
        self._old = old
        self._new = new
        self._topics = TopicNames.of(old.topic_prefix)
        self._successors = TopicNames.of(new.topic_prefix)
        self._log = log
        self._transactions = transactions
        self._progress = progress
        self._group = forwarder_group(old.group)
        self._done = 0
        #: Next offset of each place, read once: nobody else moves them while this one may write.
        self._positions: dict[Place, int] = {}

    def definitions(self) -> int:
        """Forward what is new in shop.settings and shop.campaigns; returns the records."""
        return self._forward([(topic, 0) for topic in self._topics.definitions])

    def events(self) -> int:
        """Forward what is new in the customer topics; returns the records."""
        return self._forward(self._customer_places())

    def waiting(self) -> int:
        """Records of the customer topics that wait to be forwarded."""
        return sum(len(part.records) for part in self._parts(self._customer_places()))

    def _customer_places(self) -> list[Place]:
        return [(t, n) for t in self._topics.folded for n in range(self._old.partitions)]

    def _forward(self, places: list[Place]) -> int:
        # Before the offsets are read: whoever else forwarded is fenced from here on.
        self._transactions()
        before = self._done
        batch: list[_Part] = []
        for part in self._parts(places):
            batch.append(part)
            if sum(len(held.records) for held in batch) >= RECORDS:
                self._send(batch)
                batch = []
        self._send(batch)
        return self._done - before

    def _parts(self, places: list[Place]) -> Iterator[_Part]:
        if not self._positions.keys() >= set(places):
            self._positions |= self._committed(places)
        ends = self._log.stable_ends(places)
        for place in places:
            for at in range(self._positions[place], ends[place], CHUNK):
                end = min(at + CHUNK, ends[place])
                yield _Part(place, self._log.read_range(*place, at, end), end)

    def _committed(self, places: list[Place]) -> dict[Place, int]:
        topics = sorted({topic for topic, _ in places})
        with GroupOffsets(self._old.kafka_bootstrap, self._group) as offsets:
            found = offsets.read(topics, sorted({number for _, number in places}))
        positions = {
            (topic, number): offset
            for number, held in found.items()
            for topic, offset in held.offsets.items()
        }
        for topic, number in places:
            if (topic, number) not in positions:
                raise RepairRefused(
                    f"group {self._group} has no offset of {topic}[{number}]: it expired "
                    "(offsets.retention.minutes) or was deleted, and nobody knows what was forwarded. "
                    "Send what is missing again from its source: what came over counts as duplicate"
                )
        return positions

    def _send(self, batch: list[_Part]) -> None:
        records = list(chain.from_iterable(part.records for part in batch))
        if not batch:
            return
        self._done += len(records)
        transactions = self._transactions()
        with transactions.begin(lambda: self._progress(self._done)) as producer:
            for record in records:
                producer.produce(
                    self._successor(record.topic),
                    record.value,
                    key=record.key,
                    partition=self._partition(record),
                    headers=self._headers(record),
                )
            ends = {part.place: part.end for part in batch}
            transactions.send_offsets(self._group, ends, {})
        self._positions |= ends

    def _successor(self, topic: str) -> str:
        return self._successors.prefix + topic.removeprefix(self._topics.prefix)

    def _headers(self, record: RawRecord) -> list[tuple[str, str | bytes | None]]:
        headers: list[tuple[str, str | bytes | None]] = [
            *record.headers,
            forwarded_header(record.topic, record.partition, record.offset),
        ]
        if record.topic == self._topics.campaigns:
            headers.append(arrived_header(record.timestamp))
        return headers

    def _partition(self, record: RawRecord) -> int:
        if record.topic in self._topics.definitions:
            return 0
        return forwarded_partition(
            record.key, record.partition, self._old.partitions, self._new.partitions
        )
