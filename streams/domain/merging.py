"""One customer out of two states: that of a customer, and that of a visitor who turned out to be them.

``merge(fold(visitor's events), fold(customer's events))`` has the figures of ``fold`` of all events as the
customer's, as far as neither state has reached a bound; docs/state.md has the figures of which that does
not hold. Sums add up, minima and maxima are taken of both, and what both know of one thing (an order, a
case, a wish, a review) counts once.
"""

from streams.domain.browsing import merge_browsing
from streams.domain.duplicates import ENTRY_BYTES, FULL, HASH_BYTES, find, make_room
from streams.domain.facts import Fact
from streams.domain.identity import Identity, with_alias
from streams.domain.integrity.merging import merge_integrity
from streams.domain.integrity.verdicts import withdraw_verdicts
from streams.domain.interests import Interests
from streams.domain.merging_cart import merge_cart
from streams.domain.merging_interests import merge_interests
from streams.domain.merging_orders import merge_orders
from streams.domain.merging_wishes import merge_wishes
from streams.domain.orders import Orders, brushed_orders
from streams.domain.profile import Profile, merge_profile
from streams.domain.reviews import Reviews, merge_reviews
from streams.domain.service import Service, merge_service
from streams.domain.shop import ShopSettings
from streams.domain.state import COUPONS, CustomerState
from streams.domain.wishes import Wishes

#: Fields of a state that stay as they are, each for a reason: the names are the customer's own, an erasure
#: of a visitor reaches what the visitor had only, ids evicted early are counted where they were, what is
#: of products and likers is in no customer's state, and what time will change is planned anew by who merges
#: (streams.domain.exchange). When a state goes is its own.
KEPT = frozenset(
    {
        "version", "shop_id", "customer_id", "kind", "erased_at", "evicted_early", "product_integrity",
        "liker_integrity", "agenda", "arrived", "expires",
    }
)  # fmt: skip


def merge(state: CustomerState, visitor: CustomerState, settings: ShopSettings) -> tuple[Fact, ...]:
    """Bring what ``visitor`` has into ``state``, in place; ``visitor`` is spoilt. Returns what changes in
    the figures of the shop's days, which have counted both.
    """
    facts: tuple[Fact, ...] = ()
    brushed = (brushed_orders(state.orders or Orders()), brushed_orders(visitor.orders or Orders()))
    # Verdicts are of one's own orders, so those of both are taken back and given anew.
    for each in (state, visitor):
        withdraw_verdicts(each.integrity, each.orders)
    if visitor.first_seen is not None:
        first, last = state.first_seen, state.last_seen
        newest = visitor.first_seen if visitor.last_seen is None else visitor.last_seen
        state.first_seen = visitor.first_seen if first is None else min(first, visitor.first_seen)
        state.last_seen = newest if last is None else max(last, newest)
    merge_seen(state, visitor.seen)
    merge_browsing(state.browsing, visitor.browsing)
    if visitor.cart is not None:
        state.cart = visitor.cart if state.cart is None else merge_cart(state.cart, visitor.cart)
    if visitor.orders is not None:
        state.orders = state.orders or Orders(forgotten=0)
        facts = merge_orders(state.orders, visitor.orders, settings, brushed)
    if visitor.reviews is not None:
        state.reviews = state.reviews or Reviews()
        merge_reviews(state.reviews, visitor.reviews)
    if visitor.service is not None:
        state.service = state.service or Service()
        merge_service(state.service, visitor.service)
    if visitor.wishes is not None:
        state.wishes = state.wishes or Wishes()
        merge_wishes(state.wishes, visitor.wishes, state.customer_id)
    if visitor.profile is not None:
        state.profile = state.profile or Profile()
        merge_profile(state.profile, visitor.profile)
    if visitor.interests is not None:
        state.interests = state.interests or Interests()
        merge_interests(state.interests, visitor.interests, state.customer_id)
    merge_integrity(state, visitor.integrity, settings)
    _merge_coupons(state, visitor)
    state.gave_likes = state.gave_likes or visitor.gave_likes
    if visitor.identity is not None:
        identity = state.identity = state.identity or Identity()
        for alias in visitor.identity.aliases:
            identity.aliases = with_alias(identity.aliases, alias)
        identity.refused += visitor.identity.refused
    return facts


def merge_seen(state: CustomerState, entries: bytes) -> None:
    """Remember the ids of ``entries`` (streams.domain.duplicates) too, each once."""
    for start in range(0, len(entries), ENTRY_BYTES):
        entry = entries[start : start + ENTRY_BYTES]
        if find(state.seen, entry[:HASH_BYTES], ENTRY_BYTES) >= 0:
            continue
        if len(state.seen) >= FULL:
            state.seen, early = make_room(state.seen, state.last_seen or 0)
            state.evicted_early += early
        state.seen += entry


def _merge_coupons(state: CustomerState, visitor: CustomerState) -> None:
    both = {coupon.trigger_id: coupon for coupon in (*visitor.coupons, *state.coupons)}
    if visitor.coupons:
        by_issue = sorted(both.values(), key=lambda each: (each.issued_at, each.trigger_id))
        state.coupons = by_issue[-COUPONS:]
