"""Visitors and what they do, from the stream's live aggregates: the figures that several reports share."""

from collections.abc import Mapping, Sequence
from typing import Final

from streams.domain.aggregates.carts import ADDERS
from streams.domain.aggregates.clicks import SESSIONS, VISITORS
from streams.domain.aggregates.orders import PAYERS, PLACERS
from streams.reports.amounts import share, unknown
from streams.reports.live import Counted
from streams.reports.model import Figure, Value
from streams.reports.sent import CARTS, CLICKS, ORDERS

_CLICKS: Final = "live: shop.clicks"
_CARTS: Final = "live: shop.carts"
_ORDERS: Final = "live: shop.orders"
VISITORS_FIGURE = Figure(
    "visitors", "count",
    "访客: different customers or anonymous ids with a product or page view, a store visit or a live entry.",
    _CLICKS,
)  # fmt: skip
VISITS = Figure("visits", "count", "Views, store visits and live entries.", _CLICKS, additive=True)
VIEWS = Figure("views", "count", "Product and page views.", _CLICKS, additive=True)
DWELL = Figure(
    "average_dwell", "ms", "停留时长: the mean time on the page of the views that tell it.", _CLICKS
)
SESSIONS_FIGURE = Figure(
    "sessions", "count",
    "Different sessions of visitors by their session_id; one across midnight is one, and is in both days.",
    _CLICKS,
)  # fmt: skip
ADDERS_FIGURE = Figure(
    "adders", "count",
    "Different customers who added to their cart; a later removal does not un-count; to set is no add.",
    _CARTS,
)  # fmt: skip
ADD_RATE = Figure(
    "add_to_cart_rate", "share", "加购率: visitors who added to their cart / visitors.",
    "visitors, adders",
)  # fmt: skip
PLACERS_FIGURE = Figure(
    "placers", "count",
    "Different customers who placed an order; a verdict that it is brushed does not un-count them.", _ORDERS,
)  # fmt: skip
PAYERS_FIGURE = Figure(
    "payers", "count",
    "Different customers who paid an order; a verdict that it is brushed does not un-count them.", _ORDERS,
)  # fmt: skip
CONVERSION = Figure(
    "conversion", "share", "支付转化率: visitors who paid, brushed orders included / visitors.",
    "visitors, payers",
)  # fmt: skip
WITHOUT_VISIT = Figure(
    "buyers_without_visit", "count",
    "Customers who paid in the period, brushed orders included, and did not visit in it: not part of the "
    "conversion.",
    "visitors, payers",
)  # fmt: skip
FIGURES: Final = (
    VISITORS_FIGURE, VIEWS, DWELL, SESSIONS_FIGURE, ADDERS_FIGURE, ADD_RATE, CONVERSION, WITHOUT_VISIT,
)  # fmt: skip
#: What ``values`` looks at: names of sets, and unions of two by which it knows who is in both.
GROUPS: Final[Mapping[str, Sequence[str]]] = {
    VISITORS: [VISITORS],
    SESSIONS: [SESSIONS],
    ADDERS: [ADDERS],
    PLACERS: [PLACERS],
    PAYERS: [PAYERS],
    "visitors or adders": [VISITORS, ADDERS],
    "visitors or payers": [VISITORS, PAYERS],
}


def values(held: Counted) -> dict[str, Value]:
    """The figures of ``FIGURES``."""
    visitors, adders = held.set(VISITORS, CLICKS), held.set(ADDERS, CARTS)
    payers = held.set(PAYERS, ORDERS)
    sessions = held.set(SESSIONS, CLICKS)
    lacking = held.sums.get("visits_without_session", 0)
    if lacking:
        why = f"{lacking:,} visits tell no session"
        sessions = Value(None, why, sessions.number)
    return {
        "visitors": visitors,
        "views": held.sum("views", CLICKS),
        "average_dwell": _dwell(held),
        "sessions": sessions,
        "adders": adders,
        "add_to_cart_rate": _rate(
            _both(held, visitors, adders, "visitors or adders", CARTS), visitors
        ),
        "conversion": _rate(_both(held, visitors, payers, "visitors or payers", ORDERS), visitors),
        "buyers_without_visit": _only(held.set("visitors or payers", ORDERS), visitors),
    }


def _dwell(held: Counted) -> Value:
    told = held.sum("views_with_dwell", CLICKS)
    if told.number is None:
        return told
    number = int(told.number)
    if not number:
        return unknown("no view tells how long it was looked at")
    return Value((2 * held.sums.get("dwell_ms", 0) + number) // (2 * number))


def _both(held: Counted, one: Value, other: Value, union: str, topic: str) -> Value:
    """Those in both sets, the other one by ``topic``; estimates may leave less than nobody."""
    either = held.set(union, topic)
    for each in (one, either):
        if each.number is None:
            return each
    numbers = [one.number or 0, other.number or 0]
    both = max(0, min(*numbers, sum(numbers) - (either.number or 0)))
    return Value(both, error=either.error)


def _only(either: Value, one: Value) -> Value:
    for each in (one, either):
        if each.number is None:
            return each
    return Value(max(0, (either.number or 0) - (one.number or 0)), error=either.error)


def _rate(part: Value, whole: Value) -> Value:
    return share(part, whole, "no visitor")._replace(error=part.error)
