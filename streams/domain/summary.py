"""What a customer is interested in, summed up: preferences, favourites, products, path, touches.

Preferences (categories, prices, keywords) are sums that decay when they are read
(streams.domain.preferences). All else is the newest of its kind (of a sku that was favoured and
unfavoured the last word, of products those looked at or bought last, of the path the last steps) or the
earliest (of those who brought the customer): maxima and minima over event times, so the order of arrival
makes no difference. docs/state.md says for each what it does beyond its bound.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, get_args
from zlib import crc32

import msgspec

from schemas.click import Channel, ClickAction
from schemas.envelope import Line
from streams.domain.names import short
from streams.domain.preferences import PERIOD, PERIODS, add, add_all, aged, period_of

#: UTF-8 bytes of a name that is kept; a longer one is known by its beginning and its hash.
INTEREST_BYTES = 40
#: Characters that are never more than that, at 4 bytes each: such names need no ``short``.
_SHORT = INTEREST_BYTES // 4
CATEGORIES = 8
PRICES = 6
KEYWORDS = 8
FAVORITES = 8
PRODUCTS = 10
STEPS = 8
REGIONS = 2
DEVICES = 2
#: Skus shared last, and customers who brought this one first.
SHARED = SHARERS = 2

#: By number; new ones come last.
ACTIONS: Final[tuple[str, ...]] = get_args(ClickAction)
CHANNELS: Final[tuple[str, ...]] = get_args(Channel)
ACTION_NUMBERS: Final = {action: number for number, action in enumerate(ACTIONS)}
CHANNEL_BITS: Final = {channel: 1 << number for number, channel in enumerate(CHANNELS)}
#: In the place of an action: a line was added to the cart or ordered; what the clicks after it have in
#: common; where an order came from; what it was paid with, and which sources it is owed to.
CART_ADD, ORDERED, VISIT, SEEN, POINTS_USED, LAST_TOUCH, BY_POSITION = range(64, 71)

#: What an action says of the category and the price of its product, in points.
POINTS: Final = {"view": 1, "ask": 2, "trial_apply": 2, "favorite": 3, "share": 3}
CART_POINTS = 3
#: Of each of ``placed`` and ``paid`` that has lines, once for a category and for a band of prices.
ORDER_POINTS = 4
#: The same by number, 0 of those that say nothing of them.
_POINTS = [POINTS.get(action, 0) for action in ACTIONS] + [0] * (BY_POSITION + 1 - len(ACTIONS))
_POINTS[CART_ADD], _POINTS[ORDERED] = CART_POINTS, ORDER_POINTS
_VIEW, _SEARCH, _SHARE = (ACTION_NUMBERS[action] for action in ("view", "search", "share"))
_FAVORITE, _UNFAVORITE = (ACTION_NUMBERS[action] for action in ("favorite", "unfavorite"))

#: Where a band of prices begins, minor units: 0, 1, 2, 5, 10, 20, 50, ...
BANDS: Final[tuple[int, ...]] = (
    0,
    *(digit * 10**zeros for zeros in range(13) for digit in (1, 2, 5)),
)

#: In the place of a VISIT's price: its region and device are those of the VISIT before it.
AS_BEFORE: Final = 1
#: A noted event: action, time in ms, sku, category, price, dwell in ms, keyword or page. A VISIT has the
#: session id, the region and the device in their places, SEEN the last two, others a source and an amount.
Entry = tuple[int, int, str | None, str | None, int | None, int | None, str | None]
#: A step of the path: time in ms, sku or keyword or page, action, ``session_hash``.
Step = tuple[int, str, int, int]


class Product(msgspec.Struct, array_like=True, gc=False):
    """A product looked at or bought lately; times in ms, None: it was not."""

    views: int = 0
    dwell_ms: int = 0
    viewed_at: int | None = None
    #: The latest ``placed`` or ``paid`` with a line of it, whatever became of the order.
    bought_at: int | None = None


class Summary(msgspec.Struct, array_like=True, gc=False):
    """Points are as streams.domain.preferences has them, times in ms."""

    #: The newest period that points count in.
    period: int = 0
    #: Name -> points; of prices the name is where the band begins.
    categories: dict[str, int] = {}
    prices: dict[int, int] = {}
    keywords: dict[str, int] = {}
    #: Sku -> time of the last word, twice, and one more where it is ``unfavorite``.
    favorites: dict[str, int] = {}
    products: dict[str, Product] = {}
    #: In the order of their times.
    path: list[Step] = []
    #: Source -> paid orders of which it was the last touch; parts of 10,000 of them by position.
    last_touch: dict[str, int] = {}
    by_position: dict[str, int] = {}
    #: Region, device -> when it was seen last; sku -> when it was shared last.
    regions: dict[str, int] = {}
    devices: dict[str, int] = {}
    shared: dict[str, int] = {}
    #: Customer who shared what this one clicked -> when that was first.
    sharers: dict[str, int] = {}
    #: Minor units paid with points by paid orders, whatever became of them; None: none said so.
    points_used: int | None = None


def add_entries(summary: Summary, entries: Sequence[Entry]) -> None:
    """Work noted events into ``summary``, in any order but for a VISIT, which is before its clicks."""
    path, products = summary.path, summary.products
    # What one event says of a category is said again by the next, so sums are made here first, by period.
    periods: dict[int, tuple[dict[str, int], dict[int, int]]] = {}
    categories: dict[str, int] = {}
    bands: dict[int, int] = {}
    begin = end = 0
    visits: list[tuple[str | None, str | None, list[int]]] = []
    session, times = 0, list[int]()
    region: str | None = None
    device: str | None = None
    for action, time, sku, category, price, dwell_ms, word in entries:
        points = _POINTS[action]
        if points:
            if not begin <= time < end:
                period = time // PERIOD
                begin = period * PERIOD
                end = begin + PERIOD
                categories, bands = periods.setdefault(period, ({}, {}))
            if category is not None:
                if len(category) > _SHORT:
                    category = short(category, INTEREST_BYTES)
                categories[category] = categories.get(category, 0) + points
            if price is not None:
                band = BANDS[bisect_right(BANDS, price) - 1]
                bands[band] = bands.get(band, 0) + points
        if action >= CART_ADD:
            if action == VISIT:
                session, times = session_hash(sku), []
                if not price:
                    region, device = category, word
                visits.append((region, device, times))
            elif action == SEEN:
                visits.append((category, word, [time]))
            elif action != CART_ADD:
                _add_order(summary, action, time, sku or "", price or 0)
            continue
        times.append(time)
        name = sku
        if sku is not None:
            if len(sku) > _SHORT:
                sku = short(sku, INTEREST_BYTES)
            name = sku
            if action == _VIEW:
                product = products.get(sku)
                if product is None:
                    products[sku] = Product(1, dwell_ms or 0, time)
                else:
                    product.views += 1
                    if dwell_ms:
                        product.dwell_ms += dwell_ms
                    viewed = product.viewed_at
                    if viewed is None or time > viewed:
                        product.viewed_at = time
            elif action in (_FAVORITE, _UNFAVORITE):
                word_at = 2 * time + (action == _UNFAVORITE)
                keep_latest(summary.favorites, sku, word_at, FAVORITES)
            elif action == _SHARE:
                keep_latest(summary.shared, sku, time, SHARED)
        if word is not None:
            word = word.strip()
            if len(word) > _SHORT:
                word = short(word, INTEREST_BYTES)
            if action == _SEARCH and word:
                _search(summary, word, time)
            name = word or sku
        if name:
            path.append((time, name, action, session))
    for period, (categories, bands) in periods.items():
        if not categories and not bands:
            continue
        age = _age(summary, period)
        if age < PERIODS:
            add_all(summary.categories, categories, age, CATEGORIES)
            add_all(summary.prices, bands, age, PRICES)
    path.sort()
    del path[:-STEPS]
    bound_products(summary)
    _add_visits(summary, visits)


def _add_visits(
    summary: Summary, visits: Iterable[tuple[str | None, str | None, list[int]]]
) -> None:
    """Note from which region and on what device the customer was seen, at the times of each visit."""
    regions, devices = summary.regions, summary.devices
    for region, device, times in visits:
        if times:
            last = max(times)
            # Most visits are from where the last one was, which needs no call.
            if region is not None and regions.get(region, last) >= last:
                keep_latest(regions, short(region, INTEREST_BYTES), last, REGIONS)
            elif region is not None:
                regions[region] = last
            if device is not None and devices.get(device, last) >= last:
                keep_latest(devices, short(device, INTEREST_BYTES), last, DEVICES)
            elif device is not None:
                devices[device] = last


def _add_order(summary: Summary, action: int, time: int, name: str, amount: int) -> None:
    """Note a line that was ordered, what it was paid with, or to which source ``name`` it is owed."""
    if action == ORDERED:
        product = summary.products.setdefault(short(name, INTEREST_BYTES), Product())
        bought = product.bought_at
        product.bought_at = time if bought is None else max(bought, time)
    elif action == POINTS_USED:
        summary.points_used = (summary.points_used or 0) + amount
    else:
        owed = summary.last_touch if action == LAST_TOUCH else summary.by_position
        owed[name] = owed.get(name, 0) + amount


def order_entries(lines: Sequence[Line], time: int) -> list[Entry]:
    """What is noted of the lines of an order: each category and band of prices once, as of a click."""
    entries: list[Entry] = []
    categories: set[str | None] = {None}
    bands: set[int | None] = {None}
    for line in lines:
        category, price = line.category, line.unit_price
        band = None if price is None else band_of(price)
        entry = (
            ORDERED, time, line.sku, None if category in categories else category,
            None if band in bands else price, None, None,
        )  # fmt: skip
        entries.append(entry)
        categories.add(category)
        bands.add(band)
    return entries


def bring(summary: Summary, sharer: str, time: int) -> bool:
    """Note who brought the customer, and whether they are new; those who did so earliest stay."""
    sharers, name = summary.sharers, short(sharer, INTEREST_BYTES)
    known = sharers.get(name)
    if known is None and len(sharers) == SHARERS:
        last = max(sharers, key=lambda other: (sharers[other], other))
        if (time, name) > (sharers[last], last):
            return False
        del sharers[last]
    sharers[name] = time if known is None else min(known, time)
    return known is None


def interest_name(name: str) -> str:
    """How the summary names a sku, a word or a customer."""
    return short(name, INTEREST_BYTES)


def session_hash(session_id: str | None) -> int:
    """How steps and touches know their session; 0 for clicks without an id."""
    return crc32(session_id.encode()) if session_id else 0


def band_of(price: int) -> int:
    """Where the band of ``price`` begins, both in minor units.

    >>> band_of(1990)
    1000
    """
    return BANDS[bisect_right(BANDS, price) - 1]


def last_time(product: Product) -> int:
    """When it was last looked at or bought, ms."""
    return max(product.viewed_at or 0, product.bought_at or 0)


def _search(summary: Summary, keyword: str, time: int) -> None:
    age = _age(summary, period_of(time))
    if age < PERIODS:
        add(summary.keywords, keyword, 1, age, KEYWORDS)


def _age(summary: Summary, period: int) -> int:
    """How many periods ``period`` is before the newest one, which it may be itself."""
    newer = period - summary.period
    if newer > 0:
        summary.categories = aged(summary.categories, newer)
        summary.prices = aged(summary.prices, newer)
        summary.keywords = aged(summary.keywords, newer)
        summary.period = period
        return 0
    return -newer


def bound_products(summary: Summary) -> None:
    """Keep those looked at or bought last, of one time those with the greater sku."""
    products = summary.products
    if len(products) > PRODUCTS:
        # Most were only looked at: those are not asked for with a call.
        newest = [
            (last_time(product) if product.bought_at else product.viewed_at or 0, sku)
            for sku, product in products.items()
        ]
        newest.sort()
        summary.products = {sku: products[sku] for _, sku in newest[-PRODUCTS:]}


def keep_latest(kept: dict[str, int], name: str, time: int, most: int) -> None:
    """Note ``time`` for ``name``: those with the latest stay, of one time those with the greater name."""
    known = kept.get(name)
    if known is not None:
        kept[name] = max(known, time)
        return
    kept[name] = time
    if len(kept) > most:
        del kept[min(kept, key=lambda other: (kept[other], other))]
