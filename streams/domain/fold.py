"""fold: one event into a customer's state.

Duplicates are found by event id (streams.domain.duplicates) and by natural key: line + time +
action of a cart event, order + status (+ refund id), order/sku + action of a review. Of two events
with one natural key and different contents the first to be folded counts.
"""

from schemas.cart import CartEvent
from schemas.click import ClickEvent
from schemas.order import OrderEvent
from schemas.review import ReviewEvent
from streams.domain.abandoned import move, place
from streams.domain.browsing import fold_click
from streams.domain.cart import (
    ACTION_NUMBERS,
    ORDER,
    Cart,
    CartFact,
    find_order,
    is_repeat,
    line_attributes,
    sku_hash,
)
from streams.domain.duplicates import contains, event_hash, remember
from streams.domain.facts import CartChanged, Fact
from streams.domain.orders import GOODS, Orders, fold_order
from streams.domain.reviews import Reviews, fold_review
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState

CustomerEvent = ClickEvent | CartEvent | OrderEvent | ReviewEvent
_NOTHING: tuple[Fact, ...] = ()


def fold(
    state: CustomerState, event: CustomerEvent, time: int, settings: ShopSettings
) -> tuple[Fact, ...] | None:
    """Fold ``event`` of ``time`` (ms since 1970) into ``state``, in place.

    Returns what happened, for the campaigns (nothing for a click), or None for a duplicate: the
    state is then untouched. Raises TypeError for an event that is none of the customer topics'.
    """
    digest = event_hash(event.source, event.id)
    seen = state.seen
    if contains(seen, digest):
        return None
    facts: tuple[Fact, ...] | None = _NOTHING
    if isinstance(event, ClickEvent):
        fold_click(state.browsing, event.data, time)
    elif isinstance(event, CartEvent):
        facts = _fold_cart(state, event, time)
    elif isinstance(event, OrderEvent):
        facts = _fold_order(state, event, time, settings)
    elif isinstance(event, ReviewEvent):
        facts = _fold_review(state, event)
    else:
        raise TypeError(f"{type(event).__name__} is no event of a customer topic")
    if facts is None:
        return None
    first, last = state.first_seen, state.last_seen
    if first is None or time < first:
        state.first_seen = time
    if last is None or time > last:
        state.last_seen = last = time
    state.seen, early = remember(seen, digest, time, last)
    if early:
        state.evicted_early += early
    return facts


def _fold_cart(state: CustomerState, event: CartEvent, time: int) -> tuple[Fact, ...] | None:
    cart = state.cart
    data = event.data
    action = data.action
    clear = action == "clear"
    sku = "" if clear or data.sku is None else data.sku
    attributes = () if clear else line_attributes(data.attributes)
    number = ACTION_NUMBERS[action]
    if cart is None:
        cart = state.cart = Cart()
    elif is_repeat(cart, time, number, sku, attributes):
        return None
    counter = _CART_COUNTERS[action]
    setattr(cart, counter, getattr(cart, counter) + 1)
    quantity = 0 if clear else data.quantity
    place(cart, CartFact(time, 0, event.id, number, sku, attributes, quantity, b"", 0))
    return (CartChanged(action, sku),)


_CART_COUNTERS = {"add": "adds", "remove": "removes", "set": "sets", "clear": "clears"}


def _fold_order(
    state: CustomerState, event: OrderEvent, time: int, settings: ShopSettings
) -> tuple[Fact, ...] | None:
    if state.orders is None:
        # A new customer's first order is no repeat, so this is kept.
        state.orders = Orders()
    data = event.data
    folded = fold_order(state.orders, data, time, settings)
    if folded is None:
        return None
    fact, order = folded
    if data.lines and data.status in ("placed", "paid"):
        _take_from_cart(state, event, time, known=order.seen & GOODS > 0)
        order.seen |= GOODS
    return (fact,)


def _take_from_cart(state: CustomerState, event: OrderEvent, time: int, known: bool) -> None:
    """Tell the cart of an order's goods, once, at the earliest time they are known (0002)."""
    cart = state.cart
    if cart is None:
        cart = state.cart = Cart()
    data = event.data
    old = find_order(cart, data.order_id) if known else None
    if known and (old is None or (old.time, old.event_id) <= (time, event.id)):
        return
    skus = sorted({sku_hash(line.sku) for line in data.lines})
    goods = b"".join(skus)
    new = CartFact(time, 1, event.id, ORDER, data.order_id, (), 0, goods, 0)
    if old is None:
        place(cart, new)
    else:
        move(cart, old, new)


def _fold_review(state: CustomerState, event: ReviewEvent) -> tuple[Fact, ...] | None:
    if state.reviews is None:
        # A customer's first review is no repeat, so this is kept.
        state.reviews = Reviews()
    fact = fold_review(state.reviews, event.data)
    return None if fact is None else (fact,)
