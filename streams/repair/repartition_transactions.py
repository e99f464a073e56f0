"""Kafka transactions of a repartition: what one that died had begun is never read by anyone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from streams.engine.log import LOGGER
from streams.engine.publisher import persist

#: Records of one transaction, about.
RECORDS: Final = 5_000
_CALL_TIMEOUT: Final = 60.0
#: How long one may stay open; a dead one holds its readers up until the next producer aborts it.
_TIMEOUT_MS: Final = 10_000


class Transactions:
    """One transaction after another. Making it aborts what a predecessor left open, and fences it."""

    def __init__(self, bootstrap: str, transactional_id: str) -> None:
        """Blocks for the broker. Raises KafkaException."""
        self._bootstrap = bootstrap
        self._identities: dict[str, object] = {}
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "transactional.id": transactional_id,
                "transaction.timeout.ms": _TIMEOUT_MS,
                "compression.type": "lz4",
                "message.max.bytes": 2 * 1024 * 1024,
                "queue.buffering.max.messages": 20 * RECORDS,
                "retry.backoff.ms": 5,
                "retry.backoff.max.ms": 50,
            },
            logger=LOGGER,
        )
        self._producer.init_transactions(_CALL_TIMEOUT)

    @contextmanager
    def begin(self, before_commit: Callable[[], None]) -> Iterator[Producer]:
        """A transaction around the block, committed at its end and aborted when it raises.

        ``before_commit`` is called when everything is written and not committed yet. Raises
        KafkaException; the outcome is then in doubt, and whoever comes next must look.
        """
        producer = self._producer
        producer.begin_transaction()
        try:
            yield producer
            producer.flush(_CALL_TIMEOUT)
            before_commit()
            persist(producer.commit_transaction, _CALL_TIMEOUT)
        except BaseException as error:
            if not isinstance(error, KafkaException) or error.args[0].txn_requires_abort():
                producer.abort_transaction(_CALL_TIMEOUT)
            raise

    def send_offsets(
        self, group: str, offsets: Mapping[tuple[str, int], int], metadata: Mapping[int, str]
    ) -> None:
        """Commit ``offsets`` (topic, partition) of a group with the transaction under way.

        ``metadata``: a text for each partition that has one.
        """
        wanted = [
            TopicPartition(topic, number, offset, metadata=metadata.get(number, ""))
            for (topic, number), offset in offsets.items()
        ]
        identity = self._identity(group)
        persist(
            lambda left: self._producer.send_offsets_to_transaction(wanted, identity, left),
            _CALL_TIMEOUT,
        )

    def _identity(self, group: str) -> object:
        """A group without members: no generation of it is needed, the producer's epoch fences."""
        if group not in self._identities:
            consumer = Consumer(
                {"bootstrap.servers": self._bootstrap, "group.id": group}, logger=LOGGER
            )
            try:
                self._identities[group] = consumer.consumer_group_metadata()
            finally:
                consumer.close()
        return self._identities[group]
