"""Other producers' transactions that are left open: readers of committed records wait behind them."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Producer

from schemas.catalogue import TRIGGERS
from schemas.partitioner import partition_of
from streams.settings import Settings
from tests.faults.shopping import Shopping
from tests.faults.source import Source

#: Each of them views something and pays an order in one transaction.
_CUSTOMERS = 4
_CALL_SECONDS = 60.0
_TRANSACTION_MS = 60_000


def _producer(settings: Settings, name: str) -> Producer:
    producer = Producer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "transactional.id": name,
            "transaction.timeout.ms": _TRANSACTION_MS,
            "log_level": 0,
        }
    )
    producer.init_transactions(_CALL_SECONDS)
    return producer


@contextmanager
def open_on_events(
    settings: Settings, source: Source, number: int, *, commits: bool
) -> Iterator[None]:
    """A transaction over two topics of events, ended when the block is left; ``number``: unique.

    Its customers are its own: what is aborted leaves no trace, what is committed has one outcome.
    """
    sent = []
    for customer in (f"upstream-{number}-{each}" for each in range(_CUSTOMERS)):
        paid = {"order_id": customer, "status": "paid", "lines": [{"sku": "s"}], "amount_paid": 990}
        sent.append(
            Shopping.event(
                "shop.clicks", customer, f"{customer}-v", source.now_ms, {"action": "view"}
            )
        )
        sent.append(Shopping.event("shop.orders", customer, f"{customer}-o", source.now_ms, paid))
    producer = _producer(settings, "upstream")
    producer.begin_transaction()
    places = set()
    for event in sent:
        partition = partition_of(event.key.encode(), settings.partitions)
        places.add((event.topic, partition))
        source.expect(event.topic, partition, 1)
        topic = settings.topic_prefix + event.topic
        producer.produce(topic, event.value, key=event.key, partition=partition)
    # Only what is in the log holds readers up.
    assert producer.flush(_CALL_SECONDS) == 0
    try:
        yield
    finally:
        for topic, partition in places:
            source.expect(topic, partition, 1)  # the marker
        if commits:
            producer.commit_transaction(_CALL_SECONDS)
            source.count_in(sent)
        else:
            producer.abort_transaction(_CALL_SECONDS)


@contextmanager
def open_on_triggers(settings: Settings) -> Iterator[None]:
    """A transaction over every partition of shop.triggers, aborted when the block is left."""
    producer = _producer(settings, "outsider")
    producer.begin_transaction()
    for partition in range(settings.partitions):
        producer.produce(settings.topic_prefix + TRIGGERS, b"{}", partition=partition)
    assert producer.flush(_CALL_SECONDS) == 0
    try:
        yield
    finally:
        producer.abort_transaction(_CALL_SECONDS)
