"""Topics and logs of a known shape on the real broker: transactions, aborted ones, holes."""

from collections.abc import Iterable

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from streams.engine.log import LogReader
from tests.topics import wait_served

#: Of the clients of these tests; the broker is on this machine.
DEADLINE_SECONDS = 60.0


def make_topic(kafka: str, topic: str, partitions: int = 1, **config: str) -> str:
    """Makes a topic and waits until it can be used."""
    admin = AdminClient({"bootstrap.servers": kafka})
    made = admin.create_topics([NewTopic(topic, partitions, 1, config=config)])
    for future in made.values():
        future.result(DEADLINE_SECONDS)
    wait_served(kafka, {topic: partitions})
    return topic


def delete_before(kafka: str, topic: str, partition: int, offset: int) -> None:
    """Moves the log's start, as retention does."""
    admin = AdminClient({"bootstrap.servers": kafka})
    place = TopicPartition(topic, partition, offset)
    for future in admin.delete_records([place]).values():
        future.result(DEADLINE_SECONDS)


class LogWriter:
    """Writes to given partitions, in transactions if it has an id; each of those adds a marker."""

    def __init__(self, kafka: str, transactional_id: str | None = None) -> None:
        config: dict[str, str | int] = {"bootstrap.servers": kafka, "linger.ms": 1}
        if transactional_id is not None:
            config["transactional.id"] = transactional_id
        self._kafka = kafka
        #: Where the open transaction has records.
        self._places: set[tuple[str, int]] = set()
        self._producer = Producer(config)
        if transactional_id is not None:
            self._producer.init_transactions(DEADLINE_SECONDS)

    def plain(self, topic: str, values: Iterable[bytes], partition: int = 0) -> None:
        for value in values:
            self._produce(topic, value, partition)
        assert self._producer.flush(DEADLINE_SECONDS) == 0

    def begin(self, topic: str, values: Iterable[bytes], partition: int = 0) -> None:
        """Opens a transaction with these records in it and leaves it open."""
        self._producer.begin_transaction()
        self._places.add((topic, partition))
        for value in values:
            self._produce(topic, value, partition)
        assert self._producer.flush(DEADLINE_SECONDS) == 0

    def commit(self) -> None:
        """Returns when readers can see it."""
        self._producer.commit_transaction(DEADLINE_SECONDS)
        self._settle()

    def abort(self) -> None:
        """Returns when readers can see what comes behind it."""
        self._producer.abort_transaction(DEADLINE_SECONDS)
        self._settle()

    def committed(self, topic: str, values: Iterable[bytes], partition: int = 0) -> None:
        self.begin(topic, values, partition)
        self.commit()

    def aborted(self, topic: str, values: Iterable[bytes], partition: int = 0) -> None:
        self.begin(topic, values, partition)
        self.abort()

    def _settle(self) -> None:
        # The broker answers when the outcome is decided; the markers reach each partition after that.
        with LogReader(self._kafka, patience=DEADLINE_SECONDS) as log:
            for place in self._places:
                log.wait_stable(*place)
        self._places.clear()

    def _produce(self, topic: str, value: bytes, partition: int) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key=b"key", partition=partition)
                return
            except BufferError:
                self._producer.poll(0.1)
