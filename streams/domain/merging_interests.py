"""What a visitor and a customer are interested in as one's: points add up by period, of all else the latest.

What a payment was owed to stays as it was judged: the other's touches were not known by then.
"""

from streams.domain.interests import Interests, keep_summary, packed_touches, settled
from streams.domain.preferences import MOST_POINTS, PERIODS, PLACE_BITS, Name, aged
from streams.domain.summary import (
    CATEGORIES,
    DEVICES,
    FAVORITES,
    KEYWORDS,
    PRICES,
    REGIONS,
    SHARED,
    STEPS,
    Summary,
    bound_products,
    bring,
    interest_name,
    keep_latest,
)
from streams.domain.touches import add_packed


def merge_interests(interests: Interests, other: Interests, owner: str) -> None:
    """Bring ``other`` into ``interests`` of ``owner``, in place."""
    interests.channels |= other.channels
    mine, theirs = settled(interests), settled(other)
    _merge_preferences(mine, theirs)
    for kept, more, most in (
        (mine.favorites, theirs.favorites, FAVORITES),
        (mine.regions, theirs.regions, REGIONS),
        (mine.devices, theirs.devices, DEVICES),
        (mine.shared, theirs.shared, SHARED),
    ):
        for name, time in more.items():
            keep_latest(kept, name, time, most)
    themselves = interest_name(owner)
    for sharer, time in theirs.sharers.items():
        if sharer != themselves:
            bring(mine, sharer, time)
    _merge_products(mine, theirs)
    mine.path = sorted([*mine.path, *theirs.path])[-STEPS:]
    for sums, more in (
        (mine.last_touch, theirs.last_touch),
        (mine.by_position, theirs.by_position),
    ):
        for source, amount in more.items():
            sums[source] = sums.get(source, 0) + amount
    if theirs.points_used is not None:
        mine.points_used = (mine.points_used or 0) + theirs.points_used
    keep_summary(interests, mine)
    interests.touches = add_packed(interests.touches, packed_touches(other))


def _merge_preferences(mine: Summary, theirs: Summary) -> None:
    newest = max(mine.period, theirs.period)
    mine.categories = _sum(mine.categories, theirs.categories, newest, mine, theirs, CATEGORIES)
    mine.prices = _sum(mine.prices, theirs.prices, newest, mine, theirs, PRICES)
    mine.keywords = _sum(mine.keywords, theirs.keywords, newest, mine, theirs, KEYWORDS)
    mine.period = newest


def _sum(
    points: dict[Name, int],
    more: dict[Name, int],
    newest: int,
    mine: Summary,
    theirs: Summary,
    most: int,
) -> dict[Name, int]:
    """Points of both, as of the period ``newest``; of more than ``most`` names those with the most."""
    both = aged(points, newest - mine.period) if mine.period else dict(points)
    for name, added in (aged(more, newest - theirs.period) if theirs.period else more).items():
        both[name] = _add_places(both.get(name, 0), added)
    while len(both) > most:
        del both[min(both, key=both.__getitem__)]
    return both


def _add_places(one: int, other: int) -> int:
    """The sum of two names' points, period by period."""
    total = 0
    for place in range(0, PERIODS * PLACE_BITS, PLACE_BITS):
        points = (one >> place & MOST_POINTS) + (other >> place & MOST_POINTS)
        total |= min(points, MOST_POINTS) << place
    return total


def _merge_products(mine: Summary, theirs: Summary) -> None:
    for sku, seen in theirs.products.items():
        known = mine.products.get(sku)
        if known is None:
            mine.products[sku] = seen
            continue
        known.views += seen.views
        known.dwell_ms += seen.dwell_ms
        known.viewed_at = _latest(known.viewed_at, seen.viewed_at)
        known.bought_at = _latest(known.bought_at, seen.bought_at)
    bound_products(mine)


def _latest(one: int | None, other: int | None) -> int | None:
    return max((time for time in (one, other) if time is not None), default=None)
