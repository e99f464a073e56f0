"""Reads the log back by offsets: for recovery, verify and rebuild. No consumer group, no commits.

A range [start, end) of a partition is read whole or not at all. Its end may be a transaction's
marker, an aborted batch or a hole left by compaction, none of which is a record: a range is
complete once the reading position has reached ``end``, which a record at or beyond it or the
broker's end-of-partition event shows.
"""

import logging
import operator
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, cast

import msgspec
from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from producers.offsets import OffsetsError, list_offsets
from schemas.decoding import RawRecord
from schemas.journal import JournalRow, decode_row
from streams.engine.log_errors import JournalGap, LogIncomplete, LogRangeLost, LogUnreadable

Isolation = Literal["read_committed", "read_uncommitted"]
#: (topic, partition) -> offset.
Offsets = dict[tuple[str, int], int]

#: Seconds without anything read after which a range counts as incomplete.
PATIENCE_SECONDS = 30.0
#: Seconds in which the brokers must answer a question about offsets.
ANSWER_SECONDS = 30.0
#: Records handed over by one call into librdkafka.
BATCH = 2_000
#: Journal rows read at a time; a row is below 1 KiB.
ROWS_AT_A_TIME = 2_000
#: Between two looks at whether a transaction's marker has come.
_STABLE_SECONDS = 0.02


class StoredRow(NamedTuple):
    """A journal row where it lies in the log; ``raw`` are the bytes that the chain digests."""

    offset: int
    row: JournalRow
    raw: bytes


class LogReader:
    """Reads ranges, watermarks and journal rows. Every call may block.

    One thread at a time, but for ``high_watermarks``, ``stable_ends`` and ``log_starts``: any may ask.

    Every call raises LogUnreadable when Kafka answers with an error that waiting does not mend.
    """

    def __init__(
        self,
        bootstrap: str,
        isolation: Isolation = "read_committed",
        *,
        patience: float = PATIENCE_SECONDS,
        answer_within: float = ANSWER_SECONDS,
        extra: Mapping[str, str | int | float | bool] | None = None,
    ) -> None:
        self._patience = patience
        self._answer_within = answer_within
        self._consumer = open_consumer(bootstrap, isolation, extra)
        self._admin = AdminClient({"bootstrap.servers": bootstrap, **(extra or {})}, logger=LOGGER)
        self._isolation = isolation

    def close(self) -> None:
        """Leaves the connections; may be called twice."""
        self._consumer.close()

    def __enter__(self) -> "LogReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read_range(self, topic: str, partition: int, start: int, end: int) -> list[RawRecord]:
        """Every record of [start, end), in order.

        Raises LogRangeLost when the log begins after ``start`` or ends before it, and LogIncomplete
        when nothing came for ``patience`` seconds before the position reached ``end``.
        """
        if start >= end:
            return []
        return list(self._from(topic, partition, start, end))

    def high_watermarks(self, partitions: Iterable[tuple[str, int]]) -> Offsets:
        """The end of each log, open transactions included, in one request a broker."""
        return self._offsets(partitions, OffsetSpec.latest, "read_uncommitted")

    def stable_ends(self, partitions: Iterable[tuple[str, int]]) -> Offsets:
        """The end of what a read_committed reader sees: the last stable offsets."""
        return self._offsets(partitions, OffsetSpec.latest, "read_committed")

    def log_starts(self, partitions: Iterable[tuple[str, int]]) -> Offsets:
        """The first offset that retention has left in each log."""
        return self._offsets(partitions, OffsetSpec.earliest, "read_uncommitted")

    def offsets_since(self, partitions: Iterable[tuple[str, int]], time_ms: int) -> Offsets:
        """The first offset that the broker appended at ``time_ms`` (ms since 1970) or later; the log's end
        where there is none.
        """
        places = list(partitions)
        found = self._offsets(places, lambda: OffsetSpec.for_timestamp(time_ms), "read_uncommitted")
        ends = self.high_watermarks(places)
        return {place: at if at >= 0 else ends[place] for place, at in found.items()}

    def wait_stable(self, topic: str, partition: int) -> None:
        """Wait until all that is written by now can be read: a transaction's markers come one by one.

        Raises LogIncomplete when that takes longer than ``patience`` seconds.
        """
        place = (topic, partition)
        end = self.high_watermarks([place])[place]
        began = time.monotonic()
        while (stable := self.stable_ends([place])[place]) < end:
            waited = time.monotonic() - began
            if waited > self._patience:
                raise LogIncomplete(topic, partition, stable, end, stable, waited)
            time.sleep(_STABLE_SECONDS)

    def find_row(self, topic: str, partition: int, seq: int) -> int | None:
        """The offset of the journal row numbered ``seq``, by bisection; None when it is not there.

        Takes about log2(rows) reads of one record each.
        """
        low, high = self._bounds(topic, partition)
        while low < high:
            middle = (low + high) // 2
            found = self._first_row(topic, partition, middle, high)
            if found is None or found.row.seq > seq:
                # No row lies between middle and the one found, so the wanted one is before middle.
                high = middle
            elif found.row.seq < seq:
                low = found.offset + 1
            else:
                return found.offset
        return None

    def read_rows(
        self, topic: str, partition: int, from_seq: int, to_seq: int
    ) -> Iterator[StoredRow]:
        """The journal rows numbered from_seq to to_seq, both included, in order, as they are read.

        Raises JournalGap as soon as one is missing or out of order.
        """
        if from_seq > to_seq:
            return
        position = self.find_row(topic, partition, from_seq)
        if position is None:
            raise JournalGap(topic, partition, None, from_seq, None)
        expected = from_seq
        _, high = self._bounds(topic, partition)
        while position < high:
            stop = min(position + ROWS_AT_A_TIME, high)
            for record in self.read_range(topic, partition, position, stop):
                stored = stored_row(record)
                if stored.row.seq != expected:
                    raise JournalGap(topic, partition, record.offset, expected, stored.row.seq)
                yield stored
                if expected == to_seq:
                    return
                expected += 1
            position = stop
        raise JournalGap(topic, partition, high, expected, None)

    def last_row(self, topic: str, partition: int) -> StoredRow | None:
        """The journal row published last; None while there is none."""
        low, high = self._bounds(topic, partition)
        step = 2  # a row and its transaction's marker
        while low < high:
            start = max(low, high - step)
            records = self.read_range(topic, partition, start, high)
            if records:
                return stored_row(records[-1])
            if start == low:
                return None
            high, step = start, step * 4
        return None

    def _bounds(self, topic: str, partition: int) -> tuple[int, int]:
        place = (topic, partition)
        return self.log_starts([place])[place], self.stable_ends([place])[place]

    def _first_row(self, topic: str, partition: int, start: int, end: int) -> StoredRow | None:
        for record in self._from(topic, partition, start, end):
            return stored_row(record)
        return None

    def messages(self, topic: str, partition: int, start: int, end: int) -> Iterator[Message]:
        """The records of [start, end) as the client gives them; raises what ``read_range`` raises."""
        consumer = self._consumer
        consumer.assign([TopicPartition(topic, partition, start)])
        position = start
        waiting_since = time.monotonic()

        def lost(*_: object) -> LogRangeLost:
            return self.range_lost(topic, partition, position)

        while position < end:
            for message in take_batch(consumer):
                waiting_since = time.monotonic()
                position = max(position, reached(message, lost))
                if message.error() is None:
                    if position > end:
                        return
                    yield message
            waited = time.monotonic() - waiting_since
            if position < end and waited > self._patience:
                raise LogIncomplete(topic, partition, start, end, position, waited)

    def _from(self, topic: str, partition: int, start: int, end: int) -> Iterator[RawRecord]:
        return map(raw_record, self.messages(topic, partition, start, end))

    def range_lost(self, topic: str, partition: int, offset: int) -> LogRangeLost:
        """The error that says what the log holds instead of ``offset``."""
        place = (topic, partition)
        start, end = self.log_starts([place])[place], self.high_watermarks([place])[place]
        return LogRangeLost(topic, partition, offset, start, end)

    def _offsets(
        self,
        partitions: Iterable[tuple[str, int]],
        spec: Callable[[], OffsetSpec],
        isolation: Isolation,
    ) -> Offsets:
        wanted = {TopicPartition(topic, partition): spec() for topic, partition in partitions}
        if not wanted:
            return {}
        level = (
            IsolationLevel.READ_COMMITTED
            if isolation == "read_committed"
            else IsolationLevel.READ_UNCOMMITTED
        )
        try:
            return list_offsets(self._admin, wanted, level, self._answer_within)
        except OffsetsError as error:
            raise LogUnreadable(error.topic, error.partition, None, str(error.reason)) from error


LOGGER = logging.getLogger("huitou.kafka")


def open_consumer(
    bootstrap: str,
    isolation: Isolation,
    extra: Mapping[str, str | int | float | bool] | None = None,
) -> Consumer:
    """A consumer that is told what to read, reports ends of partitions and never commits."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            # The client wants a name; without subscribe no group of it ever exists.
            "group.id": "huitou-log-reader",
            "isolation.level": isolation,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "allow.auto.create.topics": False,
            # How long the broker holds a fetch at the end of a log.
            "fetch.wait.max.ms": 20,
            # Fetched ahead: at most 50 MB in all, and enough records that a batch never waits.
            "queued.max.messages.kbytes": 50_000,
            "queued.min.messages": 10 * BATCH,
            **(extra or {}),
        },
        logger=LOGGER,
    )


def take_batch(consumer: Consumer, timeout: float = 0.2) -> list[Message]:
    """What is there after at most ``timeout`` seconds: waits for the first message only."""
    first = consumer.poll(timeout)
    return [] if first is None else [first, *consumer.consume(BATCH, 0)]


def reached(message: Message, describe_loss: Callable[[str, int, int], LogRangeLost]) -> int:
    """The position after ``message``, a record or an end of partition; raises on errors."""
    topic, partition, offset = _place(message)
    error = message.error()
    if error is None:
        return offset + 1
    if error.code() == KafkaError._PARTITION_EOF:
        return offset
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        raise describe_loss(topic, partition, offset)
    raise LogUnreadable(topic, partition, offset, str(error))


#: confluent-kafka leaves an exception set when a header name is not UTF-8. Called like this the interpreter
#: notices at once; a plain call, once specialised, does not, and ends in a crash somewhere later.
_headers = operator.methodcaller("headers")


def raw_record(message: Message) -> RawRecord:
    """A record as the decoder takes it."""
    topic, partition, offset = _place(message)
    time_ms = message.timestamp()[1]
    # Without unreadable headers, as the transport reads it: streams.engine.header_names.
    headers = headers_of(message) or ()
    return RawRecord(topic, partition, offset, time_ms, message.key(), message.value(), headers)


def headers_of(message: Message) -> Sequence[tuple[str, bytes | None]] | None:
    """A record's headers; None where a name is not UTF-8, which the client cannot give."""
    try:
        return cast("list[tuple[str, bytes | None]] | None", _headers(message)) or ()
    except (SystemError, UnicodeDecodeError):
        return None


def _place(message: Message) -> tuple[str, int, int]:
    partition, offset = message.partition(), message.offset()
    return (
        message.topic() or "",
        -1 if partition is None else partition,
        -1 if offset is None else offset,
    )


def stored_row(record: RawRecord) -> StoredRow:
    """A journal record with its row decoded. Raises LogUnreadable for bytes that are no row."""
    raw = record.value or b""
    try:
        return StoredRow(record.offset, decode_row(raw), raw)
    except msgspec.MsgspecError as error:
        reason = f"this is no journal row: {error}"
        raise LogUnreadable(record.topic, record.partition, record.offset, reason) from error
