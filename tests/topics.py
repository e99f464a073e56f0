"""Topics that a test makes by itself, usable when they are there."""

from collections.abc import Mapping

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from producers.offsets import list_offsets
from tests.waiting import wait_for

_SECONDS = 60.0


def wait_served(kafka: str, topics: Mapping[str, int]) -> None:
    """Until the broker that the controller told of these topics lists and serves all their partitions.

    ``topics``: Kafka name -> partitions. A creation is answered before that: who lists the topics at once
    may miss them, and a producer's first batch may be refused and its second taken.
    """
    admin = AdminClient({"bootstrap.servers": kafka})

    def listed() -> bool:
        known = admin.list_topics(timeout=_SECONDS).topics
        return all(name in known and len(known[name].partitions) == topics[name] for name in topics)

    wait_for(listed, _SECONDS, f"{', '.join(topics)} to be listed")
    asked = {
        TopicPartition(name, number): OffsetSpec.latest()  # type: ignore[no-untyped-call]
        for name, partitions in topics.items()
        for number in range(partitions)
    }
    list_offsets(admin, asked, IsolationLevel.READ_UNCOMMITTED, _SECONDS)
