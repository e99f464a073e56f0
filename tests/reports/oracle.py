"""What the reports must say: plain Python over the rows that tests/query/expected.py makes of the events.

No code of streams is used. A figure is a number, or ``Unknown`` with the least that it may be; of several
currencies it is a dict.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from tests.query.expected import Published, expected
from tests.reports.histories import SHOP

Row = dict[str, Any]
Figures = dict[str, Any]


@dataclass(frozen=True)
class Unknown:
    least: int | None = None


@dataclass
class Question:
    """``turn_ms``: the shop's currency is CNY before and USD from then on; None: CNY."""

    published: list[Published]
    first: date
    last: date
    zone: str
    turn_ms: int | None = None

    def __post_init__(self) -> None:
        tables = expected(self.published)
        self.orders, self.lines, self.refunds, self.reviews = (
            [row for row in tables[name] if row["shop_id"] == SHOP]
            for name in ("orders", "order_lines", "refunds", "reviews")
        )

    def clock(self, time_ms: int) -> datetime:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
        return moment.astimezone(ZoneInfo(self.zone))

    def day(self, time_ms: int) -> date:
        return self.clock(time_ms).date()

    def holds(self, time_ms: int | None) -> bool:
        return time_ms is not None and self.first <= self.day(time_ms) <= self.last

    def paid(self) -> list[Row]:
        return [order for order in self.orders if self.holds(order["paid_ms"])]

    def money(self, of: Iterable[tuple[int, int | None]]) -> Any:
        """(when, amount) -> a sum, sums by currency, or Unknown."""
        sums: Counter[str] = Counter()
        lacking = False
        for time_ms, amount in of:
            usd = self.turn_ms is not None and time_ms >= self.turn_ms
            lacking |= amount is None
            sums["USD" if usd else "CNY"] += amount or 0
        used = {code: total for code, total in sums.items() if total}
        if len(used) > 1:
            return used
        total = sum(used.values())
        return Unknown(total) if lacking else total


def average(total: Any, of: int) -> Any:
    """Half up."""
    if not isinstance(total, int) or not of:
        return Unknown()
    return floor(Fraction(total, of) + Fraction(1, 2))


def share(part: Any, whole: Any) -> Any:
    if not isinstance(part, int) or not isinstance(whole, int) or not whole:
        return Unknown()
    return round(part / whole, 6)


def key(order: Row) -> tuple[str, str]:
    return order["customer_id"], order["order_id"]


def bucket(question: Question, dimension: str, time_ms: int) -> str:
    """The name of the day, week or month; the first ones begin with the period."""
    day = question.day(time_ms)
    if dimension == "month":
        return f"{day:%Y-%m}"
    if dimension == "week":
        day = max(day - timedelta(days=day.weekday()), question.first)
    return str(day)


def names(question: Question, dimension: str) -> list[str]:
    every = (
        question.first + timedelta(days=n) for n in range((question.last - question.first).days + 1)
    )
    noon = (int(datetime(d.year, d.month, d.day, 12, tzinfo=ZoneInfo(question.zone)).timestamp()) * 1000
            for d in every)  # fmt: skip
    return list(dict.fromkeys(bucket(question, dimension, at) for at in noon))


def paid_figures(question: Question, orders: list[Row]) -> Figures:
    gross = question.money((o["paid_ms"], o["amount"]) for o in orders)
    buyers = {o["customer_id"] for o in orders}
    return {
        "paid_orders": len(orders),
        "buyers": len(buyers),
        "paid_amount": gross,
        "net_amount": question.money((o["paid_ms"], o["net_amount"]) for o in orders),
        "per_buyer": average(gross, len(buyers)),
        "order_value": average(gross, len(orders)),
    }


def overview(question: Question, fits: Callable[[int], bool] = lambda _: True) -> Figures:
    was_placed = [
        o for o in question.orders if question.holds(o["placed_ms"]) and fits(o["placed_ms"])
    ]
    waiting = [o for o in was_placed if o["paid_ms"] is None and o["cancelled_ms"] is None]
    return {
        **paid_figures(question, [o for o in question.paid() if fits(o["paid_ms"])]),
        "placed_orders": len(was_placed), "unpaid_orders": len(waiting),
        "visitors": Unknown(), "views": Unknown(), "conversion": Unknown(),
    }  # fmt: skip


def product_figures(question: Question, lines: list[tuple[Row, Row]]) -> Figures:
    return {
        "pieces": sum(line["quantity"] for _, line in lines),
        "goods_amount": question.money(
            (
                o["paid_ms"],
                None if line["unit_price"] is None else line["unit_price"] * line["quantity"],
            )
            for o, line in lines
        ),
        "paid_orders": len({key(o) for o, _ in lines}),
        "buyers": len({o["customer_id"] for o, _ in lines}),
    }


def bought_lines(question: Question) -> list[tuple[Row, Row]]:
    return [(o, line) for o in question.paid() for line in question.lines if key(o) == key(line)]
