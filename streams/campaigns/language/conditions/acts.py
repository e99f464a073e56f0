"""What customers do, as far as a state keeps when they did it.

A state is bounded: of some acts it keeps the newest few times, of others the last one only, of most none. So
each act says which of its times are there (``Moments``), and an act of which no time is kept is refused where
a campaign is defined, with the reason, rather than never counted.
"""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, get_args

from schemas.click import ClickAction, TrafficSource
from streams.campaigns.language.figures.scene import Scene
from streams.campaigns.language.quantities.duration import DAY
from streams.domain.browsing import sessions_of
from streams.domain.cart import ADD, LOG_AGE, REMOVE, CartFact, read_log
from streams.domain.offered import COUPON, kind_of
from streams.domain.order import BRUSHED, PAID, PLACED, OpenOrder
from streams.domain.orders import past_orders
from streams.domain.service import COMPLAINT, OPENED
from streams.domain.state import COUPONS
from streams.domain.summary import FAVORITES, PRODUCTS, SHARED, interest_name, last_time
from streams.domain.touches import SOURCES, TOUCHES
from streams.domain.wishes import MADE

#: Before and after all times, ms.
EVER, NEVER = -(1 << 62), 1 << 62
#: How far back anything can be asked for.
LONGEST_WINDOW: Final = 365 * DAY


class Moments(NamedTuple):
    """Times (ms, sorted) of an act; all that were at ``complete_since`` or later are there."""

    times: tuple[int, ...]
    complete_since: int


class Act(NamedTuple):
    """``of`` says what it can name: nothing, or a product by its sku, a source, a campaign.

    ``needs_of``: it must name one (or the sequence must be of the same product). ``last_only``: no more than
    the last time is kept of one product, so it cannot be counted. ``most``: how far back times are kept, ms.
    ``products``: of which products there are times, and since when these are all (as of ``Moments``).
    """

    name: str
    meaning: str
    read: Callable[[Scene, str | None], Moments]
    of: Literal["", "sku", "source", "campaign"] = ""
    needs_of: bool = False
    last_only: bool = False
    most: int = LONGEST_WINDOW
    options: tuple[str, ...] = ()
    products: Callable[[Scene], tuple[frozenset[str], int]] | None = None


def _moments(scene: Scene, times: list[int], complete_since: int) -> Moments:
    """Of an erased customer nothing before the erasure is known."""
    erased = scene.state.erased_at
    since = complete_since if erased is None else max(complete_since, erased + 1)
    return Moments(tuple(sorted(times)), since)


def _since_kept(times: list[int], most: int) -> int:
    """Of a list of the newest ``most``: which of those that left it are later than all in it? None."""
    return min(times) + 1 if len(times) >= most else EVER


def _products_since(scene: Scene) -> int:
    return _since_kept([last_time(one) for one in scene.interests.products.values()], PRODUCTS)


def _of_product(field: Literal["viewed_at", "bought_at"]) -> Callable[[Scene, str | None], Moments]:
    def read(scene: Scene, sku: str | None) -> Moments:
        product = scene.interests.products.get(interest_name(sku or ""))
        at = None if product is None else getattr(product, field)
        if at is None:
            return _moments(scene, [], _products_since(scene))
        return _moments(scene, [at], at)

    return read


def _products(
    field: Literal["viewed_at", "bought_at"],
) -> Callable[[Scene], tuple[frozenset[str], int]]:
    def read(scene: Scene) -> tuple[frozenset[str], int]:
        kept = scene.interests.products.items()
        with_time = frozenset(sku for sku, one in kept if getattr(one, field) is not None)
        return with_time, _moments(scene, [], _products_since(scene)).complete_since

    return read


def _favorites_since(scene: Scene) -> int:
    return _since_kept([said // 2 for said in scene.interests.favorites.values()], FAVORITES)


def _favored(scene: Scene, sku: str | None) -> Moments:
    said = scene.interests.favorites.get(interest_name(sku or ""))
    if said is None:
        return _moments(scene, [], _favorites_since(scene))
    # One that was taken back was not favoured, however often it had been before.
    return _moments(scene, [], EVER) if said % 2 else _moments(scene, [said // 2], said // 2)


def _favored_products(scene: Scene) -> tuple[frozenset[str], int]:
    kept = scene.interests.favorites.items()
    found = frozenset(sku for sku, said in kept if said % 2 == 0)
    return found, _moments(scene, [], _favorites_since(scene)).complete_since


def _shared(scene: Scene, sku: str | None) -> Moments:
    shared = scene.interests.shared
    at = shared.get(interest_name(sku or ""))
    if at is None:
        return _moments(scene, [], _since_kept(list(shared.values()), SHARED))
    return _moments(scene, [at], at)


def _cart_facts(scene: Scene, action: int) -> tuple[list[CartFact], int]:
    cart = scene.state.cart
    if cart is None:
        return [], EVER
    facts = [fact for fact in read_log(cart) if fact.action == action]
    return facts, EVER if cart.compacted is None else cart.compacted[0] + 1


def _in_cart(action: int) -> Callable[[Scene, str | None], Moments]:
    def read(scene: Scene, sku: str | None) -> Moments:
        facts, since = _cart_facts(scene, action)
        wanted = None if sku is None else interest_name(sku)
        times = [fact.time for fact in facts if wanted is None or interest_name(fact.sku) == wanted]
        return _moments(scene, times, since)

    return read


def _cart_products(scene: Scene) -> tuple[frozenset[str], int]:
    facts, since = _cart_facts(scene, ADD)
    return frozenset(fact.sku for fact in facts), _moments(scene, [], since).complete_since


def _orders(status: int) -> Callable[[Scene, str | None], Moments]:
    """Complete or not at all: those that were forgotten left in no order of their times."""

    def time_of(order: OpenOrder) -> int | None:
        return order.placed_at if status == PLACED else order.paid_at

    def read(scene: Scene, _: str | None) -> Moments:
        orders = scene.orders
        known = [
            order
            for order in (*orders.open, *past_orders(orders))
            if order.seen & status and not order.seen & BRUSHED
        ]
        times = [time for time in map(time_of, known) if time is not None]
        total = orders.totals.placed if status == PLACED else orders.totals.paid
        return _moments(scene, times, EVER if len(times) == total else NEVER)

    return read


def _visits(scene: Scene, _: str | None) -> Moments:
    kept = sessions_of(scene.state.browsing)
    # What left ended before all that are kept, so it began before their first end.
    is_all = len(kept) == scene.state.browsing.sessions
    since = EVER if is_all or not kept else kept[0][1] + 1
    return _moments(scene, [start for start, _ in kept], since)


def _came(scene: Scene, source: str | None) -> Moments:
    touches = scene.touches
    # Seconds: the next one after the first kept.
    since = (touches[0].start + 1) * 1000 if len(touches) >= TOUCHES else EVER
    times = [touch.start * 1000 for touch in touches if source in (None, SOURCES[touch.source])]
    return _moments(scene, times, since)


def _cases(
    bit: int, total: Literal["opened", "complaints"]
) -> Callable[[Scene, str | None], Moments]:
    def read(scene: Scene, _: str | None) -> Moments:
        service = scene.state.service
        if service is None:
            return _moments(scene, [], EVER)
        cases = [case for case in service.cases if case.seen & bit]
        times = [case.opened_at for case in cases if case.opened_at is not None]
        return _moments(scene, times, EVER if len(times) == getattr(service, total) else NEVER)

    return read


def _wished(scene: Scene, _: str | None) -> Moments:
    wishes = scene.state.wishes
    if wishes is None:
        return _moments(scene, [], EVER)
    made = [wish.made_at for wish in wishes.wishes if wish.seen & MADE]
    times = [time for time in made if time is not None]
    return _moments(scene, times, EVER if len(times) == wishes.made else NEVER)


def _coupons(scene: Scene, campaign: str | None) -> Moments:
    coupons = scene.state.coupons
    times = [
        coupon.issued_at
        for coupon in coupons
        if campaign in (None, coupon.campaign) and kind_of(coupon.how) == COUPON
    ]
    # They leave in the order in which they were issued.
    return _moments(scene, times, coupons[0].issued_at + 1 if len(coupons) >= COUPONS else EVER)


ACTS: Final[dict[str, Act]] = {
    act.name: act
    for act in (
        Act("view", "Looked at a product.", _of_product("viewed_at"), "sku", True, True,
            products=_products("viewed_at")),
        Act("buy", "Placed or paid an order with a product in it, whatever became of it.",
            _of_product("bought_at"), "sku", True, True, products=_products("bought_at")),
        Act("favorite", "Favoured a product, and did not take it back.", _favored, "sku", True, True,
            products=_favored_products),
        Act("share", "Shared a product.", _shared, "sku", True, True),
        Act("add_to_cart", "Added to the cart; a product where one is named.", _in_cart(ADD), "sku",
            most=LOG_AGE, products=_cart_products),
        Act("remove_from_cart", "Removed from the cart; a product where one is named.", _in_cart(REMOVE),
            "sku", most=LOG_AGE),
        Act("place", "Placed an order.", _orders(PLACED)),
        Act("pay", "Paid an order.", _orders(PAID)),
        Act("visit", "Began a visit (a session).", _visits),
        Act("come_by", "Came by a traffic source; any where none is named.", _came, "source",
            options=get_args(TrafficSource)),
        Act("open_case", "Opened a service case, by an inquiry or a complaint.", _cases(OPENED, "opened")),
        Act("complain", "Opened a service case in which there is a complaint.",
            _cases(COMPLAINT, "complaints")),
        Act("wish", "Made a wish.", _wished),
        Act("get_coupon", "Was issued a coupon; of a campaign where one is named.", _coupons, "campaign"),
    )
}  # fmt: skip

_COUNTED: Final = (
    "the state counts {} over the whole life and keeps no times of them: ask for the figure {}"
)
_NO_TIMES: Final = "the state keeps no times of {}"
#: Acts that somebody may ask for, and why they cannot be counted or put in sequence.
REFUSED: Final[dict[str, str]] = {
    **{
        action: _COUNTED.format(f"clicks of the kind {action}", f"clicks.{action}.count")
        for action in get_args(ClickAction)
        if action not in ACTS
    },
    "review": _COUNTED.format("reviews", "reviews.posted.count"),
    "review_badly": _COUNTED.format("bad reviews", "reviews.bad.count"),
    "refund": _COUNTED.format("refunds", "orders.refunds.count"),
    "cancel": _COUNTED.format("cancelled orders", "orders.cancelled.count"),
    "receive": _COUNTED.format("orders received", "orders.received.count"),
    "redeem": _NO_TIMES.format("redeemed coupons"),
    "contact": _NO_TIMES.format("messages that were sent"),
}
