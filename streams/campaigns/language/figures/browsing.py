"""Figures of what a customer looks at and has in the cart: clicks, visits, products, preferences, sources."""

from collections.abc import Callable, Mapping
from typing import Final, get_args

from schemas.click import ClickAction, TrafficSource
from streams.campaigns.language.figures.figure import Figure, Reading, Seen, Unknown
from streams.campaigns.language.figures.scene import Scene
from streams.domain.describe_interests import is_of_interest
from streams.domain.preferences import PERIODS, period_of, weight
from streams.domain.summary import FAVORITES, PRODUCTS, interest_name
from streams.domain.touches import SOURCES, TOUCH_AGE_S, TOUCHES


def _clicks(action: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        return Seen(getattr(scene.state.browsing.actions, action), scene.is_erased)

    return read


def _visit_ago(scene: Scene) -> Reading:
    session = scene.state.browsing.session
    return Unknown("never visited") if session is None else Seen(scene.since(session.end))


def _viewed(scene: Scene) -> Reading:
    products = scene.interests.products
    viewed = frozenset(sku for sku, product in products.items() if product.viewed_at is not None)
    return Seen(viewed, len(products) >= PRODUCTS or scene.is_erased)


def unbought(scene: Scene) -> frozenset[str]:
    """Products looked at twice or for more than a minute, and not bought since."""
    products = scene.interests.products
    return frozenset(sku for sku, product in products.items() if is_of_interest(product))


def _unbought(scene: Scene) -> Reading:
    return Seen(unbought(scene), len(scene.interests.products) >= PRODUCTS)


def _unbought_count(scene: Scene) -> Reading:
    return Seen(len(unbought(scene)), len(scene.interests.products) >= PRODUCTS)


def favorites(scene: Scene) -> frozenset[str]:
    """Skus whose last word was ``favorite``."""
    return frozenset(sku for sku, said in scene.interests.favorites.items() if said % 2 == 0)


def _favorites(scene: Scene) -> Reading:
    return Seen(favorites(scene), len(scene.interests.favorites) >= FAVORITES)


def _favorites_count(scene: Scene) -> Reading:
    return Seen(len(favorites(scene)), len(scene.interests.favorites) >= FAVORITES)


_Weights = Mapping[str, int] | Mapping[int, int]


def _weights(scene: Scene, points: _Weights) -> list[tuple[float, str | int]]:
    """What still weighs something at the moment, the heaviest first, then by name."""
    age = max(period_of(scene.at) - scene.interests.period, 0)
    if age >= PERIODS:
        return []
    found = [(-weight(packed, age), name) for name, packed in points.items()]
    return sorted((share, name) for share, name in found if share)


def _preferred(name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        found = _weights(scene, getattr(scene.interests, name))
        return (
            Seen(found[0][1]) if found else Unknown("nothing that the customer did tells it lately")
        )

    return read


def _all_preferred(name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        found = _weights(scene, getattr(scene.interests, name))
        return Seen(frozenset(str(each) for _, each in found))

    return read


def _price(scene: Scene) -> Reading:
    """Where the band begins in which the median of the weight lies."""
    bands = sorted((int(band), -share) for share, band in _weights(scene, scene.interests.prices))
    half = sum(share for _, share in bands) / 2
    for band, share in bands:
        if half <= share:
            return Seen(band)
        half -= share
    return Unknown("nothing that the customer did tells it lately")


def _sources(scene: Scene) -> Reading:
    since = scene.at // 1000 - TOUCH_AGE_S
    lately = [touch for touch in scene.touches if touch.start > since]
    is_cut = len(scene.touches) >= TOUCHES and len(lately) == len(scene.touches)
    return Seen(frozenset(SOURCES[touch.source] for touch in lately), is_cut)


def _last_source(scene: Scene) -> Reading:
    touches = scene.touches
    return Seen(SOURCES[touches[-1].source]) if touches else Unknown("no click named its source")


def _brought(scene: Scene) -> Reading:
    return Seen(bool(scene.interests.sharers))


def _cart_count(name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        cart = scene.state.cart
        return Seen(0 if cart is None else getattr(cart, name), scene.is_erased)

    return read


def _cart_lines(scene: Scene) -> Reading:
    cart = scene.state.cart
    return Seen(0 if cart is None else len(cart.lines))


def _cart_pieces(scene: Scene) -> Reading:
    cart = scene.state.cart
    return Seen(0 if cart is None else sum(line.quantity for line in cart.lines))


def _cart_skus(scene: Scene) -> Reading:
    cart = scene.state.cart
    return Seen(frozenset() if cart is None else frozenset(line.sku for line in cart.lines))


def _cart_age(scene: Scene) -> Reading:
    cart = scene.state.cart
    if cart is None or not cart.lines:
        return Unknown("the cart is empty")
    return Seen(scene.since(max(line.since for line in cart.lines)))


_NO_PRICES: Final = "the state keeps no prices of the lines in a cart"


def _cart_value(_scene: Scene) -> Reading:
    return Unknown(_NO_PRICES)


_ACTION_WORDS: Final = {
    "view": "Products and pages looked at", "search": "Searches", "favorite": "Products favoured",
    "unfavorite": "Favourites taken back", "share": "Products shared", "ask": "Questions asked",
    "trial_apply": "Trials applied for", "game_play": "Games played", "card_collect": "Cards collected",
    "live_enter": "Live streams entered", "live_leave": "Live streams left",
    "campaign_open": "Campaign pages opened", "store_visit": "Visits to a store",
}  # fmt: skip

BROWSING: Final = (
    *(
        Figure(f"clicks.{action}.count", "count", f"{_ACTION_WORDS[action]}, over the whole life.", '">=1"',
               _clicks(action), "clicks")
        for action in get_args(ClickAction)
    ),
    Figure("browsing.dwell", "duration", "Time on pages in all, as far as clicks tell it.", '">=10m"',
           lambda scene: Seen(scene.state.browsing.dwell_ms, scene.is_erased)),
    Figure("visits.count", "count", "Visits: sessions ever seen.", '">=3"',
           lambda scene: Seen(scene.state.browsing.sessions, scene.is_erased), "visits"),
    Figure("visits.ago", "duration", "Since the last click of the last visit.", '"<=2d"', _visit_ago),
    Figure("browsing.viewed", "set", f"Skus looked at, of the {PRODUCTS} products looked at or bought last.",
           "[T-1, T-2]", _viewed, known_as=interest_name),
    Figure("browsing.unbought", "set",
           "Of these: skus looked at twice or for more than a minute, and not bought since.", "[T-1]",
           _unbought, known_as=interest_name),
    Figure("browsing.unbought.count", "count", "How many these are.", '">=1"', _unbought_count, "products"),
    Figure("favorites", "set", f"Skus favoured, of the {FAVORITES} about which something was said last.",
           "[T-1]", _favorites, known_as=interest_name),
    Figure("favorites.count", "count", "How many these are.", '">=1"', _favorites_count, "products"),
    Figure("preferences.category", "text", "The category with most weight: docs/state.md.", "[tea, teaware]",
           _preferred("categories"), known_as=interest_name),
    Figure("preferences.categories", "set", "All categories that still have weight.", "[tea]",
           _all_preferred("categories"), known_as=interest_name),
    Figure("preferences.keyword", "text", "The keyword searched for most, lately.", "gaiwan",
           _preferred("keywords"), known_as=interest_name),
    Figure("preferences.keywords", "set", "All keywords that still have weight.", "[gaiwan]",
           _all_preferred("keywords"), known_as=interest_name),
    Figure("preferences.price", "money", "Where the band of prices begins in which the median lies.",
           '">=100.00"', _price, "the campaign's currency"),
    Figure("sources", "set", "By what the customer came in the last 30 days.", "[live, search]", _sources,
           choices=get_args(TrafficSource)),
    Figure("sources.last", "choice", "By what the customer came last.", "live", _last_source,
           choices=get_args(TrafficSource)),
    Figure("sources.brought", "flag", "Whether another customer's share brought this one.", "true", _brought),
    Figure("cart.lines", "count", "Lines in the cart now.", '">=1"', _cart_lines, "lines"),
    Figure("cart.pieces", "count", "Pieces in the cart now.", '">=2"', _cart_pieces, "pieces"),
    Figure("cart.skus", "set", "Skus in the cart now.", "[T-1]", _cart_skus),
    Figure("cart.age", "duration", "Since a line of the cart was last added or set.", '">=30m"', _cart_age),
    Figure("cart.value", "money", "What is in the cart, at the prices of its lines.", '">=99.00"',
           _cart_value, "the campaign's currency", missing=_NO_PRICES),
    Figure("cart.adds.count", "count", "Additions to the cart, over the whole life.", '">=3"',
           _cart_count("adds"), "additions"),
)  # fmt: skip
