"""What ends a sink, what it gets over, and what it refuses; without a Kafka."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.catalogue import ORDERS
from streams.cli.endings import EXIT_DOUBT
from streams.local.ports import pick
from streams.query.connecting import Database
from streams.query.errors import StoreRefused
from streams.query.kafka_errors import is_passing
from streams.query.log import Bounds, group_consumer
from streams.query.migrating import bring_up
from streams.query.sink import Sink
from streams.query.store import QueryStore, Stored
from streams.settings import Settings
from tests.engine.harness import run_cli
from tests.query.conftest import open_store


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._MAX_POLL_EXCEEDED,
        KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.COORDINATOR_NOT_AVAILABLE,
    ],
)  # fmt: skip
def test_a_broker_that_is_away_does_not_end_a_sink(code: int) -> None:
    error = KafkaError(code)
    assert not error.retriable(), "which is why it is not asked"
    assert is_passing(error, "shop.orders[0]", 5)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (KafkaError._AUTO_OFFSET_RESET, r"shop.orders\[0\]: the topic has no offset 5 any more"),
        (KafkaError.OFFSET_OUT_OF_RANGE, "retention was faster"),
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, r"shop.orders\[0\]: Kafka does not let this sink read"),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, "does not let"),
        (KafkaError.SASL_AUTHENTICATION_FAILED, "does not let"),
    ],
)  # fmt: skip
def test_what_no_restart_mends_is_refused(code: int, says: str) -> None:
    with pytest.raises(StoreRefused, match=says):
        is_passing(KafkaError(code), "shop.orders[0]", 5)


@pytest.mark.parametrize(
    "error",
    [
        KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART),
        KafkaError(KafkaError._FATAL),
        KafkaError(KafkaError._TRANSPORT, "gone", True),
    ],
)
def test_anything_else_is_a_doubt(error: KafkaError) -> None:
    with pytest.raises(KafkaException):
        is_passing(error, "shop.orders[0]", 5)


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[Database]:
    opened = open_store(f"sqlite:///{tmp_path / 'store'}.sqlite")
    bring_up(opened)
    yield opened
    opened.close()


@pytest.fixture
def offline() -> Iterator[tuple[Settings, Consumer]]:
    """A member of a group that no broker has heard of."""
    (free,) = pick(1)
    settings = Settings(kafka_bootstrap=f"127.0.0.1:{free}", partitions=2)
    consumer = group_consumer(settings)
    yield settings, consumer
    consumer.close()


def test_a_partition_that_was_added_later_is_refused(
    file_store: Database, offline: tuple[Settings, Consumer]
) -> None:
    settings, consumer = offline
    store = QueryStore(file_store)
    store.begin([Stored(ORDERS, number, "id", 0, 7, None, 0, 0) for number in range(2)])
    sink = Sink(settings, store)
    sink._assigned(consumer, [TopicPartition(ORDERS, number) for number in range(3)])
    with pytest.raises(
        StoreRefused, match=r"shop.orders\[2\]: added since this sink began, with 2"
    ):
        sink._poll(consumer, Bounds({}, {}))
    sink._assigned(consumer, [TopicPartition(ORDERS, 1)])
    assert [(part.topic, part.partition, part.offset) for part in consumer.assignment()] == [
        (ORDERS, 1, 7)
    ]


@pytest.mark.long
def test_a_kafka_that_is_away_is_a_doubt(
    tmp_path: Path, offline: tuple[Settings, Consumer]
) -> None:
    settings, _ = offline
    settings.query_store = f"sqlite:///{tmp_path / 'store'}.sqlite"
    done = run_cli(settings, "sink", "--once")
    assert done.returncode == EXIT_DOUBT, done.stderr
    assert "Traceback" not in done.stderr
