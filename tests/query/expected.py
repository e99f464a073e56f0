"""The rows that must be in the store, from the published events alone.

Plain Python over CloudEvents as dicts: no code of streams is used, nor of schemas.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tests.oracle.events import milliseconds

Row = dict[str, Any]
#: Table -> its rows in the order of their keys.
Tables = dict[str, list[Row]]

ORDERS, REVIEWS, TRIGGERS = "shop.orders", "shop.reviews", "shop.triggers"
PROFILES = "shop.profiles"
REFUND = ("refund_requested", "refund_withdrawn", "refunded")


class Published(NamedTuple):
    """A good record. ``topic``: the catalogue's name; ``place``: its Kafka topic, partition and offset."""

    topic: str
    place: tuple[str, int, int]
    event: Mapping[str, Any]


def expected(
    published: Iterable[Published], left_out: Mapping[tuple[str, int, int], str] | None = None
) -> Tables:
    """``left_out``: place -> reason, of the records that a worker left out."""
    left_out = left_out or {}
    told = [record for record in published if record.place not in left_out]
    erased = _erased(told)
    records = [record for record in told if _time(record) > erased.get(_customer(record), -1)]
    orders = _kept(record for record in records if record.topic == ORDERS)
    reviews = _kept(record for record in records if record.topic == REVIEWS)
    chosen = {record.place for record in (*orders.values(), *reviews.values())}
    others = {r.place: r for r in records if r.topic in (ORDERS, REVIEWS) and r.place not in chosen}
    by_order: dict[Any, list[Published]] = {}
    for (shop, customer, order, _, _), record in orders.items():
        by_order.setdefault((shop, customer, order), []).append(record)
    by_review: dict[Any, list[Published]] = {}
    for (shop, customer, order, sku, _), record in reviews.items():
        by_review.setdefault((shop, customer, order, sku), []).append(record)
    tables = {
        "left_out": [
            {"topic": topic, "partition": partition, "offset": offset, "reason": reason}
            for (topic, partition, offset), reason in left_out.items()
        ],
        "erased": [
            {"shop_id": shop, "customer_id": customer, "until_ms": until_ms}
            for (shop, customer), until_ms in erased.items()
        ],
        "repeats": [
            {
                **_event_row(_natural_key(record), "name", "second_name", record),
                "kind": "order" if record.topic == ORDERS else "review",
            }
            for record in others.values()
        ],
        "order_events": [_event_row(key, "status", "refund_id", r) for key, r in orders.items()],
        "review_events": [_event_row(key, "sku", "action", r) for key, r in reviews.items()],
        "orders": [_order(key, own) for key, own in by_order.items()],
        "order_lines": [row for key, own in by_order.items() for row in _lines(key, own)],
        "order_coupons": [row for key, own in by_order.items() for row in _coupons(key, own)],
        "refunds": [row for key, own in by_order.items() for row in _refunds(key, own)],
        "reviews": [_review(key, own) for key, own in by_review.items()],
        "triggers": _triggers(record for record in records if record.topic == TRIGGERS),
    }
    return {name: in_order(rows) for name, rows in tables.items()}


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order that does not depend on the database."""
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def _customer(record: Published) -> tuple[str, str]:
    return record.event["data"]["shop_id"], record.event["subject"]


def _erased(records: Iterable[Published]) -> dict[tuple[str, str], int]:
    """(shop, customer) -> the latest time at which they were erased: nothing until then is kept."""
    found: dict[tuple[str, str], int] = {}
    for record in records:
        if record.topic == PROFILES and record.event["data"]["action"] == "erase":
            found[_customer(record)] = max(_time(record), found.get(_customer(record), 0))
    return found


def _kept(records: Iterable[Published]) -> dict[tuple[str, ...], Published]:
    """Natural key -> the earliest record of it."""
    found: dict[tuple[str, ...], Published] = {}
    for record in sorted(records, key=_rank):
        found.setdefault(_natural_key(record), record)
    return found


def _rank(record: Published) -> tuple[Any, ...]:
    event = record.event
    return milliseconds(event["time"]), event["source"], event["id"], record.place


def _natural_key(record: Published) -> tuple[str, ...]:
    data = record.event["data"]
    order = (data["shop_id"], record.event["subject"], data["order_id"])
    if record.topic == REVIEWS:
        return (*order, data["sku"], data["action"])
    return (*order, data["status"], data["refund_id"] if data["status"] in REFUND else "")


def _key(key: tuple[str, str, str]) -> Row:
    return {"shop_id": key[0], "customer_id": key[1], "order_id": key[2]}


def _event_row(key: tuple[str, ...], third: str, fourth: str, record: Published) -> Row:
    topic, partition, offset = record.place
    event = record.event
    return {
        **_key(key[:3]), third: key[3], fourth: key[4],  # type: ignore[arg-type]
        "time_ms": milliseconds(event["time"]), "source": event["source"], "event_id": event["id"],
        "data": _canonical(event["data"]), "topic": topic, "partition": partition, "offset": offset,
    }  # fmt: skip


def _canonical(data: Any) -> str:
    """JSON that does not depend on who wrote it."""
    return json.dumps(data, sort_keys=True)


def _time(record: Published) -> int:
    return milliseconds(record.event["time"])


def _said(records: list[Published], *statuses: str, name: str) -> Any:
    """What the first of ``statuses`` says under ``name``; of several refunds the earliest."""
    for status in statuses:
        of_status = [r for r in records if r.event["data"]["status"] == status]
        for record in sorted(
            of_status, key=lambda r: (_time(r), r.event["data"].get("refund_id", ""))
        ):
            value = record.event["data"].get(name)
            if value not in (None, []):
                return value
    return None


_ALL = (
    "paid", "placed", "shipped", "received", "cancelled", "refund_requested", "refunded",
    "refund_withdrawn",
)  # fmt: skip


def _order(key: tuple[str, str, str], records: list[Published]) -> Row:
    times: dict[str, int] = {}
    for record in records:
        status = record.event["data"]["status"]
        times[status] = min(_time(record), times.get(status, _time(record)))
    lines = _said(records, "paid", "placed", name="lines")
    refunds = _refunds(key, records)
    amount = _said(records, "paid", "placed", name="amount_paid")
    paid = "paid" in times
    refunded, whole = 0, False
    for refund in refunds:
        if refund["status"] == "refunded":
            refunded += refund["amount"] or 0
            whole |= refund["amount"] is None and refund["kind"] != "exchange"
    if amount is not None:
        refunded = amount if whole else min(refunded, amount)
        whole = whole or (amount > 0 and refunded == amount)
    known = paid and amount is not None
    return {
        **_key(key),
        "status": _status(times, whole=paid and whole, refunds=refunds),
        "ordered_ms": _ordered(records),
        "changed_ms": max(map(_time, records)),
        **{f"{s}_ms": times.get(s) for s in ("placed", "paid", "shipped", "received", "cancelled")},
        "refund_requested_ms": times.get("refund_requested"),
        "refunded_ms": times.get("refunded"),
        "amount": amount,
        "refunded_amount": refunded if known else None,
        "net_amount": (0 if "cancelled" in times else amount - refunded) if known else None,
        "pieces": sum(line.get("quantity", 1) for line in lines) if lines else None,
        **{
            name: _said(records, *_ALL, name=name)
            for name in (
                "discount", "points_used", "payment_method", "region", "channel", "traffic_source",
                "remark",
            )
        },
        **{
            name: _said(records, "shipped", "received", *_ALL, name=name)
            for name in ("carrier", "tracking")
        },
    }  # fmt: skip


def _ordered(records: list[Published]) -> int:
    for status in ("placed", "paid"):
        of_status = [_time(r) for r in records if r.event["data"]["status"] == status]
        if of_status:
            return min(of_status)
    return min(map(_time, records))


def _status(times: Mapping[str, int], *, whole: bool, refunds: list[Row]) -> str:
    if "cancelled" in times:
        return "cancelled"
    if whole:
        return "refunded"
    if any(refund["status"] == "requested" for refund in refunds):
        return "refund_requested"
    return next((s for s in ("received", "shipped", "paid", "placed") if s in times), "unknown")


def _lines(key: tuple[str, str, str], records: list[Published]) -> list[Row]:
    return [
        {
            **_key(key), "ordered_ms": _ordered(records), "line": number,
            "sku": line["sku"], "quantity": line.get("quantity", 1),
            "category": line.get("category"), "unit_price": line.get("unit_price"),
            "attributes": _canonical(line.get("attributes", {})),
        }
        for number, line in enumerate(_said(records, "paid", "placed", name="lines") or [], 1)
    ]  # fmt: skip


def _coupons(key: tuple[str, str, str], records: list[Published]) -> list[Row]:
    codes = set(_said(records, *_ALL, name="coupon_codes") or [])
    return [{**_key(key), "ordered_ms": _ordered(records), "code": code} for code in codes]


def _refunds(key: tuple[str, str, str], records: list[Published]) -> list[Row]:
    found: dict[str, list[Published]] = {}
    for record in records:
        if record.event["data"]["status"] in REFUND:
            found.setdefault(record.event["data"]["refund_id"], []).append(record)
    return [_refund(key, refund_id, own) for refund_id, own in found.items()]


def _refund(key: tuple[str, str, str], refund_id: str, own: list[Published]) -> Row:
    times = {record.event["data"]["status"]: _time(record) for record in own}
    status = "requested"
    if "refund_withdrawn" in times:
        status = "withdrawn"
    if "refunded" in times:
        status = "refunded"
    kinds = {record.event["data"].get("kind") for record in own}
    words = ("refund_requested", "refunded", "refund_withdrawn")
    return {
        **_key(key), "refund_id": refund_id, "status": status,
        "kind": "exchange" if "exchange" in kinds else _said(own, *words, name="kind"),
        "amount": _said(own, "refunded", "refund_requested", name="amount"),
        "reason": _said(own, *words, name="reason"),
        "requested_ms": times.get("refund_requested"),
        "withdrawn_ms": times.get("refund_withdrawn"),
        "refunded_ms": times.get("refunded"),
    }  # fmt: skip


def _review(key: tuple[str, str, str, str], records: list[Published]) -> Row:
    by_action = {record.event["data"]["action"]: record for record in records}
    said = {action: record.event["data"] for action, record in by_action.items()}
    times = {action: _time(record) for action, record in by_action.items()}
    return {
        **_key(key[:3]), "sku": key[3],
        "rating": said.get("posted", {}).get("rating"),
        "text": said.get("posted", {}).get("text"),
        "appended_text": said.get("appended", {}).get("text"),
        "photos": max(data.get("photos", 0) for data in said.values()),
        **{
            f"{action}_ms": times.get(action)
            for action in ("posted", "appended", "shown", "replied", "removed")
        },
    }  # fmt: skip


def _triggers(records: Iterable[Published]) -> list[Row]:
    rows = {}
    for record in records:
        event, data = record.event, record.event["data"]
        rows[data["trigger_id"]] = {
            "shop_id": data["shop_id"], "customer_id": data["customer_id"],
            "trigger_id": data["trigger_id"], "time_ms": milliseconds(event["time"]),
            "kind": data["kind"], "campaign": data["campaign"],
            "campaign_version": data["campaign_version"],
            "code": data.get("offer", {}).get("code") or None, "data": _canonical(data),
        }  # fmt: skip
    return list(rows.values())
