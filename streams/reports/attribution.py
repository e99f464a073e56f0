"""Which traffic sources payments are owed to: by the last touch, and by position."""

from typing import Final

from sqlalchemy import Connection

from streams.domain.aggregates.attribution import (
    LAST_AMOUNT,
    LAST_UNKNOWN,
    POSITION,
    POSITION_AMOUNT,
    POSITION_UNKNOWN,
    TOUCHED,
    UNTOUCHED,
)
from streams.domain.attribution import DAYS, WHOLE
from streams.reports.amounts import unknown
from streams.reports.live import Counted, by_time, says
from streams.reports.live_parts import Part, by_value
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.sent import CLICKS, ORDERS

_FROM: Final = "live: shop.clicks, shop.orders"
#: A part of 10,000 needs no more.
_PLACES: Final = 4
FIGURES: Final = (
    Figure(
        "last_touch_orders", "count",
        f"Paid orders with a visit that told its source in the {DAYS} days before the payment; by source "
        "those whose last such visit came by it.",
        _FROM, additive=True,
    ),
    Figure(
        "position_orders", "count",
        "The same orders, each split: 40 % to the first visit's source, 40 % to the last one's, 20 % to "
        "those between them; half and half of two.",
        _FROM, additive=True,
    ),
    Figure(
        "last_touch_amount", "money",
        "Gross amount of these orders, as known at the payment, by last_touch_orders.",
        _FROM, additive=True,
    ),
    Figure(
        "position_amount", "money",
        "The same amount split as position_orders, to the minor unit.",
        _FROM, additive=True,
    ),
    Figure(
        "untouched_orders", "count", "Paid orders without such a visit, owed to no source.",
        _FROM, additive=True,
    ),
)  # fmt: skip
_NOTE: Final = (
    "Judged by the clicks that had come when the payment came. A cancellation, a refund or a verdict of "
    "brushing changes nothing here."
)
_SUMS: Final = (
    TOUCHED, POSITION, LAST_AMOUNT, LAST_UNKNOWN, POSITION_AMOUNT, POSITION_UNKNOWN, UNTOUCHED,
)  # fmt: skip


def _values(held: Counted, asked: Asked) -> dict[str, Value]:
    orders = held.sums.get(TOUCHED, 0)
    # The visits are of the days before the payment, too.
    why = held.sent.lacks(ORDERS) or (None if orders else held.sent.lacks_in_period(CLICKS))
    if why:
        return dict.fromkeys((figure.name for figure in FIGURES), unknown(why))
    return {
        "last_touch_orders": Value(orders),
        "position_orders": Value(round(held.sums.get(POSITION, 0) / WHOLE, _PLACES)),
        "last_touch_amount": _money(held, LAST_AMOUNT, LAST_UNKNOWN, asked),
        "position_amount": _money(held, POSITION_AMOUNT, POSITION_UNKNOWN, asked),
        "untouched_orders": held.sum(UNTOUCHED, ORDERS),
    }


def _money(held: Counted, name: str, lacking: str, asked: Asked) -> Value:
    amount = held.sums.get(name, 0)
    currencies = asked.currencies_in_period()
    if len(currencies) > 1:
        return unknown(
            "the shop's currency changed in the period, and these sums are not kept apart"
        )
    currency = next(iter(currencies), None)
    if held.sums.get(lacking, 0):
        why = "some of these orders told no amount at the payment"
        return Value(None, why, amount, currency=currency)
    return Value(amount, currency=currency)


def _rows(_: Connection, asked: Asked) -> list[Row]:
    def values(held: Counted) -> dict[str, Value]:
        return _values(held, asked)

    if asked.by in TIME_DIMENSIONS:
        return by_time(asked, FIGURES, {}, values)
    parts = {name: Part(name) for name in _SUMS}
    return by_value(asked, FIGURES, "source", parts, values)


REPORT = Report(
    "attribution", "What payments are owed to", FIGURES, ("source", *TIME_DIMENSIONS), _rows, by="source",
    notes=(_NOTE,),
    says=says, live=True,
)  # fmt: skip
