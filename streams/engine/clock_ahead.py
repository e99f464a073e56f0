"""What a partition has not read of its clock yet, looked through for tools that take the clock over.

A worker that catches up has polls waiting, so the clock's records come by them polls later. They lie in the
log meanwhile: a consumer of its own reads them ahead. It never waits for one. An open transaction hides what
comes after it, the leader may be away, the log may be long: a look ends after LOOK_SECONDS, or where what is
stable ends, and keeps what it has seen. The next one goes on from there, after a rest ten times as long as
the look that left something unseen, and the partition goes on meanwhile without an answer.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.clock import Rebase, decode_clock
from streams.engine.log import open_consumer, take_batch
from streams.engine.partition import Partition

#: The longest that one look may take, for all partitions together. For twelve of them with three records each
#: it took 0.003 to 0.03 s, 0.13 the first time; 26,000 records of one were looked through in this time.
LOOK_SECONDS = 0.5
#: How much longer than a look that left something unseen nothing is looked at: of a cycle that has to do
#: without an answer for long, a tenth is spent on asking.
REST = 10
#: The few records between a partition and its clock's end; librdkafka's own bounds are for whole logs.
_FETCHED_AHEAD: dict[str, str | int | float | bool] = {
    "queued.min.messages": 1_000,
    "queued.max.messages.kbytes": 1_024,
}


@dataclass(slots=True)
class _Seen:
    """No tool takes the clock over in [start, upto): what is in a log stays, whoever reads it."""

    start: int
    upto: int
    #: Whether the record at ``upto`` is a rebase: nothing behind it is of interest until it is read.
    taken_over: bool = False

    def take(self, message: Message, end: int) -> bool | None:
        """Whether all of interest before ``end`` is seen with it; None: not yet, and more may come."""
        error, offset = message.error(), message.offset()
        if error is not None:
            # What is stable ends here; else its leader is away, or the log does not hold it any more.
            return error.code() == KafkaError._PARTITION_EOF and self._pass(offset) >= end
        assert offset is not None
        if _is_rebase(message.value()):
            self.upto, self.taken_over = offset, True
            return True
        return self._pass(offset + 1) >= end or None

    def _pass(self, offset: int | None) -> int:
        self.upto = max(self.upto, offset or 0)
        return self.upto


class ClockAhead:
    """One thread's. Its client is opened when a clock is behind for the first time."""

    def __init__(self, topic: str, bootstrap: str) -> None:
        self._topic = topic
        self._bootstrap = bootstrap
        self._consumer: Consumer | None = None
        self._seen: dict[int, _Seen] = {}
        self._rests_until = 0.0

    def free(self, partition: Partition) -> int:
        """The offset of its clock up to which it is known that no tool takes over, by reading or looking."""
        return self._seen_of(partition).upto

    def look(self, partitions: Collection[Partition]) -> None:
        """Look through what is unread and wanted of these; ``free`` tells how far that has come.

        Blocks for LOOK_SECONDS at most; raises nothing that Kafka says: who reads the clock will hear it.
        """
        began = time.monotonic()
        if began < self._rests_until:
            return
        ends = {}
        for partition in partitions:
            seen, wanted = self._seen_of(partition), partition.unsettled.wanted
            if wanted is not None and seen.upto < wanted and not seen.taken_over:
                ends[partition.number] = wanted
        if ends and not self._read(ends, began + LOOK_SECONDS):
            now = time.monotonic()
            self._rests_until = now + REST * (now - began)

    def _seen_of(self, partition: Partition) -> _Seen:
        at = partition.clock_read
        seen = self._seen.get(partition.number)
        if seen is None or not seen.start <= at <= seen.upto:
            seen = self._seen[partition.number] = _Seen(at, at)
        return seen

    def _read(self, ends: dict[int, int], deadline: float) -> bool:
        """Whether all was seen up to these offsets, or a tool's taking over before them."""
        if self._consumer is None:
            self._consumer = open_consumer(self._bootstrap, "read_committed", _FETCHED_AHEAD)
        consumer = self._consumer
        places = [TopicPartition(self._topic, n, self._seen[n].upto) for n in ends]
        consumer.assign(places)
        unseen, all_seen = set(ends), True
        try:
            while unseen and (left := deadline - time.monotonic()) > 0:
                for message in take_batch(consumer, left):
                    number = message.partition()
                    # Of no partition are the errors of connections: the client connects again by itself.
                    if number is not None and number in unseen:
                        done = self._seen[number].take(message, ends[number])
                        if done is not None:
                            unseen.discard(number)
                            all_seen &= done
        except KafkaException:
            return False
        finally:
            # Else it would go on asking for what comes next.
            consumer.assign([])
        return all_seen and not unseen


def _is_rebase(value: bytes | None) -> bool:
    try:
        return isinstance(decode_clock(value or b""), Rebase)
    except msgspec.MsgspecError:
        # Who reads it passes it over.
        return False
