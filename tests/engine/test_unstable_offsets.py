"""Offsets of a transaction that does not end: recovery says what to look at."""

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from streams.engine import group_offsets
from streams.engine.group_offsets import GroupOffsets
from tests.engine.harness import Bench

_CALL_SECONDS = 30.0


def test_offsets_that_do_not_become_stable_are_told_with_what_to_do(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = bench.settings
    topic = settings.topic_prefix + "shop.clicks"
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "transactional.id": bench.prefix + "open",
            "transaction.timeout.ms": 120_000,
        }
    )
    producer.init_transactions(_CALL_SECONDS)
    producer.begin_transaction()
    own = {"bootstrap.servers": settings.kafka_bootstrap, "group.id": settings.group}
    consumer = Consumer(own)
    producer.send_offsets_to_transaction(
        [TopicPartition(topic, 0, 7)], consumer.consumer_group_metadata(), _CALL_SECONDS
    )
    monkeypatch.setattr(group_offsets, "CALL_TIMEOUT", 2.0)
    with GroupOffsets(settings.kafka_bootstrap, settings.group) as offsets:
        with pytest.raises(
            KafkaException, match=r"did not become stable in 2 s.*restart the broker"
        ):
            offsets.read([topic], [0])
        producer.abort_transaction(_CALL_SECONDS)
        monkeypatch.undo()
        assert offsets.read([topic], [0])[0].seq == 0
    consumer.close()
