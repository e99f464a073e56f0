"""Rows of what workers decide: triggers, refusals, verdicts. None for a record that cannot be read."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from schemas.decision import DecisionEvent
from schemas.decoding import UNREADABLE, RawRecord
from schemas.trigger import TriggerEvent
from schemas.verdict import VerdictEvent, WishVerdict, WishVerdictEvent
from streams.query.facts import storable, storable_or_none

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)

_encode = msgspec.json.encode
_decode_trigger = msgspec.json.Decoder(TriggerEvent).decode
_decode_decision = msgspec.json.Decoder(DecisionEvent).decode
_decode_verdict = msgspec.json.Decoder(VerdictEvent | WishVerdictEvent).decode


def trigger_row(record: RawRecord) -> dict[str, Any] | None:
    """A row of ``triggers``."""
    try:
        event = _decode_trigger(record.value or b"")
    except UNREADABLE:
        return None
    data = event.data
    return {
        "shop_id": data.shop_id,
        "customer_id": storable(data.customer_id),
        "trigger_id": storable(data.trigger_id),
        "time_ms": _time_ms(event.time),
        "kind": data.kind,
        "campaign": storable(data.campaign),
        "campaign_version": storable(data.campaign_version),
        "code": storable_or_none((data.offer and data.offer.code) or None),
        "data": _encode(data).decode(),
    }


def decision_row(record: RawRecord) -> dict[str, Any] | None:
    """A row of ``decisions``."""
    try:
        event = _decode_decision(record.value or b"")
    except UNREADABLE:
        return None
    data = event.data
    return {
        "shop_id": data.shop_id,
        "customer_id": storable(data.customer_id),
        "decision_id": storable(data.decision_id),
        "trigger_id": storable(data.trigger_id),
        "time_ms": _time_ms(event.time),
        "campaign": storable(data.campaign),
        "campaign_version": storable(data.campaign_version),
        "reason": data.reason,
        "data": _encode(data).decode(),
    }


def verdict_row(record: RawRecord) -> dict[str, Any] | None:
    """A row of ``verdicts``; or, with a ``wish_hash``, of ``wish_verdicts``."""
    try:
        event = _decode_verdict(record.value or b"")
    except UNREADABLE:
        return None
    data = event.data
    said = {
        "shop_id": data.shop_id,
        "customer_id": storable(data.customer_id),
        "number": data.number,
        "visitors": _encode([storable(each) for each in data.visitors]).decode(),
        "time_ms": _time_ms(event.time),
    }
    if isinstance(data, WishVerdict):
        judged = {
            "wish_hash": data.wish_hash, "suspicious": data.suspicious, "likes": data.likes,
        }  # fmt: skip
        return said | judged
    return said | {
        "order_hash": data.order_hash,
        "brushed": int(data.brushed),
        "points": data.points,
        "reasons": _encode(data.reasons).decode(),
        "product_hash": data.product_hash,
    }


def _time_ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND
