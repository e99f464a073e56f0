"""Who holds the clock, read from partition 0 of shop.clock: the log itself is the lock.

A rebase takes the clock only where nobody holds it; a close gives it back. Every reader of the log
sees the same holder, so two tools that start at once agree on which of them was first.
"""

import time
import uuid
from dataclasses import dataclass, field
from typing import Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from producers.cluster import ANSWER_SECONDS, CLIENT_LOG, Cluster
from producers.errors import BrokerUnreachableError
from schemas.clock import WALL, ClockRecord, Close, Rebase, Skip, Tick, decode_clock

#: The partition whose records decide who holds the clock. Tools write it first when they take the
#: clock and last when they hand it back, so the other partitions never see two tools at once.
LOCK_PARTITION: Final = 0
#: Records taken from the consumer at a time.
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Holder:
    """A tool that holds the clock. Times in ms; ``until`` and ``rate`` as it announced them."""

    clock: str
    since: int
    until: int
    rate: float
    #: Its newest tick, or ``since`` before any.
    last_tick: int


@dataclass(slots=True)
class ClockHistory:
    """What the records of one partition of shop.clock amount to, taken in the log's order."""

    holder: Holder | None = None
    #: The newest time of any tick or close, whoever's; 0 before any.
    newest: int = 0
    #: Clocks that were closed. A tool may tick on for a moment after somebody released its clock.
    closed: set[str] = field(default_factory=set)

    def apply(self, record: ClockRecord) -> None:
        """Takes in the next record."""
        holder = self.holder
        if isinstance(record, Skip):
            return
        if isinstance(record, Rebase):
            if holder is None:
                self.holder = Holder(
                    record.clock, record.time, record.until, record.rate, record.time
                )
            return
        self.newest = max(self.newest, record.time)
        if isinstance(record, Close):
            self.closed.add(record.clock)
            if holder is not None and holder.clock == record.clock:
                self.holder = None
        elif record.clock != WALL and record.clock not in self.closed:
            self.holder = _ticked(holder, record)


def _ticked(holder: Holder | None, tick: Tick) -> Holder:
    """The holder after a tick of a tool: only a holder ticks, so the tick alone proves that it
    holds.

    Its rebase may be gone from the log, which is kept a day; then what it announced is not known.
    """
    if holder is None or holder.clock != tick.clock:
        return Holder(tick.clock, tick.time, tick.time, tick.rate, tick.time)
    return Holder(holder.clock, holder.since, holder.until, holder.rate, tick.time)


class ClockLog:
    """Reads the lock partition of shop.clock, as far as it reaches now and then further.

    Not thread-safe. Raises BrokerUnreachableError when no broker answers.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.history = ClockHistory()
        self._cluster = cluster
        self._topic = cluster.clock_topic
        #: The offset after the last record read.
        self.position = cluster.start_and_end(self._topic, LOCK_PARTITION)[0]
        self._consumer = Consumer(
            {
                **cluster.kafka,
                # A group is required and never used: the partition is assigned, nothing is
                # committed.
                "group.id": f"huitou-clock-{uuid.uuid4().hex}",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "isolation.level": "read_uncommitted",
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            },
            logger=CLIENT_LOG,
        )
        self._consumer.assign([TopicPartition(self._topic, LOCK_PARTITION, self.position)])

    def read(self, end: int | None = None) -> ClockHistory:
        """Reads up to offset ``end`` (default: where the partition ends now) and returns the
        history.

        Blocks until all of it was read, at most 20 s without a record.
        """
        until = end
        if until is None:
            until = self._cluster.start_and_end(self._topic, LOCK_PARTITION)[1]
        deadline = time.monotonic() + ANSWER_SECONDS
        while self.position < until:
            if self._take(min(_BATCH, until - self.position), 0.1):
                deadline = time.monotonic() + ANSWER_SECONDS
            elif time.monotonic() > deadline:
                raise BrokerUnreachableError(
                    self._cluster.bootstrap,
                    f"{self._topic}[0] was not readable from {self.position} to {until}",
                )
        return self.history

    def glance(self) -> ClockHistory:
        """Takes what has arrived meanwhile, without waiting for more."""
        while self._take(_BATCH, 0):
            pass
        return self.history

    def close(self) -> None:
        """Leaves the cluster."""
        self._consumer.close()

    def _take(self, records: int, seconds: float) -> bool:
        messages = self._consumer.consume(records, timeout=seconds)
        for message in messages:
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    continue
                raise KafkaException(error)
            offset, value = message.offset(), message.value()
            if offset is None:
                continue
            self.position = offset + 1
            if value is not None:
                self._apply(offset, value)
        return bool(messages)

    def _apply(self, offset: int, value: bytes) -> None:
        try:
            self.history.apply(decode_clock(value))
        except msgspec.MsgspecError as error:
            raise ValueError(
                f"{self._topic}[{LOCK_PARTITION}] offset {offset} is no clock record "
                f"({error}); only workers and tools of this version may write to this topic"
            ) from error
