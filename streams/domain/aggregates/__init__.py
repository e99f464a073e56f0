"""What is added to a shop's figures for each event that was folded.

One idea a file; names.py says what sums and sets are called. Every figure is
a sum over events or a set of customers, so it depends on neither the order of events nor on repeats. Only
attribution, age and gender do, which go by what was known at the event, and an erasure: what was counted
before it came stays counted, what comes after it and was earlier does not. And of a visitor who became a
customer the sets know both names, or one, as their events came before the hand-over or after it (0010).
"""

from typing import Final

from schemas.cart import CartEvent
from schemas.click import ClickEvent
from schemas.events import CustomerEvent
from schemas.order import OrderEvent
from schemas.review import ReviewEvent
from streams.domain.aggregates.attribution import count_attribution
from streams.domain.aggregates.carts import ADDERS, count_cart
from streams.domain.aggregates.clicks import VISITORS, VISITS, note_click, unfold_clicks
from streams.domain.aggregates.completeness import note_fields
from streams.domain.aggregates.coupons import count_coupon
from streams.domain.aggregates.demographics import count_person
from streams.domain.aggregates.orders import (
    PAYERS,
    PLACERS,
    count_order,
    count_verdict,
    recount_order,
)
from streams.domain.facts import Fact, OrderAdvanced, OrderJudged, OrderPaid, OrderRecounted
from streams.domain.increments import Increments
from streams.domain.shop import ShopSettings, day_and_hour
from streams.domain.state import CustomerState

__all__ = ["aggregate", "aggregate_corrections", "count_coupon", "unfold"]

#: Status of an order -> whose set they are in to whom it happens.
_STEPS: Final = {"placed": PLACERS, "paid": PAYERS}


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
        if state.profile is not None and event.data.action in VISITS:
            count_person(increments, state, VISITORS, event.data.shop_id, day)
        return
    if isinstance(event, CartEvent | OrderEvent | ReviewEvent):
        note_fields(increments, event, day)
    if isinstance(event, CartEvent):
        count_cart(increments, state.customer_id, event.data, day)
        if event.data.action == "add":
            count_person(increments, state, ADDERS, event.data.shop_id, day)
    elif isinstance(event, OrderEvent):
        for fact in facts:
            if isinstance(fact, OrderAdvanced | OrderPaid):
                count_order(increments, state.customer_id, event.data, fact, time, settings)
                step = _STEPS.get("paid" if isinstance(fact, OrderPaid) else fact.status)
                if step is not None:
                    count_person(increments, state, step, event.data.shop_id, day)
            if isinstance(fact, OrderPaid):
                count_attribution(increments, event.data.shop_id, fact, facts, time, settings)


def aggregate_corrections(
    increments: Increments, shop_id: str, facts: tuple[Fact, ...], settings: ShopSettings
) -> None:
    """Correct what was counted of orders that came to be held brushed, or no longer are, and of those that
    two who became one both told.

    Of events and of what other keys told alike: what a fold found out of orders that were counted before.
    """
    for fact in facts:
        if type(fact) is OrderJudged:
            count_verdict(increments, shop_id, fact, settings)
        elif type(fact) is OrderRecounted:
            recount_order(increments, shop_id, fact, settings)


def unfold(increments: Increments) -> None:
    """Make sums and sets of what was only gathered, once all events of a commit are in."""
    unfold_clicks(increments)
