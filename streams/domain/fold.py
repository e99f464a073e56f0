"""fold: one event into a customer's state.

Duplicates are found by event id (streams.domain.duplicates) and by natural key: line + time +
action of a cart event, order + status (+ refund id), order/sku + action of a review. Of two events
with one natural key and different contents the first to be folded counts. Service cases, wishes and
profiles have none: what is said of them again is folded by minima and maxima of the event time
(streams.domain.service, wishes and profile), so a repeat under another id changes nothing.
"""

from schemas.cart import CartEvent
from schemas.click import ClickEvent
from schemas.events import CustomerEvent
from schemas.order import OrderEvent
from schemas.profile import ProfileEvent
from schemas.review import ReviewEvent
from schemas.service import ServiceEvent
from schemas.wish import WishEvent
from streams.domain.abandoned import place, place_earlier
from streams.domain.browsing import fold_click
from streams.domain.cart import (
    ACTION_NUMBERS,
    CLEAR,
    ORDER,
    Cart,
    CartFact,
    line_attributes,
    sku_hash,
)
from streams.domain.duplicates import ENTRY_BYTES, FULL, entry_of, find, hash_of, make_room
from streams.domain.erasure import erase
from streams.domain.facts import CartChanged, Fact
from streams.domain.handover import hand_over, resend
from streams.domain.integrity.liking import tell_seen, watch_wish
from streams.domain.integrity.watching import watch
from streams.domain.interests import (
    Interests,
    fold_cart_interest,
    fold_interest,
    fold_order_interest,
)
from streams.domain.order import GOODS, OpenOrder
from streams.domain.orders import Orders, fold_order
from streams.domain.profile import Profile, fold_profile
from streams.domain.reviews import Reviews, fold_review
from streams.domain.service import Service, fold_service
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.domain.time_driven import paid_of, replan

__all__ = ["CustomerEvent", "fold"]

_NOTHING: tuple[Fact, ...] = ()


def fold(
    state: CustomerState, event: CustomerEvent, time: int, settings: ShopSettings
) -> tuple[Fact, ...] | None:
    """Fold ``event`` of ``time`` (ms since 1970) into ``state``, in place.

    Returns what happened, for the campaigns (for most clicks nothing), or None for a duplicate: the
    state is then untouched. An event until the customer was erased changes nothing, and is no
    duplicate; one of a visitor who was handed over is sent on (streams.domain.handover). Raises
    TypeError for an event that is none of the customer topics'.
    """
    digest = hash_of(event.source, event.id)
    seen = state.seen
    at = seen.find(digest)
    if at >= 0 and (at % ENTRY_BYTES == 0 or find(seen, digest, ENTRY_BYTES) >= 0):
        return None
    erased_at = state.erased_at
    if erased_at is not None and time <= erased_at:
        return _NOTHING
    identity = state.identity
    if identity is not None and identity.moved_to:
        return resend(state, identity, event, time, digest)
    facts: tuple[Fact, ...] | None = _NOTHING
    judged = settings.brushing is not None
    # Any event may move a verdict where orders are judged; else orders alone change what was paid.
    paid = paid_of(state) if judged else None
    if isinstance(event, ClickEvent):
        # Most events are clicks, so what is asked for each of them is asked here without a call.
        click, interests = event.data, state.interests
        if interests is None:
            interests = state.interests = Interests()
        fold_click(state.browsing, click, time)
        facts = fold_interest(interests, click, time, state.customer_id)
    elif isinstance(event, CartEvent):
        facts = _fold_cart(state, event, time)
    elif isinstance(event, OrderEvent):
        paid = paid or paid_of(state)
        facts = _fold_order(state, event, time, settings)
    elif isinstance(event, ReviewEvent):
        facts = _fold_review(state, event)
    elif isinstance(event, ServiceEvent):
        facts = _fold_service(state, event, time, digest)
    elif isinstance(event, WishEvent):
        facts = watch_wish(state, event.data, time, settings)
    elif isinstance(event, ProfileEvent):
        action = event.data.action
        if action == "erase":
            return erase(state, time, digest)
        if action == "alias":
            return hand_over(state, event.data.alias_of or "", time, digest)
        facts = _fold_profile(state, event, time, digest)
    else:
        raise TypeError(f"{type(event).__name__} is no event of a customer topic")
    if facts is None:
        return None
    if judged:
        facts = (*facts, *watch(state, event, time, settings))
    if paid is not None:
        facts = (*facts, *replan(state, paid, time, settings))
    first, last = state.first_seen, state.last_seen
    if first is None or last is None:
        state.first_seen = state.last_seen = last = time
        facts = (*facts, *tell_seen(state, first))
    elif time > last:
        state.last_seen = last = time
    elif time < first:
        state.first_seen = time
        facts = (*facts, *tell_seen(state, first))
    if len(seen) >= FULL:
        seen, early = make_room(seen, last)
        state.evicted_early += early
    # The entry is made first, so that the long binary is copied once.
    state.seen = seen + entry_of(digest, time)
    return facts


def _fold_cart(state: CustomerState, event: CartEvent, time: int) -> tuple[Fact, ...] | None:
    data = event.data
    action = data.action
    if action == "clear":
        fact = CartFact(time, 0, event.id, CLEAR, "", (), 0, b"", 0)
    else:
        number, attributes = ACTION_NUMBERS[action], line_attributes(data.attributes)
        sku = data.sku or ""
        fact = CartFact(time, 0, event.id, number, sku, attributes, data.quantity, b"", 0)
    cart = state.cart
    if cart is None:
        # A customer's first cart event is no repeat, so this is kept.
        cart = state.cart = Cart()
    if not place(cart, fact):
        return None
    counter = _CART_COUNTERS[action]
    setattr(cart, counter, getattr(cart, counter) + 1)
    fold_cart_interest(_interests(state), data, time)
    return (CartChanged(action, fact.sku),)


_CART_COUNTERS = {"add": "adds", "remove": "removes", "set": "sets", "clear": "clears"}


def _fold_order(
    state: CustomerState, event: OrderEvent, time: int, settings: ShopSettings
) -> tuple[Fact, ...] | None:
    if state.orders is None:
        # A customer's first order is no repeat, so this is kept.
        state.orders = Orders(forgotten=0)
    data = event.data
    folded = fold_order(state.orders, data, time, settings)
    if folded is None:
        return None
    fact, order = folded
    if data.lines and (data.status == "placed" or data.status == "paid"):
        _take_from_cart(state, order, event, time)
    attributed = fold_order_interest(_interests(state), data, time)
    return (fact,) if attributed is None else (fact, attributed)


def _interests(state: CustomerState) -> Interests:
    if state.interests is None:
        state.interests = Interests()
    return state.interests


def _take_from_cart(state: CustomerState, order: OpenOrder, event: OrderEvent, time: int) -> None:
    """Tell the cart of an order's goods, once, at the earliest time they are known (0002)."""
    known = order.seen & GOODS
    if known and (order.goods_at is None or time > order.goods_at):
        return
    if state.cart is None:
        state.cart = Cart()
    skus = sorted({sku_hash(line.sku) for line in event.data.lines})
    goods = b"".join(skus)
    fact = CartFact(time, 1, event.id, ORDER, order.order_id, (), 0, goods, 0)
    if known:
        place_earlier(state.cart, fact)
    else:
        place(state.cart, fact)
    order.seen |= GOODS
    order.goods_at = time


def _fold_review(state: CustomerState, event: ReviewEvent) -> tuple[Fact, ...] | None:
    if state.reviews is None:
        # A customer's first review is no repeat, so this is kept.
        state.reviews = Reviews()
    fact = fold_review(state.reviews, event.data)
    return None if fact is None else (fact,)


def _fold_service(
    state: CustomerState, event: ServiceEvent, time: int, digest: bytes
) -> tuple[Fact, ...]:
    if state.service is None:
        # A customer's first service event is no repeat, so this is kept; and so below.
        state.service = Service()
    return fold_service(state.service, event.data, time, digest)


def _fold_profile(
    state: CustomerState, event: ProfileEvent, time: int, digest: bytes
) -> tuple[Fact, ...]:
    if state.profile is None:
        state.profile = Profile()
    return fold_profile(state.profile, event.data, time, digest)
