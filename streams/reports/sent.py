"""Which topics a shop sends: what it sends nothing of at all is not known to be 0.

A shop that sends no carts may have carts all the same; one that sent some, and no add among them, had none
added. Of every event that was folded there is a sum: that of its kind, or how many there were of its topic
(streams.domain.aggregates.completeness).
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from streams.domain.aggregates.carts import SUMS as CART_SUMS
from streams.domain.aggregates.clicks import SUMS as CLICK_SUMS
from streams.domain.aggregates.completeness import TOLD

CLICKS: Final = "shop.clicks"
CARTS: Final = "shop.carts"
ORDERS: Final = "shop.orders"
_WORDS: Final = {CLICKS: "clicks", CARTS: "cart events", ORDERS: "orders"}
#: Sums for which a day always has room, unlike those by source of the events.
_PLAIN: Final = {
    CLICKS: tuple(CLICK_SUMS.values()),
    CARTS: tuple(CART_SUMS.values()),
    ORDERS: ("placed_orders", "paid_orders", "brushed_orders"),
}


class Sent(NamedTuple):
    """Topics of which there was anything in the whole period, and in the row's own days."""

    in_period: frozenset[str]
    in_row: frozenset[str]

    def lacks(self, topic: str) -> str | None:
        """Why nothing is known of ``topic``; None: it was sent."""
        if topic in self.in_row:
            return None
        return self.lacks_in_period(topic) or f"the shop sent no {_WORDS[topic]} in these days"

    def lacks_in_period(self, topic: str) -> str | None:
        """The same, where the row's own days do not matter."""
        if topic in self.in_period:
            return None
        return f"the shop sent no {_WORDS[topic]} in the period"


def sent_in(sums: Mapping[str, int]) -> frozenset[str]:
    """The topics of which ``sums`` have anything."""
    plain = {topic for topic, names in _PLAIN.items() if any(sums.get(name) for name in names)}
    beginnings = {f"{TOLD}|{topic}.|": topic for topic in _WORDS if topic not in plain}
    told = {topic for name in sums for start, topic in beginnings.items() if name.startswith(start)}
    return frozenset(plain | told)
