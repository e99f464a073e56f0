"""What a generation begins with, in Kafka: states in shop.origin, and the journal rows that take them over.

Both are written once however often this is cut short: a state that a committed transaction holds is not
written again, and the rows of a partition are one transaction.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from schemas.decoding import RawRecord
from schemas.journal import ClockState, JournalRow, chain
from schemas.partitioner import partition_of
from streams.bootstrap import configuration_digest, processors
from streams.build import build
from streams.domain.increments import Increments
from streams.engine.commit import Commit, Fetched, Stamp
from streams.engine.draft import COMMIT_BYTES, COMMIT_STATES
from streams.engine.log import LogReader
from streams.engine.partition import NEW_POSITION
from streams.engine.process import PartitionProcessor
from streams.engine.topicnames import TopicNames
from streams.repair.refused import RepairRefused
from streams.repair.repartition_days import MovedDays
from streams.repair.repartition_states import MovedState, Tally, moved_state
from streams.repair.repartition_transactions import RECORDS, Transactions
from streams.settings import Settings
from streams.state.codec import CODEC_VERSION
from streams.state.increments import NOTHING_ADDED

#: Offsets of shop.origin read at a time.
CHUNK = 1_000
#: Records of aggregates in one transaction, of 200 KB at most each.
DAY_RECORDS = 100


@dataclass(frozen=True, slots=True)
class Began:
    """The last row of what a partition begins with."""

    seq: int
    chain: bytes


@dataclass(slots=True)
class OriginWriter:
    """Writes to the topics of the new generation, whose settings and names these are."""

    settings: Settings
    topics: TopicNames
    log: LogReader
    transactions: Transactions
    #: What every row says of the circumstances.
    clock: ClockState
    #: Told how many states were written so far, before each commit.
    progress: Callable[[int], None]
    _written: int = 0
    #: Partition -> what the old generation has for it.
    expected: dict[int, Tally] = field(default_factory=dict)

    def write(
        self, states: Iterable[MovedState], aggregates: Mapping[int, Iterable[MovedDays]]
    ) -> None:
        """Put every state into the partition of its customer, and aggregates where ``aggregates`` says.

        Raises KafkaException or a LogError.
        """
        partitions = self.settings.partitions
        self.expected = {number: Tally() for number in range(partitions)}
        present = self._present()
        batch: list[tuple[int, bytes | None, bytes]] = []
        for state in states:
            number = partition_of(state.customer.encode(), partitions)
            self.expected[number].add(state)
            if _name(state) not in present:
                batch.append((number, state.customer.encode(), state.value))
            if len(batch) >= RECORDS:
                self._send(batch)
                batch = []
        for number, days in aggregates.items():
            for moved in days:
                self.expected[number].add_days(moved.value)
                if _digest(moved.value) not in present:
                    batch.append((number, None, moved.value))
                if len(batch) >= DAY_RECORDS:
                    self._send(batch)
                    batch = []
        self._send(batch)

    def _present(self) -> set[bytes]:
        """What an earlier run has written."""
        return {
            _digest(record.value or b"")
            if record.key is None
            else _name(moved_state(record.value or b""))
            for number in range(self.settings.partitions)
            for record in self._records(number)
        }

    def _send(self, batch: list[tuple[int, bytes | None, bytes]]) -> None:
        if not batch:
            return
        self._written += len(batch)
        with self.transactions.begin(lambda: self.progress(self._written)) as producer:
            for number, key, value in batch:
                producer.produce(self.topics.origin, value, key=key, partition=number)

    def journal(self, step: Callable[[int], None]) -> dict[int, Began]:
        """Write the first rows of every partition; ``step`` is told each partition's number
        before its commit.

        Raises RepairRefused where shop.origin or the journal holds anything but the states given to
        ``write``.
        """
        made = processors(self.settings, self.topics)
        began: dict[int, Began] = {}
        for number, processor in made.items():
            commits = self._commits(number, processor)
            last = self.log.last_row(self.topics.journal, number)
            if last is None:
                with self.transactions.begin(partial(step, number)) as producer:
                    for commit in commits:
                        producer.produce(self.topics.journal, commit.row, partition=number)
                began[number] = Began(commits[-1].position.seq, commits[-1].position.chain)
            elif _ends_at(last.row) == _ends_at(commits[-1].journal):
                # Written by an earlier run, perhaps by another build: it covers the same states.
                began[number] = Began(last.row.seq, chain(last.raw))
            else:
                raise self._foreign(
                    f"{self.topics.journal}[{number}] holds rows of another attempt"
                )
        return began

    def _commits(self, number: int, processor: PartitionProcessor) -> list[Commit]:
        """The commits over all that shop.origin holds of a partition: at least one, be it of nothing."""
        tally = Tally()
        position = NEW_POSITION
        commits: list[Commit] = []
        for part in self._parts(number):
            for record in part.records:
                if record.key is None:
                    tally.add_days(record.value or b"")
                else:
                    tally.add(moved_state(record.value or b""))
            draft = processor.inherit(position, part, {})
            commit = draft.finish(self._stamp())
            position = commit.position
            commit.states.clear()  # what matters of them is in the row
            commit.increments, commit.added = Increments(), NOTHING_ADDED
            commits.append(commit)
        if tally != self.expected[number]:
            raise self._foreign(
                f"{self.topics.origin}[{number}] holds {tally}, to be moved are "
                f"{self.expected[number]}"
            )
        return commits

    def _parts(self, number: int) -> Iterator[Fetched]:
        """The records cut as commits are, with the offsets between them."""
        topic = self.topics.origin
        start, weight = 0, 0
        records: list[RawRecord] = []
        for record in self._records(number):
            if len(records) >= COMMIT_STATES or weight >= COMMIT_BYTES:
                yield Fetched(topic, start, record.offset, records)
                start, weight, records = record.offset, 0, []
            records.append(record)
            weight += len(record.value or b"")
        end = records[-1].offset + 1 if records else start
        yield Fetched(topic, start, end, records)

    def _records(self, number: int) -> Iterator[RawRecord]:
        place = (self.topics.origin, number)
        self.log.wait_stable(*place)
        end = self.log.stable_ends([place])[place]
        for at in range(0, end, CHUNK):
            yield from self.log.read_range(*place, at, min(at + CHUNK, end))

    def _stamp(self) -> Stamp:
        return Stamp(
            epoch=0,
            clock=self.clock,
            latest=self.clock.tick,
            definitions={},
            build=build(),
            codec=CODEC_VERSION,
            config=configuration_digest(),
            code_key=self.settings.code_key_id,
        )

    def _foreign(self, detail: str) -> RepairRefused:
        return RepairRefused(
            f"{detail}: the attempt that wrote this was cancelled, and the states moved on. Begin "
            "anew with a number of its own: --generation"
        )


def _ends_at(row: JournalRow) -> list[tuple[str, int]]:
    return [(part.topic, part.end) for part in row.slices]


def _name(state: MovedState) -> bytes:
    """16 bytes that stand for the state's key, so that many fit into memory."""
    return _digest(state.key.encode())


def _digest(value: bytes) -> bytes:
    return hashlib.blake2b(value, digest_size=16).digest()
