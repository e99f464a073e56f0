"""Cart abandonment (弃购): carts that no payment followed within three days.

A cart is what a customer puts together on a day of the shop's, so that it hangs on neither the order of the
events nor on what became of single lines; it led to an order where its customer paid one on that day or on
the three after it. Sets of distinct customers per day tell both, on any number of partitions.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from streams.domain.aggregated import Distinct
from streams.domain.aggregates.carts import ADDERS
from streams.domain.aggregates.orders import PAYERS
from streams.domain.members import Members, number_of, union
from streams.domain.reading import Reading, Span, Wanted
from streams.domain.shop import start_of_day
from streams.reports.amounts import share, unknown
from streams.reports.live import days_of, reasoned
from streams.reports.model import Asked, Figure, Value
from streams.reports.sent import CARTS, ORDERS, Sent, sent_in

#: Days after the cart's own in which a payment is taken to be of it.
DAYS: Final = 3
_FROM: Final = "live: shop.carts, shop.orders"
FIGURES: Final = (
    Figure(
        "carts", "count",
        f"Carts: customers who added something, each day by itself, of days whose next {DAYS} are over.",
        _FROM, additive=True,
    ),
    Figure(
        "carts_paid", "count",
        f"Of these: whose customer paid an order on that day or the {DAYS} after it.",
        _FROM, additive=True,
    ),
    Figure("abandonment_rate", "share", "弃购率: 1 - carts_paid / carts.", "carts, carts_paid"),
)  # fmt: skip


class Day(NamedTuple):
    """How many carts there were, and how many of them led to an order; ``error``: of an estimate."""

    carts: int
    paid: int
    error: float | None


class Carts:
    """The carts of a period, read once."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._days = days_of(asked.period)
        if asked.live is None:
            self._reading = None
            return
        spans = [range(day, day + 1) for day in range(self._days.start, self._days.stop + DAYS)]
        wanted = Wanted(tuple(spans), frozenset({ADDERS, PAYERS}))
        self._reading = asked.live.read(asked.shop, wanted)

    def values(self, days: Iterable[int] | None = None) -> dict[str, Value]:
        """The figures of these days (since 1970); of the whole period without them."""
        if self._reading is None:
            return {figure.name: unknown(self._asked.live_why) for figure in FIGURES}
        known = self._days if days is None else range(min(days), max(days) + 1)
        found = self._found(self._reading, known)
        return reasoned(found, FIGURES, self._asked, self._reading.coverage, known)

    def _found(self, reading: Reading, days: range) -> dict[str, Value]:
        spans = [reading.spans[day - self._days.start] for day in days]
        carts = Sent(self._sent(reading.spans[: len(self._days)]), self._sent(spans))
        # An order of the days after the period is one of those that are looked for.
        orders = Sent(self._sent(reading.spans), frozenset())
        why = carts.lacks(CARTS) or orders.lacks_in_period(ORDERS)
        over = [day for day in days if self._is_over(day, reading.coverage.watermark)]
        if why is None and not over:
            why = f"the {DAYS} days after these carts are not over"
        if why is not None:
            return {figure.name: unknown(why) for figure in FIGURES}
        counted = [self._day(reading.spans, day - self._days.start) for day in over]
        error = max((day.error for day in counted if day.error is not None), default=None)
        made = Value(sum(day.carts for day in counted), error=error)
        paid = Value(sum(day.paid for day in counted), error=error)
        led = share(paid, made, "no cart")
        lost = led if led.number is None else Value(round(1 - led.number, 6), error=error)
        return {"carts": made, "carts_paid": paid, "abandonment_rate": lost}

    def _is_over(self, day: int, watermark: int | None) -> bool:
        if watermark is None:
            return False
        return start_of_day(day + DAYS + 1, self._asked.period.zone) <= watermark

    @staticmethod
    def _sent(spans: Iterable[Span]) -> frozenset[str]:
        return frozenset().union(*(sent_in(span.sums) for span in spans))

    @staticmethod
    def _day(spans: Sequence[Span], at: int) -> Day:
        adders = _members(spans[at].sets, ADDERS)
        payers = [
            part for span in spans[at : at + DAYS + 1] for part in _members(span.sets, PAYERS)
        ]
        numbers: list[Distinct] = [
            number_of(union(parts)) for parts in (adders, payers, [*adders, *payers])
        ]
        carts, paying, either = (one.number for one in numbers)
        errors = [one.error for one in numbers if not one.exact]
        # Estimates may leave less than nobody, or more than all.
        paid = min(carts, max(0, carts + paying - either))
        return Day(carts, paid, max(errors, default=None))


def _members(sets: Mapping[str, Members], name: str) -> list[Members]:
    found = sets.get(name)
    return [] if found is None else [found]
