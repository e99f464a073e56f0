"""An order's rows as a pure function of the set of its facts, in whatever order they came.

The rules are those of streams.domain.order, which is asked for the status and the amounts: an order shows
the furthest of what it has seen and never moves back; the amount is that of ``paid``, else that of
``placed``; a refund counts once it is ``refunded``. What else an order has (region, remark, ...) is that of
the first status in ``_ORDER`` that says it; lines are those of ``paid``, else of ``placed``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from schemas.envelope import Line
from schemas.order import Order
from schemas.verdict import VerdictReason
from streams.domain import order as domain
from streams.domain.integrity.buyer import sku_key
from streams.query.facts import Fact, storable, storable_or_none

Row: TypeAlias = dict[str, Any]
T = TypeVar("T")

#: Which status is believed first in what several may say.
_ORDER: Final = (
    "paid", "placed", "shipped", "received", "cancelled",
    "refund_requested", "refunded", "refund_withdrawn",
)  # fmt: skip
#: The same for what a parcel has.
_PARCEL: Final = ("shipped", "received", *_ORDER)
_DETAILS: Final = (
    "discount", "points_used", "payment_method", "region", "channel", "traffic_source", "remark",
)  # fmt: skip
#: What ``status`` of an order's row may be: domain.status_of.
STATUSES: Final = (
    "placed", "paid", "shipped", "received", "cancelled", "refund_requested", "refunded", "unknown",
)  # fmt: skip
_REFUND_AMOUNT: Final = ("refunded", "refund_requested")
_REFUND_WORDS: Final = ("refund_requested", "refunded", "refund_withdrawn")

_JUDGED: Final = ("judged_ms", "judged_points", "judged_sign", "judged_sku")

_decode = msgspec.json.Decoder(Order).decode
_decode_reasons = msgspec.json.Decoder(list[VerdictReason]).decode


class OrderRows(NamedTuple):
    """The rows of one order, by table."""

    order: Row
    lines: list[Row]
    coupons: list[Row]
    refunds: list[Row]


class _Said(NamedTuple):
    """A fact, read."""

    status: str
    refund_id: str
    time_ms: int
    data: Order


def order_rows(facts: Sequence[Fact], verdict: Mapping[str, Any] | None = None) -> OrderRows:
    """The rows of the one order that all ``facts`` (at least one, each natural key once) are of.

    ``verdict``: the row of the one that holds of it; None: it never was judged to be brushed.
    """
    key = dict(zip(("shop_id", "customer_id", "order_id"), facts[0].order, strict=True))
    said = sorted(
        (_Said(*fact.name, fact.time_ms, _decode(fact.data)) for fact in facts),
        key=lambda one: (one.time_ms, one.status, one.refund_id),
    )
    times = {one.status: one.time_ms for one in reversed(said)}
    lines = _first(said, ("paid", "placed"), lambda data: data.lines or None) or []
    codes = _first(said, _ORDER, lambda data: data.coupon_codes or None) or []
    refunds = _refunds(said)
    order = {
        **key,
        "ordered_ms": times.get("placed", times.get("paid", said[0].time_ms)),
        "changed_ms": said[-1].time_ms,
        "placed_ms": times.get("placed"),
        "paid_ms": times.get("paid"),
        "shipped_ms": times.get("shipped"),
        "received_ms": times.get("received"),
        "cancelled_ms": times.get("cancelled"),
        "refund_requested_ms": times.get("refund_requested"),
        "refunded_ms": times.get("refunded"),
        "pieces": sum(line.quantity for line in lines) if lines else None,
        **_figures(said),
        **{name: _detail(said, _ORDER, name) for name in _DETAILS},
        **{name: _detail(said, _PARCEL, name) for name in ("carrier", "tracking")},
        **_judged(verdict, lines),
    }
    # A child that orders are found by has their time, too.
    timed = {**key, "ordered_ms": order["ordered_ms"]}
    return OrderRows(
        order,
        [{**timed, **_line(number, line)} for number, line in enumerate(lines, 1)],
        [{**timed, "code": code} for code in sorted({storable(code) for code in codes})],
        [{**key, **refund} for refund in refunds],
    )


def _judged(verdict: Mapping[str, Any] | None, lines: Sequence[Line]) -> Row:
    """What an order is held to be; its product is named once its lines are known."""
    if verdict is None:
        return {"brushed": 0, **dict.fromkeys(_JUDGED)}
    reasons = _decode_reasons(verdict["reasons"])
    skus = {sku_key(line.sku).hex(): storable(line.sku) for line in lines}
    values = (
        verdict["time_ms"], verdict["points"], reasons[0].sign if reasons else None,
        skus.get(verdict["product_hash"] or ""),
    )  # fmt: skip
    return {"brushed": verdict["brushed"], **dict(zip(_JUDGED, values, strict=True))}


def _first(
    said: Sequence[_Said], statuses: Sequence[str], of: Callable[[Order], T | None]
) -> T | None:
    """What the first of ``statuses`` says that says anything; of several refunds the earliest."""
    for status in statuses:
        for one in said:
            if one.status == status and (found := of(one.data)) is not None:
                return found
    return None


def _detail(said: Sequence[_Said], statuses: Sequence[str], name: str) -> Any:
    found = _first(said, statuses, lambda data: getattr(data, name))
    return storable(found) if isinstance(found, str) else found


def _line(number: int, line: Line) -> Row:
    attributes = dict(sorted(line.attributes.items()))
    return {
        "line": number,
        "sku": storable(line.sku),
        "quantity": line.quantity,
        "category": storable_or_none(line.category),
        "unit_price": line.unit_price,
        "attributes": msgspec.json.encode(attributes).decode(),
    }


def _figures(said: Sequence[_Said]) -> Row:
    """Status and amounts, as the live state has them."""
    by_refund: dict[str, domain.Refund] = {}
    order = domain.OpenOrder("")
    for status, refund_id, _, data in said:
        if status in domain.STATUS_BITS:
            order.seen |= domain.STATUS_BITS[status]
            continue
        refund = by_refund.setdefault(refund_id, domain.Refund(refund_id.encode()))
        refund.seen |= domain.REFUND_BITS[status]
        if data.kind == "exchange":
            refund.seen |= domain.EXCHANGE
    for refund_id, refund in by_refund.items():
        own = [one for one in said if one.refund_id == refund_id]
        refund.amount = _first(own, _REFUND_AMOUNT, lambda data: data.amount)
    order.refunds = list(by_refund.values())
    order.amount = _first(said, ("paid", "placed"), lambda data: data.amount_paid)
    totals = domain.Totals(*domain.contribution(order))
    known = totals.paid > 0 and order.amount is not None
    return {
        "status": domain.status_of(order),
        "amount": order.amount,
        "refunded_amount": totals.refunded_amount if known else None,
        "net_amount": totals.net_amount if known else None,
    }


def _refunds(said: Sequence[_Said]) -> list[Row]:
    found: dict[str, list[_Said]] = {}
    for one in said:
        if one.status in domain.REFUND_BITS:
            found.setdefault(one.refund_id, []).append(one)
    return [_refund(refund_id, own) for refund_id, own in sorted(found.items())]


def _refund(refund_id: str, said: Sequence[_Said]) -> Row:
    times: Mapping[str, int] = {one.status: one.time_ms for one in said}
    if "refunded" in times:
        status = "refunded"
    elif "refund_withdrawn" in times:
        status = "withdrawn"
    else:
        status = "requested"
    exchange = any(one.data.kind == "exchange" for one in said)
    return {
        "refund_id": refund_id,
        "status": status,
        "kind": "exchange" if exchange else _detail(said, _REFUND_WORDS, "kind"),
        "amount": _first(said, _REFUND_AMOUNT, lambda data: data.amount),
        "reason": _detail(said, _REFUND_WORDS, "reason"),
        "requested_ms": times.get("refund_requested"),
        "withdrawn_ms": times.get("refund_withdrawn"),
        "refunded_ms": times.get("refunded"),
    }
