"""What is added to a shop's figures for each event that was folded.

One idea a file; names.py says what sums and sets are called. Every figure is
a sum over events or a set of customers, so it depends on neither the order of events nor on repeats. Only
an erasure does: what was counted before it came stays counted, what comes after it and was earlier does not.
"""

from schemas.cart import CartEvent
from schemas.click import ClickEvent
from schemas.events import CustomerEvent
from schemas.order import OrderEvent
from schemas.review import ReviewEvent
from streams.domain.aggregates.carts import count_cart
from streams.domain.aggregates.clicks import note_click, unfold_clicks
from streams.domain.aggregates.completeness import note_fields
from streams.domain.aggregates.orders import count_order
from streams.domain.facts import Fact, OrderAdvanced, OrderPaid
from streams.domain.increments import Increments
from streams.domain.shop import ShopSettings, day_and_hour
from streams.domain.state import CustomerState

__all__ = ["aggregate", "unfold"]


def aggregate(
    increments: Increments,
    state: CustomerState,
    event: CustomerEvent,
    time: int,
    facts: tuple[Fact, ...],
    settings: ShopSettings,
) -> None:
    """Add what ``event`` of ``time`` (ms) changes; it was folded into ``state`` and is no duplicate.

    ``unfold`` is due once all events of a commit are in.
    """
    identity = state.identity
    if identity is not None and identity.moved_to:
        return  # sent on, and counted where it arrives
    erased_at = state.erased_at
    if erased_at is not None and time <= erased_at:
        return
    day, hour = day_and_hour(time, settings.time_zone)
    if isinstance(event, ClickEvent):
        note_click(increments, state.customer_id, event.data, event.source, day, hour)
        return
    if isinstance(event, CartEvent | OrderEvent | ReviewEvent):
        note_fields(increments, event, day)
    if isinstance(event, CartEvent):
        count_cart(increments, state.customer_id, event.data, day)
    elif isinstance(event, OrderEvent):
        for fact in facts:
            if isinstance(fact, OrderAdvanced | OrderPaid):
                count_order(increments, state.customer_id, event.data, fact, time, settings)


def unfold(increments: Increments) -> None:
    """Make sums and sets of what was only gathered, once all events of a commit are in."""
    unfold_clicks(increments)
