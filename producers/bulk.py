"""Bulk sending through librdkafka: a partition has the order of the calls."""

import time
from collections.abc import Callable
from functools import partial
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from producers.cluster import CLIENT_LOG, Cluster
from producers.delivered import Delivered
from producers.errors import DeadlineError, RecordDeliveryError
from schemas.partitioner import partition_of

#: Records that may wait for their delivery report: at 300 bytes each about 30 MB with librdkafka's
#: own share. ``send`` blocks while there are as many.
MAX_BUFFERED: Final = 50_000
#: And bytes of keys and values, in kB: bodies at the limit of 64 KB fill this first.
MAX_BUFFERED_KB: Final = 64 * 1024


class BulkPublisher:
    """Sends raw keys and values; idempotent, acks=all, murmur2, compressed; not thread-safe.

    ``delivered`` has what got delivery reports so far. The first record that failed for good is
    raised, as RecordDeliveryError, by the next call of any method, and by every call after it.
    ``on_delivered`` gets (topic, partition, offset, the broker's timestamp in ms) of each record, in
    the caller's thread.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        client_id: str,
        linger_ms: float = 5.0,
        compression: str = "lz4",
        delivery_timeout: float = 120.0,
        max_buffered: int = MAX_BUFFERED,
        on_delivered: Callable[[str, int, int, int], None] | None = None,
    ) -> None:
        self.delivered = Delivered()
        #: Records handed to ``send``.
        self.published = 0
        self.prefix = cluster.prefix
        self.partitions = cluster.partitions()
        self._failure: RecordDeliveryError | None = None
        self._on_delivered = on_delivered
        self._delivery_timeout = delivery_timeout
        self._producer = Producer(
            {
                **cluster.kafka,
                "client.id": client_id,
                "enable.idempotence": True,
                "acks": "all",
                "partitioner": "murmur2_random",
                "compression.type": compression,
                "linger.ms": linger_ms,
                "delivery.timeout.ms": int(delivery_timeout * 1000),
                "queue.buffering.max.messages": max_buffered,
                "queue.buffering.max.kbytes": MAX_BUFFERED_KB,
                "allow.auto.create.topics": False,
            },
            logger=CLIENT_LOG,
        )
        self._unlabelled: Callable[[KafkaError | None, Message], None] = partial(self._report, "")

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        misplaced: bool = False,
        label: str = "",
    ) -> None:
        """Queues one record for ``prefix + topic``; blocks while the buffer is full.

        ``label`` names the record in a failure ("line 7"). ``misplaced`` writes it to a partition
        its key does not belong to, for tests of dead letters; it needs two partitions. Raises
        DeadlineError when the buffer stayed full for the delivery time-out.
        """
        self._raise_failure()
        handler = partial(self._report, label) if label else self._unlabelled
        place = -1
        if misplaced:
            if self.partitions < 2:
                raise ValueError("a record cannot be misplaced in a topic of one partition")
            place = (partition_of(key or b"", self.partitions) + 1) % self.partitions
        deadline = 0.0
        while True:
            try:
                self._producer.produce(
                    self.prefix + topic, value, key, partition=place, on_delivery=handler
                )
            except BufferError:
                now = time.monotonic()
                deadline = deadline or now + self._delivery_timeout
                if now > deadline:
                    raise DeadlineError(len(self._producer), self._delivery_timeout) from None
                self.poll(0.05)
            else:
                self.published += 1
                if not self.published & 255:
                    self.poll(0)
                return

    def poll(self, seconds: float) -> None:
        """Takes delivery reports for up to ``seconds``; returns early when there were some."""
        self._producer.poll(seconds)
        self._raise_failure()

    def flush(self, seconds: float | None = None) -> None:
        """Blocks until everything sent has its delivery report.

        Raises DeadlineError after ``seconds`` (default: the delivery time-out and a second).
        """
        limit = self._delivery_timeout + 1 if seconds is None else seconds
        pending = self._producer.flush(limit)
        self._raise_failure()
        if pending:
            raise DeadlineError(pending, limit)

    def _report(self, label: str, error: KafkaError | None, message: Message) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if error is None and topic is not None and partition is not None and offset is not None:
            self.delivered.add(topic, partition, offset)
            if self._on_delivered is not None:
                self._on_delivered(topic, partition, offset, message.timestamp()[1])
        elif self._failure is None:
            place = -1 if partition is None else partition
            self._failure = RecordDeliveryError(topic or "", place, label, str(error))

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
