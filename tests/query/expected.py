"""The rows that must be in the store, from the published events alone.

Plain Python over CloudEvents as dicts: no code of streams is used, nor of schemas.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tests.oracle.events import milliseconds

Row = dict[str, Any]
#: Table -> its rows in the order of their keys.
Tables = dict[str, list[Row]]

ORDERS, REVIEWS, TRIGGERS = "shop.orders", "shop.reviews", "shop.triggers"
PROFILES, PRODUCTS, VERDICTS = "shop.profiles", "shop.products", "shop.verdicts"
SERVICE, WISHES, DECISIONS = "shop.service", "shop.wishes", "shop.decisions"
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
    judging = [record for record in records if record.topic == VERDICTS]
    verdicts = _verdicts(r for r in judging if "order_hash" in r.event["data"])
    wish_verdicts = _wish_verdicts(r for r in judging if "wish_hash" in r.event["data"])
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
        "orders": [
            {**_order(key, own), **_judged(key, own, verdicts)} for key, own in by_order.items()
        ],
        "verdicts": verdicts,
        "order_lines": [row for key, own in by_order.items() for row in _lines(key, own)],
        "order_coupons": [row for key, own in by_order.items() for row in _coupons(key, own)],
        "refunds": [row for key, own in by_order.items() for row in _refunds(key, own)],
        "reviews": [_review(key, own) for key, own in by_review.items()],
        "triggers": _triggers(record for record in records if record.topic == TRIGGERS),
        "decisions": _decisions(record for record in records if record.topic == DECISIONS),
        "profile_events": [_customer_event(record) for record in records if _is_of_profile(record)],
        "profiles": _profiles([record for record in records if _is_of_profile(record)]),
        "service_events": [_customer_event(r) for r in records if r.topic == SERVICE],
        "cases": _cases([record for record in records if record.topic == SERVICE]),
        "surveys": _surveys([record for record in records if record.topic == SERVICE]),
        **_wishes([record for record in records if record.topic == WISHES], wish_verdicts),
        "wish_verdicts": wish_verdicts,
        "products": _products([record for record in records if record.topic == PRODUCTS]),
    }
    return {name: in_order(rows) for name, rows in tables.items()}


def _products(records: list[Published]) -> list[Row]:
    """Of each field what the last record says that says it, by time, then by place."""
    fields = ("name", "brand", "category", "image", "price", "unit_cost", "stock", "status")
    found: dict[tuple[str, str], Row] = {}
    said: dict[tuple[str, str], Row] = {}
    for record in sorted(records, key=lambda r: (_time(r), r.place)):
        data = dict(record.event["data"])
        if data["action"] in ("listed", "delisted"):
            data["status"] = data["action"]
        key = data["shop_id"], data["sku"]
        row = found.setdefault(
            key, {"shop_id": key[0], "sku": key[1], **dict.fromkeys(fields), "changed_ms": 0}
        )
        row["changed_ms"] = _time(record)
        for name in fields:
            if name in data:
                row[name] = data[name]
                said.setdefault(key, {})[name] = [_time(record), *record.place]
    return [{**row, "said": _canonical(said.get(key, {}))} for key, row in found.items()]


_OF_PROFILE = ("updated", "consent", "joined_membership")


def _is_of_profile(record: Published) -> bool:
    return record.topic == PROFILES and record.event["data"]["action"] in _OF_PROFILE


def _customer_event(record: Published) -> Row:
    shop, customer = _customer(record)
    topic, partition, offset = record.place
    event = record.event
    return {
        "shop_id": shop, "customer_id": customer, "time_ms": _time(record), "source": event["source"],
        "event_id": event["id"], "data": _canonical(event["data"]), "topic": topic,
        "partition": partition, "offset": offset,
    }  # fmt: skip


def _profiles(records: list[Published]) -> list[Row]:
    """Of each field, and of each channel's consent, what was said last."""
    fields = ("birthday", "gender", "age_band", "income_band", "education", "region")
    found: dict[tuple[str, str], Row] = {}
    for record in sorted(_each_once(records), key=_stamp):
        data = record.event["data"]
        key = _customer(record)
        row = found.setdefault(
            key,
            {
                "shop_id": key[0], "customer_id": key[1], **dict.fromkeys(fields), "tags": [],
                "consents": {}, "joined_ms": None, "changed_ms": 0,
            },
        )  # fmt: skip
        row["changed_ms"] = _time(record)
        if data["action"] == "updated":
            row.update({name: data[name] for name in fields if name in data})
            row["tags"] = sorted(set(data.get("tags", row["tags"])))
        elif data["action"] == "consent":
            row["consents"].update(data["consent"])
        elif row["joined_ms"] is None:
            row["joined_ms"] = _time(record)
    return [
        {**row, "tags": _canonical(row["tags"]), "consents": _canonical(row["consents"])}
        for row in found.values()
    ]


def _each_once(records: list[Published]) -> list[Published]:
    """Of each event of a customer the earliest record."""
    first: dict[tuple[str, ...], Published] = {}
    for record in sorted(records, key=_rank):
        first.setdefault((*_customer(record), record.event["source"], record.event["id"]), record)
    return list(first.values())


def _cases(records: list[Published]) -> list[Row]:
    told: dict[tuple[str, ...], list[Published]] = {}
    for record in _each_once(records):
        if record.event["data"]["action"] != "survey_answered":
            key = (*_customer(record), record.event["data"]["case_id"])
            told.setdefault(key, []).append(record)
    return [_case(key, own) for key, own in told.items()]


def _case(key: tuple[str, ...], records: list[Published]) -> Row:
    def times(*actions: str) -> list[int]:
        return [_time(r) for r in records if r.event["data"]["action"] in actions]

    opened = min(times("inquiry", "complaint"), default=None)
    replies = [] if opened is None else [at for at in times("replied") if at >= opened]
    by_time = sorted(records, key=_rank)
    opening = [r for r in by_time if r.event["data"]["action"] in ("inquiry", "complaint")]
    said = [record.event["data"] for record in (*opening, *by_time)]
    return {
        "shop_id": key[0], "customer_id": key[1], "case_id": key[2],
        "topic": next((data["topic"] for data in said if "topic" in data), None),
        "order_id": next((data["order_id"] for data in said if "order_id" in data), None),
        "complaint": int(bool(times("complaint"))), "opened_ms": opened,
        "replied_ms": min(replies, default=None), "resolved_ms": max(times("resolved"), default=None),
        "changed_ms": max(map(_time, records)),
    }  # fmt: skip


def _surveys(records: list[Published]) -> list[Row]:
    """Of each case, and of none, the last answer."""
    last: dict[tuple[str, ...], Row] = {}
    for record in sorted(_each_once(records), key=_stamp):
        data = record.event["data"]
        if data["action"] == "survey_answered":
            key = (*_customer(record), data.get("case_id", ""))
            last[key] = {
                "shop_id": key[0], "customer_id": key[1], "case_id": key[2], "score": data["score"],
                "order_id": data.get("order_id"), "answered_ms": _time(record),
            }  # fmt: skip
    return list(last.values())


def _liker(record: Published) -> str:
    """Who did it: the owner by their id, whoever else by its hash (docs/query.md)."""
    liker: str = record.event["data"]["liker_id"]
    return liker if liker == record.event["subject"] else liker_hash(liker)


def liker_hash(liker_id: str) -> str:
    """By which the store knows who likes a wish: docs/query.md."""
    return hashlib.blake2b(liker_id.encode(), digest_size=8).hexdigest()


def _wish_event(record: Published) -> Row:
    data = {name: value for name, value in record.event["data"].items() if name != "device_hash"}
    if "liker_id" in data:
        data["liker_id"] = _liker(record)
    return {**_customer_event(record), "data": _canonical(data)}


def _wish_verdicts(records: Iterable[Published]) -> list[Row]:
    """Each once: of a customer and wish there is one of a number."""
    found: dict[Any, Row] = {}
    for record in records:
        data = record.event["data"]
        row = {name: data[name] for name in ("shop_id", "wish_hash", "customer_id", "number")}
        found[tuple(row.values())] = {
            **row, "suspicious": data["suspicious"], "likes": data["likes"],
            "visitors": _canonical(data.get("visitors", [])), "time_ms": _time(record),
        }  # fmt: skip
    return list(found.values())


def _suspicious(key: tuple[str, ...], verdicts: list[Row]) -> int:
    """By the newest verdict on the wish of who may have made it."""
    shop, customer, wish_id = key
    digest = hashlib.blake2b(wish_id.encode(), digest_size=8).hexdigest()
    about = [
        (row["number"], row["customer_id"], row["suspicious"])
        for row in verdicts
        if (row["shop_id"], row["wish_hash"]) == (shop, digest)
        and customer in (row["customer_id"], *json.loads(row["visitors"]))
    ]
    return int(max(about)[2]) if about else 0


def _wishes(records: list[Published], verdicts: list[Row]) -> Tables:
    likes = [r for r in records if r.event["data"]["action"] in ("liked", "unliked")]
    others = [r for r in records if r.event["data"]["action"] not in ("liked", "unliked")]
    by_wish: dict[tuple[str, ...], list[Published]] = {}
    for record in _each_once(others):
        by_wish.setdefault((*_customer(record), record.event["data"]["wish_id"]), []).append(record)
    rows, wanted = [], []
    for key, own in by_wish.items():
        named = dict(zip(("shop_id", "customer_id", "wish_id"), key, strict=True))
        made = sorted(
            (
                _time(r),
                r.event["data"].get("sku", ""),
                sorted(r.event["data"].get("attributes", {}).items()),
            )
            for r in own
            if r.event["data"]["action"] == "made"
        )
        order = ("withdrawn", "granted", "declined")
        decided = sorted(
            (_time(r), order.index(r.event["data"]["action"]))
            for r in own
            if r.event["data"]["action"] in order
        )
        actions = [r.event["data"]["action"] for r in own]
        first = made[0] if made else (None, "", [])
        rows.append(
            {
                **named, "made_ms": first[0], "sku": first[1] or None,
                "decision": order[decided[-1][1]] if decided else None,
                "decided_ms": decided[-1][0] if decided else None,
                "comments": actions.count("commented"), "stories": actions.count("story"),
                "suspicious": _suspicious((key[0], key[1], key[2]), verdicts),
                "changed_ms": max(map(_time, own)),
            }
        )  # fmt: skip
        wanted += [{**named, "name": name, "value": value} for name, value in first[2]]
    last: dict[tuple[str, ...], Row] = {}
    # At one time what takes a like back is the last word.
    for record in sorted(likes, key=lambda r: (_time(r), r.event["data"]["action"] == "unliked")):
        data = record.event["data"]
        key = (*_customer(record), data["wish_id"], _liker(record))
        names = ("shop_id", "customer_id", "wish_id", "liker_id")
        last[key] = {
            **dict(zip(names, key, strict=True)), "liked": int(data["action"] == "liked"),
            "time_ms": _time(record),
        }  # fmt: skip
    return {
        "wish_events": [_wish_event(r) for r in others],
        "like_events": [_wish_event(r) for r in likes],
        "wishes": rows, "wish_attributes": wanted, "wish_likes": list(last.values()),
    }  # fmt: skip


def _stamp(record: Published) -> tuple[int, bytes]:
    """The greater is later: time, then the hash of source and event id (docs/state.md)."""
    named = f"{record.event['source']}\0{record.event['id']}".encode()
    return _time(record), hashlib.blake2b(named, digest_size=8).digest()


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows in an order that does not depend on the database."""
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def _customer(record: Published) -> tuple[str, str]:
    return record.event["data"]["shop_id"], record.event["subject"]


def _erased(records: Iterable[Published]) -> dict[tuple[str, str], int]:
    """(shop, customer) -> the latest time at which they were erased: nothing until then is kept.

    Whoever a verdict of an erased customer names as their visitor is erased until that verdict.
    """
    found: dict[tuple[str, str], int] = {}
    verdicts = []
    for record in records:
        if record.topic == PROFILES and record.event["data"]["action"] == "erase":
            found[_customer(record)] = max(_time(record), found.get(_customer(record), 0))
        if record.topic == VERDICTS:
            verdicts.append(record)
    while True:
        before = dict(found)
        for record in verdicts:
            if _time(record) <= found.get(_customer(record), -1):
                for visitor in record.event["data"].get("visitors", []):
                    one = (_customer(record)[0], visitor)
                    found[one] = max(_time(record), found.get(one, 0))
        if found == before:
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


def _verdicts(records: Iterable[Published]) -> list[Row]:
    """Each once: of a customer and order there is one of a number."""
    found: dict[Any, Row] = {}
    for record in records:
        data = record.event["data"]
        row = {
            "shop_id": data["shop_id"], "order_hash": data["order_hash"],
            "customer_id": data["customer_id"], "number": data["number"],
            "brushed": int(data["brushed"]), "points": data["points"],
            "reasons": _canonical(data.get("reasons", [])),
            "visitors": _canonical(data.get("visitors", [])),
            "product_hash": data.get("product_hash"), "time_ms": _time(record),
        }  # fmt: skip
        found[row["shop_id"], row["customer_id"], row["order_hash"], row["number"]] = row
    return list(found.values())


def _judged(key: tuple[str, str, str], records: list[Published], verdicts: list[Row]) -> Row:
    """What the order is held to be, by the newest verdict of who may have ordered it."""
    shop, customer, order_id = key
    digest = hashlib.blake2b(f"\0{order_id}".encode(), digest_size=8).hexdigest()
    about = [
        row
        for row in verdicts
        if (row["shop_id"], row["order_hash"]) == (shop, digest)
        and customer in (row["customer_id"], *json.loads(row["visitors"]))
    ]
    if not about:
        return {
            "brushed": 0, "judged_ms": None, "judged_points": None, "judged_sign": None,
            "judged_sku": None,
        }  # fmt: skip
    newest = max(about, key=lambda row: (row["number"], row["customer_id"]))
    reasons = json.loads(newest["reasons"])
    skus = [line["sku"] for line in _said(records, "paid", "placed", name="lines") or []]
    by_hash = {hashlib.blake2b(sku.encode(), digest_size=4).hexdigest(): sku for sku in skus}
    return {
        "brushed": newest["brushed"], "judged_ms": newest["time_ms"],
        "judged_points": newest["points"], "judged_sign": reasons[0]["sign"] if reasons else None,
        "judged_sku": by_hash.get(newest["product_hash"]),
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


def _decisions(records: Iterable[Published]) -> list[Row]:
    rows = {}
    for record in records:
        event, data = record.event, record.event["data"]
        names = (
            "shop_id",
            "customer_id",
            "decision_id",
            "trigger_id",
            "campaign",
            "campaign_version",
            "reason",
        )
        rows[data["shop_id"], data["customer_id"], data["decision_id"]] = {
            **{name: data[name] for name in names},
            "time_ms": milliseconds(event["time"]),
            "data": _canonical(data),
        }  # fmt: skip
    return list(rows.values())
