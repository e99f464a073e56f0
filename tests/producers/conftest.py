"""A stack's topics for each test, and readers of what is in them."""

from collections.abc import Callable, Iterator

import pytest
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from producers.cluster import Cluster
from schemas.catalogue import CLOCK, TOPICS, UPSTREAM_TOPICS
from tests.producers.network import Network
from tests.topics import wait_served

PARTITIONS = 4

#: Creates the customer topics and shop.clock with settings of the test's own.
MakeCluster = Callable[..., Cluster]


@pytest.fixture
def make_cluster(kafka: str, prefix: str) -> Iterator[MakeCluster]:
    """``make_cluster(partitions=4, **topic settings)``; the topics go when the test ends."""
    admin = AdminClient({"bootstrap.servers": kafka})
    created: list[str] = []

    def make(partitions: int = PARTITIONS, **settings: str) -> Cluster:
        topics = [
            NewTopic(
                prefix + name,
                partitions,
                1,
                config={
                    **TOPICS[name].configuration(1),
                    **{key.replace("_", "."): value for key, value in settings.items()},
                },
            )
            for name in (*UPSTREAM_TOPICS, CLOCK)
        ]
        for name, future in admin.create_topics(topics).items():
            future.result()
            created.append(name)
        wait_served(kafka, dict.fromkeys(created, partitions))
        return Cluster(kafka, prefix)

    yield make
    for future in admin.delete_topics(created).values() if created else ():
        future.result()


@pytest.fixture
def cluster(make_cluster: MakeCluster) -> Cluster:
    """Topics of ``PARTITIONS`` partitions, as the contract has them."""
    return make_cluster()


def read_topic(cluster: Cluster, topic: str, partitions: int = PARTITIONS) -> list[Message]:
    """Everything in ``topic`` (a Kafka name) up to its present ends, by partition and offset."""
    ends = cluster.ends([topic], partitions)
    consumer = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": "read",
            "enable.auto.commit": False,
            "isolation.level": "read_uncommitted",
            "fetch.wait.max.ms": 20,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
        left = sum(end[topic] for end in ends.values())
        messages: list[Message] = []
        while len(messages) < left:
            batch = consumer.consume(left - len(messages), timeout=60)
            assert batch, f"{topic}: read {len(messages)} of {left} records in 60 s"
            for message in batch:
                assert message.error() is None, message.error()
            messages += batch
    finally:
        consumer.close()
    return sorted(messages, key=lambda message: (message.partition(), message.offset()))


@pytest.fixture
def network() -> Iterator[Network]:
    """A network that can stall, for kafka-python's clients."""
    network = Network()
    yield network
    network.close()
