"""What a recovery takes over from another build: all that was published, whatever else is open."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest
from confluent_kafka import Producer

from schemas.catalogue import TRIGGERS
from schemas.trigger import EventCause, Trigger, TriggerEvent
from streams.engine.adoption import PublishedTriggers
from streams.engine.log import LogReader
from tests.engine.harness import Bench

_CALL_SECONDS = 30.0
#: In this a read that does not wait has long ended.
_AT_ONCE_SECONDS = 2.0


def _open_transaction(bench: Bench, name: str) -> Producer:
    producer = Producer(
        {
            "bootstrap.servers": bench.settings.kafka_bootstrap,
            "transactional.id": bench.prefix + name,
            "transaction.timeout.ms": 120_000,
        }
    )
    producer.init_transactions(_CALL_SECONDS)
    producer.begin_transaction()
    return producer


def _write(bench: Bench, producer: Producer, value: bytes) -> None:
    producer.produce(bench.prefix + TRIGGERS, value, partition=0)
    assert producer.flush(_CALL_SECONDS) == 0


def test_triggers_behind_an_open_transaction_are_waited_for(bench: Bench) -> None:
    """They are published, though no reader sees them yet: a state without them would be another one."""
    outsider = _open_transaction(bench, "outsider")
    _write(bench, outsider, b"not ours")
    data = Trigger(
        trigger_id="t1", shop_id="shop", customer_id="c1", kind="coupon_issued", campaign="any",
        campaign_version="1", seq=5, cause=EventCause("shop.clicks", 0, 7),
    )  # fmt: skip
    event = TriggerEvent(
        specversion="1.0", id="t1", source="test", subject="c1", time=datetime.now(UTC), data=data
    )
    worker = _open_transaction(bench, "worker")
    _write(bench, worker, msgspec.json.encode(event))
    worker.commit_transaction(_CALL_SECONDS)

    def adopted() -> list[TriggerEvent]:
        with PublishedTriggers(
            LogReader(bench.settings.kafka_bootstrap), bench.prefix + TRIGGERS, 0, 5
        ) as published:
            return published.of(5)

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(adopted)
        with pytest.raises(TimeoutError):
            found.result(_AT_ONCE_SECONDS)
        outsider.abort_transaction(_CALL_SECONDS)
        assert [each.id for each in found.result(60)] == ["t1"]
