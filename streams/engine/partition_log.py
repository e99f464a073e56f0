"""One partition of several topics, read once from front to back in bounded memory.

The journal names slices of many topics in the order in which they were processed. Reading each by a
seek of its own would fetch most of the log several times over; here one consumer runs along all of
them, and a topic that is far ahead of the journal waits.
"""

import time
from collections import deque
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition

from schemas.decoding import RawRecord
from streams.engine.log import (
    PATIENCE_SECONDS,
    Isolation,
    LogReader,
    open_consumer,
    raw_record,
    reached,
    take_batch,
)
from streams.engine.log_errors import LogIncomplete, LogRangeLost

#: Bytes of keys and values of one topic held ahead of the journal before the topic is paused.
LANE_BYTES = 16 * 1024 * 1024
#: What a record costs beyond its bytes, so that empty records count too.
RECORD_OVERHEAD = 200


class _Lane:
    """What was read of one topic and not taken yet. ``position``: everything before it was read."""

    __slots__ = ("buffer", "held", "paused", "place", "position", "taken")

    def __init__(self, topic: str, partition: int, start: int) -> None:
        self.place = TopicPartition(topic, partition, start)
        self.buffer: deque[RawRecord] = deque()
        self.held = 0
        self.position = start
        self.taken = start
        self.paused = False

    def add(self, record: RawRecord) -> None:
        self.buffer.append(record)
        self.held += _weight(record)

    def take(self, start: int, end: int) -> list[RawRecord]:
        buffer = self.buffer
        taken: list[RawRecord] = []
        while buffer and buffer[0].offset < end:
            record = buffer.popleft()
            self.held -= _weight(record)
            if record.offset >= start:
                taken.append(record)
        self.taken = max(self.taken, end)
        return taken


class PartitionLog:
    """Ranges of the topics of one partition, rising within each topic. One thread; calls block.

    ``begin`` says which partition and where its topics start; it may be called again for another
    one, which costs less than a new client.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        isolation: Isolation = "read_committed",
        patience: float = PATIENCE_SECONDS,
        lane_bytes: int = LANE_BYTES,
        extra: Mapping[str, str | int | float | bool] | None = None,
    ) -> None:
        self._partition = -1
        self._patience = patience
        self._lane_bytes = lane_bytes
        self._lanes: dict[str, _Lane] = {}
        self._consumer: Consumer = open_consumer(bootstrap, isolation, extra)
        self._offsets = LogReader(bootstrap, isolation, patience=patience, extra=extra)

    def close(self) -> None:
        """Leaves the connections; may be called twice."""
        self._consumer.close()
        self._offsets.close()

    def __enter__(self) -> "PartitionLog":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, partition: int, starts: Mapping[str, int]) -> None:
        """Reads this partition from here on; ``starts``: its topics, each with its first offset."""
        self._partition = partition
        self._lanes = {topic: _Lane(topic, partition, at) for topic, at in starts.items()}
        self._consumer.assign([lane.place for lane in self._lanes.values()])

    def take(self, topic: str, start: int, end: int) -> list[RawRecord]:
        """Every record of [start, end) of ``topic``, in order; what lies before it is dropped.

        Raises ValueError when the range does not lie behind the one before it, LogRangeLost when
        the log does not hold ``start``, LogIncomplete when nothing came for ``patience`` seconds.
        """
        if start >= end:
            return []
        lane = self._lanes.get(topic)
        if lane is None:
            raise ValueError(f"{topic} is none of the topics of this reader")
        if start < lane.taken:
            raise ValueError(
                f"{topic}[{self._partition}]: [{start}, {end}) was taken up to {lane.taken} before"
            )
        self._fill(lane, start, end)
        records = lane.take(start, end)
        if lane.paused and lane.held < self._lane_bytes // 2:
            self._resume(lane)
        return records

    @property
    def held_bytes(self) -> int:
        """Bytes read ahead and not taken yet, over all topics."""
        return sum(lane.held for lane in self._lanes.values())

    def _fill(self, wanted: _Lane, start: int, end: int) -> None:
        waiting_since = time.monotonic()
        position = wanted.position
        while wanted.position < end:
            if wanted.paused:
                self._resume(wanted)
            for message in take_batch(self._consumer):
                after = reached(message, self._describe_loss)
                lane = self._lanes[message.topic() or ""]
                if message.error() is None and after > lane.position:
                    lane.add(raw_record(message))
                lane.position = max(lane.position, after)
            for lane in self._lanes.values():
                if lane is not wanted and not lane.paused and lane.held > self._lane_bytes:
                    self._consumer.pause([lane.place])
                    lane.paused = True
            if wanted.position > position:
                position, waiting_since = wanted.position, time.monotonic()
            waited = time.monotonic() - waiting_since
            if wanted.position < end and waited > self._patience:
                raise LogIncomplete(
                    wanted.place.topic, self._partition, start, end, wanted.position, waited
                )

    def _resume(self, lane: _Lane) -> None:
        self._consumer.resume([lane.place])
        lane.paused = False

    def _describe_loss(self, topic: str, partition: int, _: int) -> LogRangeLost:
        lane = self._lanes[topic]
        return self._offsets.range_lost(topic, partition, lane.position)


def _weight(record: RawRecord) -> int:
    return len(record.key or b"") + len(record.value or b"") + RECORD_OVERHEAD
