"""A shop beside the shops of its category: 竞争分析.

Of the others only medians are shown, of at least five, so that no figure is anybody's own: a median of five
is not the middle one's either, since it stands rounded to two significant digits. Who runs the report twice,
before and after a shop has come or gone, learns between which two rounded values the median has moved, which
bounds the figure of a shop only where it lies between them. Against somebody who owns all but one of the
shops of a category it does not help: categories are the platform's to give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from statistics import median
from typing import Final

from sqlalchemy import Connection

from streams.reports import overview, repurchase
from streams.reports.amounts import unknown
from streams.reports.live import says
from streams.reports.model import Asked, Figure, Number, Peer, Report, Row, Value
from streams.reports.period import Period

#: Other shops that a median is of, at least (DOMAIN).
LEAST: Final = 5
_DIGITS: Final = 2
_NAMES: Final = (
    "visitors", "add_to_cart_rate", "conversion", "paid_orders", "paid_amount", "order_value",
)  # fmt: skip
_AMOUNTS: Final = ("paid_amount", "order_value")
_OF: Final = {figure.name: figure for figure in (*overview.FIGURES, *repurchase.FIGURES)}
FIGURES: Final[tuple[Figure, ...]] = tuple(
    # Of the category there is a median, not a part.
    _OF[name]._replace(additive=False)
    for name in (*_NAMES, "repurchase_rate")
)


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    own = _figures(connection, asked)
    if asked.category is None:
        nothing = {figure.name: unknown(asked.category_why) for figure in FIGURES}
        return [Row("whole", own), Row("part", nothing, None)]
    others = [_figures(connection, _asked_of(peer, asked)) for peer in asked.category.peers]
    # A shop without an order in the period is no shop of it.
    others = [found for found in others if found["paid_orders"].number != 0]
    medians = {figure.name: _median(figure.name, others, asked) for figure in FIGURES}
    return [Row("whole", own), Row("part", medians, asked.category.name)]


def _asked_of(peer: Peer, asked: Asked) -> Asked:
    """The same of another shop: the same dates, on its own clock."""
    period = Period(asked.period.first, asked.period.last, peer.zone)
    return replace(asked, shop=peer.shop, period=period, currencies=peer.currencies)


def _figures(connection: Connection, asked: Asked) -> Mapping[str, Value]:
    asked = replace(asked, by=None, keys=None, others=False)
    (row,) = overview.REPORT.rows(connection, asked)
    (buyers,) = repurchase.REPORT.rows(connection, asked)
    found = {**row.values, **buyers.values}
    return {figure.name: found[figure.name] for figure in FIGURES}


def _median(name: str, others: Sequence[Mapping[str, Value]], asked: Asked) -> Value:
    known = [found[name] for found in others if found[name].number is not None]
    currency = None
    what = "tell it"
    if name in _AMOUNTS:
        currency = asked.currency_at_end()
        if currency is None:
            return unknown(
                "the shop's currency is not known, so nobody's amounts are beside its own"
            )
        known = [value for value in known if value.currency == currency]
        what = f"tell it in {currency}"
    if len(known) < LEAST:
        # How many they are would tell, in a second run, whether one of them is known.
        return unknown(f"fewer than {LEAST} other shops of the category {what}")
    return Value(rounded(median(value.number or 0 for value in known)), currency=currency)


def rounded(number: Number) -> Number:
    """To two significant digits, half to even; of amounts minor units.

    >>> rounded(12_345), rounded(0.04567), rounded(7)
    (12000, 0.046, 7)
    """
    exact = Decimal(str(number))
    if not exact:
        return 0
    step = Decimal(1).scaleb(exact.adjusted() - _DIGITS + 1)
    short = (exact / step).to_integral_value() * step
    return int(short) if short == short.to_integral_value() else float(short)


_NOTES: Final = (
    (
        "The category's figures are medians over its other shops with a paid order in the period, at least "
        f"{LEAST} of them, rounded to two significant digits: nobody's own figure is shown."
    ),
    "Each shop's days are those of its own clock; amounts are of shops with the same currency only.",
)
REPORT = Report(
    "benchmark", "Beside the shops of the category", FIGURES, ("category",), _rows, by="category",
    notes=_NOTES, says=says, live=True, categories=True,
)  # fmt: skip
