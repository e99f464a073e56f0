"""Publishes triggers as a worker does, and asks what a group has committed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.partitioner import partition_of
from schemas.trigger import Offer, Trigger, TriggerEvent
from tests.topics import wait_served
from tests.waiting import wait_for

SECONDS = 120.0
NOW = datetime(2026, 5, 20, 8, tzinfo=UTC)


def trigger(number: int, customer: str = "c1", **more: Any) -> TriggerEvent:
    """A coupon with the id ``t<number>``."""
    return TriggerEvent(
        specversion="1.0",
        id=f"t{number}",
        source="huitou",
        subject=customer,
        time=NOW,
        data=Trigger(
            trigger_id=f"t{number}",
            shop_id="tea",
            customer_id=customer,
            kind="coupon_issued",
            campaign="abandoned-cart",
            campaign_version="1",
            offer=Offer(
                kind="percent",
                value=10,
                valid_from=NOW,
                valid_until=NOW + timedelta(days=7),
                code=f"CODE{number}",
            ),
            **more,
        ),
    )


def encoded(event: TriggerEvent) -> bytes:
    return msgspec.json.encode(event)


_NO_COORDINATOR_YET = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)


class Triggers:
    """A topic that is made here."""

    def __init__(self, kafka: str, topic: str, partitions: int) -> None:
        self.kafka, self.topic, self.partitions = kafka, topic, partitions
        self._admin = AdminClient({"bootstrap.servers": kafka})
        #: They ask only and never join.
        self._groups: dict[str, Consumer] = {}
        self.make(topic)
        self._producer = Producer({"bootstrap.servers": kafka, "linger.ms": 1})

    def make(self, topic: str) -> None:
        self._admin.create_topics([NewTopic(topic, self.partitions, 1)])[topic].result(SECONDS)
        wait_served(self.kafka, {topic: self.partitions})

    def publish(self, *events: TriggerEvent) -> None:
        for event in events:
            self.raw(event.subject, encoded(event))
        assert self._producer.flush(SECONDS) == 0

    def raw(self, customer: str, value: bytes | Mapping[str, Any] | None) -> None:
        if isinstance(value, Mapping):
            value = json.dumps(value).encode()
        place = partition_of(customer.encode(), self.partitions)
        self._producer.produce(self.topic, value, customer.encode(), place)

    def publish_in_transaction(self, event: TriggerEvent, *, commit: bool) -> None:
        producer = Producer(
            {"bootstrap.servers": self.kafka, "transactional.id": f"{self.topic}-{event.id}"}
        )
        producer.init_transactions(SECONDS)
        producer.begin_transaction()
        key = event.subject.encode()
        producer.produce(self.topic, encoded(event), key, partition_of(key, self.partitions))
        producer.flush(SECONDS)
        if commit:
            producer.commit_transaction(SECONDS)
        else:
            producer.abort_transaction(SECONDS)

    def committed(self, group: str) -> int:
        """The sum of the group's offsets: records that it is past (without transactions' markers)."""
        # Not the admin client's question, which crashes the interpreter when it is asked often.
        consumer = self._groups.get(group)
        if consumer is None:
            made = {"bootstrap.servers": self.kafka, "group.id": group}
            consumer = self._groups[group] = Consumer(made)
        places = [TopicPartition(self.topic, one) for one in range(self.partitions)]

        def answer() -> list[TopicPartition]:
            try:
                return consumer.committed(places, SECONDS)
            except KafkaException as error:
                # A broker that was just started makes its topic of offsets at the first question.
                if error.args[0].code() not in _NO_COORDINATOR_YET:
                    raise
                return []

        found = wait_for(answer, SECONDS, f"the offsets of group {group}")
        return sum(max(0, place.offset) for place in found)

    def wait_committed(self, group: str, records: int) -> None:
        wait_for(
            lambda: self.committed(group) == records,
            SECONDS,
            f"{group} to commit {records} records",
        )

    def read(self, topic: str, count: int) -> list[Message]:
        """The first ``count`` records of a topic of as many partitions."""
        consumer = Consumer({"bootstrap.servers": self.kafka, "group.id": "reader"})
        try:
            consumer.assign([TopicPartition(topic, one, 0) for one in range(self.partitions)])
            found: list[Message] = []

            def all_read() -> bool:
                message = consumer.poll(1.0)
                if message is not None:
                    assert message.error() is None
                    found.append(message)
                return len(found) == count

            wait_for(all_read, SECONDS, f"{count} records of {topic}")
            return found
        finally:
            consumer.close()
