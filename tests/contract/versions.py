"""Definitions of shops, as records of shop.settings."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from confluent_kafka import Producer

from schemas.settings import Settings as Version
from schemas.settings import SettingsEvent
from streams.settings import Settings

JANUARY, JUNE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
JUNE_MS = int(JUNE.timestamp() * 1000)


def version(shop: str, number: int, since: datetime = JANUARY, **said: Any) -> Version:
    return Version(shop_id=shop, version=number, effective_from=since, **said)


def record(one: Version, **envelope: Any) -> bytes:
    whole: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{one.shop_id}-{one.version}",
        "source": "test",
        "subject": one.shop_id,
        "time": JANUARY,
    }
    return msgspec.json.encode(SettingsEvent(**{**whole, **envelope}, data=one))


def write(settings: Settings, topic: str, *values: tuple[bytes | None, bytes | None]) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "acks": "all"})
    for key, value in values:
        producer.produce(topic, key=key, value=value, partition=0)
    assert producer.flush(60) == 0
