"""What a record says, as a row of a history: facts with a natural key, each kept once.

Of two records with one natural key the one with the earlier event time is kept, then that of the lesser
source, id, content and offset. So what is kept is a function of the set of records, not of the order in
which they came.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

#: Shop, customer, order.
OrderKey: TypeAlias = tuple[str, str, str]
#: Shop, customer.
Customer: TypeAlias = tuple[str, str]
#: Topic, partition, offset.
Place: TypeAlias = tuple[str, int, int]

#: PostgreSQL's text cannot hold it.
_NUL: Final = "\0"
REPLACEMENT: Final = "�"


class Fact(NamedTuple):
    """One record of an order or of a review.

    ``name`` tells it from the order's other facts: (status, refund id or "") or (sku, action). ``data`` is
    the event's data, JSON; ``time_ms`` its time in ms since 1970.
    """

    order: OrderKey
    name: tuple[str, str]
    time_ms: int
    source: str
    event_id: str
    data: str
    place: Place

    @property
    def key(self) -> tuple[OrderKey, tuple[str, str]]:
        """The natural key."""
        return self.order, self.name

    @property
    def rank(self) -> tuple[object, ...]:
        """The least of a natural key is kept."""
        return self.time_ms, self.source, self.event_id, self.data, self.place


class CustomerFact(NamedTuple):
    """A record about a customer. ``data`` is the event's data, JSON; ``time_ms``: ms since 1970."""

    customer: Customer
    time_ms: int
    source: str
    event_id: str
    data: str
    place: Place


def kept(facts: Iterable[Fact]) -> dict[tuple[OrderKey, tuple[str, str]], Fact]:
    """Natural key -> the fact that is kept of it."""
    found: dict[tuple[OrderKey, tuple[str, str]], Fact] = {}
    for fact in facts:
        other = found.get(fact.key)
        if other is None or fact.rank < other.rank:
            found[fact.key] = fact
    return found


def storable(text: str) -> str:
    """``text`` as both stores can hold it: NUL, which PostgreSQL cannot, becomes U+FFFD."""
    return text.replace(_NUL, REPLACEMENT)


def storable_or_none(text: str | None) -> str | None:
    """As ``storable``; None stays None."""
    return None if text is None else storable(text)
