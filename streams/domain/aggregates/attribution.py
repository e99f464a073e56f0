"""Which traffic sources a shop's payments are owed to: streams.domain.attribution, added up by source.

A payment is attributed when it is folded, by the clicks folded before it. What becomes of its order later, a
cancellation, a refund, a verdict, does not change by whom the customer came, and nothing here.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from streams.domain.aggregates.names import part
from streams.domain.attribution import WHOLE
from streams.domain.facts import Fact, OrderAttributed, OrderPaid
from streams.domain.increments import Increments, add_to
from streams.domain.shop import ShopSettings, day_of

#: Paid orders with a touch before them, by source those of the last touch; and those with none.
TOUCHED: Final = "touched_orders"
UNTOUCHED: Final = "untouched_orders"
#: By position: parts of 10,000 of an order, by source.
POSITION: Final = "position_parts"
#: Minor units, as the payment told them; and orders, or parts of them, that told none.
LAST_AMOUNT: Final = "last_touch_amount"
LAST_UNKNOWN: Final = "last_touch_unknown"
POSITION_AMOUNT: Final = "position_amount"
POSITION_UNKNOWN: Final = "position_unknown"


def count_attribution(
    increments: Increments,
    shop_id: str,
    paid: OrderPaid,
    facts: Iterable[Fact],
    time: int,
    settings: ShopSettings,
) -> None:
    """Add the payment ``paid`` of ``time`` (ms); ``facts`` are all those of its event."""
    fields = increments.fields(shop_id, day_of(time, settings.time_zone))
    found = next((fact for fact in facts if isinstance(fact, OrderAttributed)), None)
    if found is None:
        add_to(fields, UNTOUCHED, 1)
        return
    _add(fields, TOUCHED, [(found.last, 1)])
    _add(fields, POSITION, found.shares)
    if paid.amount is None:
        _add(fields, LAST_UNKNOWN, [(found.last, 1)])
        _add(fields, POSITION_UNKNOWN, found.shares)
        return
    _add(fields, LAST_AMOUNT, [(found.last, paid.amount)])
    _add(fields, POSITION_AMOUNT, _portions(found.shares, paid.amount))


def _portions(shares: Iterable[tuple[str, int]], amount: int) -> Iterator[tuple[str, int]]:
    """``amount`` in these parts of WHOLE: minor units that add up to it exactly.

    >>> list(_portions([("live", 4_000), ("search", 6_000)], 7))
    [('live', 2), ('search', 5)]
    """
    parts = given = 0
    for source, share in shares:
        parts += share
        upto = amount * parts // WHOLE
        yield source, upto - given
        given = upto


def _add(fields: dict[str, int], figure: str, amounts: Iterable[tuple[str, int]]) -> None:
    for source, amount in amounts:
        if amount:
            add_to(fields, figure, amount)
            add_to(fields, part(figure, "source", source), amount)
