"""Events as upstream sends them, as records, and what the decoder makes of them."""

import json
from datetime import UTC, datetime
from typing import Any

from schemas.catalogue import CARTS, CLICKS, ORDERS, PROFILES, REVIEWS, SERVICE, WISHES
from schemas.deadletter import DeadLetter, Reason
from schemas.decoding import Decoded, Decoder, RawRecord
from schemas.envelope import BODY_BYTES
from schemas.partitioner import partition_of

PARTITIONS = 8
APPENDED_MS = 1_790_000_000_000
CUSTOMER = "100001"
Event = dict[str, Any]

VALID: dict[str, Event] = {
    CLICKS: {"action": "view", "sku": "s1", "price": 100},
    CARTS: {"action": "add", "sku": "s1", "quantity": 2, "attributes": {"size": "L"}},
    ORDERS: {"order_id": "o1", "status": "paid", "lines": [{"sku": "s1", "unit_price": 5}]},
    REVIEWS: {"order_id": "o1", "sku": "s1", "action": "posted", "rating": 2},
    SERVICE: {"action": "complaint", "case_id": "k1", "topic": "late", "order_id": "o1"},
    WISHES: {"wish_id": "w1", "action": "liked", "liker_id": "100002", "attributes": {"size": "L"}},
    PROFILES: {
        "action": "consent",
        "consent": {"sms": True},
        "birthday": "1994-02-28",
        "tags": ["tea"],
    },
}
TYPES = {
    CLICKS: "shop.click.v1",
    CARTS: "shop.cart.v1",
    ORDERS: "shop.order.v1",
    REVIEWS: "shop.review.v1",
    SERVICE: "shop.service.v1",
    WISHES: "shop.wish.v1",
    PROFILES: "shop.profile.v1",
}


def event(topic: str = CLICKS, data: Event | None = None, **envelope: Any) -> Event:
    return {
        "specversion": "1.0",
        "id": "e1",
        "source": "web",
        "type": TYPES[topic],
        "subject": CUSTOMER,
        "time": "2026-05-20T08:00:00Z",
        "data": {"shop_id": "tea", **VALID[topic], **(data or {})},
        **envelope,
    }


def record(value: Event | bytes | None, topic: str = CLICKS, **fields: Any) -> RawRecord:
    if isinstance(value, dict):
        value = json.dumps(value).encode()
    whole = RawRecord(topic, 0, 42, APPENDED_MS, CUSTOMER.encode(), value)._replace(**fields)
    if "partition" in fields or whole.key is None:
        return whole
    return whole._replace(partition=partition_of(whole.key, PARTITIONS))


def decode(one: RawRecord, latest_ms: int = 0) -> Decoded | DeadLetter:
    """By both ways in, which must agree."""
    decoder = Decoder(PARTITIONS)
    verdict = decoder.decode(one, latest_ms)
    assert decoder.decode_many([one], latest_ms) == [verdict]
    return verdict


def refused(one: RawRecord, latest_ms: int = 0) -> tuple[Reason, str]:
    verdict = decode(one, latest_ms)
    assert isinstance(verdict, DeadLetter), verdict
    assert (verdict.topic, verdict.partition, verdict.offset) == (one.topic, one.partition, 42)
    assert (verdict.key, verdict.value) == (one.key, one.value and one.value[:BODY_BYTES])
    return verdict.reason, verdict.detail


def accepted(one: RawRecord, latest_ms: int = 0) -> Decoded:
    verdict = decode(one, latest_ms)
    assert isinstance(verdict, Decoded), verdict
    return verdict


def at(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
