"""Takes a stack's clock over from the wall, moves it, and hands it back (see schemas.clock)."""

import uuid
from collections.abc import Iterable
from typing import Final, Self

from confluent_kafka import KafkaError, Message, Producer

from producers.clock_log import LOCK_PARTITION, ClockLog, Holder
from producers.cluster import CLIENT_LOG, Cluster
from producers.errors import (
    ClockHeldError,
    ClockLostError,
    DeadlineError,
    NotHeldError,
    RecordDeliveryError,
)
from schemas.clock import ClockRecord, Close, Rebase, Tick, encode_clock

#: The least delivery time-out that librdkafka takes with a linger of 0 is 1 s; a clock record that
#: was not written within this ends the tool.
_DELIVERY_SECONDS: Final = 30.0


class _ClockWriter:
    """Writes clock records to explicit partitions, without a key, and waits for their reports."""

    def __init__(self, cluster: Cluster) -> None:
        self._topic = cluster.clock_topic
        self._failure: RecordDeliveryError | None = None
        self._offset = -1
        self._producer = Producer(
            {
                **cluster.kafka,
                "client.id": "huitou-clock",
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 0,
                "delivery.timeout.ms": int(_DELIVERY_SECONDS * 1000),
                "allow.auto.create.topics": False,
            },
            logger=CLIENT_LOG,
        )

    def write(self, records: Iterable[ClockRecord]) -> int:
        """Blocks until all ``records`` are in the log; returns the last one's offset."""
        for record in records:
            self._producer.produce(
                self._topic,
                encode_clock(record),
                partition=record.partition,
                on_delivery=self._report,
            )
        pending = self._producer.flush(_DELIVERY_SECONDS + 1)
        if self._failure is not None:
            raise self._failure
        if pending:
            raise DeadlineError(pending, _DELIVERY_SECONDS)
        return self._offset

    def _report(self, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is not None:
            place = -1 if partition is None else partition
            self._failure = RecordDeliveryError(self._topic, place, "a clock record", str(error))
        elif offset is not None:
            self._offset = offset


class ClockOwner:
    """Holds the clock for a tool, from ``start_ms`` to ``until_ms`` (ms since 1970).

    Workers refuse events that lie more than a day after ``until_ms``, so it must be the true end of
    what the tool sends. ``rate`` is how many seconds of this clock pass in one of wall time; 0: as
    fast as it goes. As a context manager it takes the clock and, whatever happens, hands it back:
    at the last tick, unless ``close`` was called with a later time. Not thread-safe.
    """

    def __init__(
        self, cluster: Cluster, *, tool: str, start_ms: int, until_ms: int, rate: float = 0.0
    ) -> None:
        if until_ms < start_ms:
            raise ValueError(f"the window ends ({until_ms}) before it starts ({start_ms})")
        self.clock: Final = f"{tool}-{uuid.uuid4().hex[:12]}"
        self.time = start_ms
        self.until = until_ms
        self._rate = rate
        self._cluster = cluster
        self._partitions = cluster.partitions()
        self._writer = _ClockWriter(cluster)
        self._log: ClockLog | None = None

    def acquire(self) -> None:
        """Takes the clock over. Raises ClockHeldError when another tool holds it.

        A rebase is written to partition 0 and read back: the first of two in the log holds. Only
        then are the other partitions told.
        """
        self._log = ClockLog(self._cluster)
        try:
            self._refuse(self._log.read().holder)
            offset = self._writer.write([self._rebase(LOCK_PARTITION)])
            self._refuse(self._log.read(offset + 1).holder)
            self._writer.write(
                self._rebase(partition)
                for partition in range(self._partitions)
                if partition != LOCK_PARTITION
            )
        except ClockHeldError:
            self._log.close()
            self._log = None
            raise
        except BaseException:
            # The rebase may be in the log. Where it is not, the closes say nothing to anyone.
            self.close()
            raise

    def tick(self, time_ms: int) -> None:
        """Moves the clock to ``time_ms``: the lowest event time not yet sent.

        Every event with a lower time must have its delivery report before this call, since the ends
        of the topics are fetched in it. Raises ClockLostError when the clock was released
        meanwhile.
        """
        if not self.time <= time_ms <= self.until:
            raise ValueError(
                f"a tick at {time_ms} is outside of {self.time} (the last one) .. {self.until}"
            )
        holder = self._held().glance().holder
        if holder is None or holder.clock != self.clock:
            raise ClockLostError(self.clock)
        ends = self._cluster.ends(self._cluster.input_topics, self._partitions)
        self._writer.write(
            Tick(partition, time_ms, self.clock, 0, ends[partition], rate=self._rate)
            for partition in range(self._partitions)
        )
        self.time = time_ms

    def close(self, time_ms: int | None = None) -> None:
        """Hands the clock back to the wall with a last tick at ``time_ms`` (default: the last one).

        The same holds for the events before it as in ``tick``. Does nothing when it is not held.
        """
        if self._log is None:
            return
        self._log.close()
        self._log = None
        self.time = self.time if time_ms is None else max(self.time, time_ms)
        _close_all(self._cluster, self._writer, self._partitions, self.clock, self.time)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _held(self) -> ClockLog:
        if self._log is None:
            raise ClockLostError(self.clock)
        return self._log

    def _refuse(self, holder: Holder | None) -> None:
        if holder is not None and holder.clock != self.clock:
            raise ClockHeldError(holder.clock)

    def _rebase(self, partition: int) -> Rebase:
        return Rebase(partition, self.time, self.until, self.clock, self._rate)


def clock_holder(cluster: Cluster) -> Holder | None:
    """Who holds the clock now; None: the wall."""
    log = ClockLog(cluster)
    try:
        return log.read().holder
    finally:
        log.close()


def newest_time(cluster: Cluster) -> int:
    """The newest time of any tick of the last day, whoever wrote it; ms, 0 for none."""
    log = ClockLog(cluster)
    try:
        return log.read().newest
    finally:
        log.close()


def release_clock(cluster: Cluster) -> Holder:
    """Closes the clock of a tool that died, at its last tick. Raises NotHeldError.

    A tool that is still alive notices at its next tick and stops.
    """
    holder = clock_holder(cluster)
    if holder is None:
        raise NotHeldError("no tool holds the clock; it is the wall's")
    writer = _ClockWriter(cluster)
    _close_all(cluster, writer, cluster.partitions(), holder.clock, holder.last_tick)
    return holder


def _close_all(
    cluster: Cluster, writer: _ClockWriter, partitions: int, clock: str, time_ms: int
) -> None:
    """Writes the closes, that of the lock partition last: until then nobody else can take over."""
    ends = cluster.ends(cluster.input_topics, partitions)
    closes = [Close(partition, time_ms, clock, ends[partition]) for partition in range(partitions)]
    writer.write(close for close in closes if close.partition != LOCK_PARTITION)
    writer.write([closes[LOCK_PARTITION]])
