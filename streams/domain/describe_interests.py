"""What a customer is interested in, for people and JSON: parts of ``describe`` under "browsing"."""

from typing import Any, TypeVar

from streams.domain.attribution import DAYS, WHOLE
from streams.domain.browsing import Browsing
from streams.domain.interests import Interests, settled, touches_of
from streams.domain.moments import moment
from streams.domain.preferences import PERIOD, PERIODS, period_of, weight
from streams.domain.summary import (
    ACTIONS,
    BANDS,
    CHANNELS,
    Product,
    Summary,
    last_time,
    session_hash,
)
from streams.domain.touches import SOURCES, TOUCH_AGE_S

#: Looked at so often, or longer than this (ms), and not bought: of interest.
VIEWS, DWELL_MS = 2, 60_000
_NAMED = TypeVar("_NAMED", str, int)


def describe_interests(
    interests: Interests, browsing: Browsing, as_of: int | None
) -> dict[str, Any]:
    """What is known of the customer's interests at ``as_of`` (ms; None: nothing was ever seen).

    Weights are those of streams.domain.preferences: points of which half is left after 28 days.
    """
    summary = settled(interests)
    now = as_of or 0
    age = max(period_of(now) - summary.period, 0)
    return {
        "preferences": {
            "half_life_days": PERIOD // 86_400_000,
            "categories": [
                {"category": name, "weight": share}
                for name, share in _weighed(summary.categories, age)
            ],
            "price": _prices(summary.prices, age),
        },
        "keywords": [
            {"keyword": name, "weight": share} for name, share in _weighed(summary.keywords, age)
        ],
        "favorites": [
            {"sku": sku, "at": moment(said // 2)}
            for sku, said in _latest(summary.favorites)
            if said % 2 == 0
        ],
        "products": [
            _product(sku, summary.products[sku])
            for sku in sorted(
                summary.products, key=lambda sku: (-last_time(summary.products[sku]), sku)
            )
        ],
        "path": _path(summary, browsing),
        "touches": _touches(interests, now),
        "attribution": _attribution(summary),
        "shares": {
            "made": browsing.actions.share,
            "recent": [{"sku": sku, "at": moment(at)} for sku, at in _latest(summary.shared)],
            "came_by": [
                {"customer_id": name, "at": moment(at)}
                for name, at in sorted(summary.sharers.items(), key=lambda item: (item[1], item[0]))
            ],
        },
        "channels": [
            channel for at, channel in enumerate(CHANNELS) if interests.channels & 1 << at
        ],
        "regions": [{"region": name, "at": moment(at)} for name, at in _latest(summary.regions)],
        "devices": [{"device": name, "at": moment(at)} for name, at in _latest(summary.devices)],
    }


def is_of_interest(product: Product) -> bool:
    """Looked at twice or for more than a minute, and not bought since it was looked at last."""
    if product.viewed_at is None:
        return False
    if product.bought_at is not None and product.bought_at >= product.viewed_at:
        return False
    return product.views >= VIEWS or product.dwell_ms > DWELL_MS


def _product(sku: str, product: Product) -> dict[str, Any]:
    return {
        "sku": sku,
        "views": product.views,
        "dwell_ms": product.dwell_ms,
        "viewed_at": moment(product.viewed_at),
        "bought_at": moment(product.bought_at),
        "viewed_not_bought": is_of_interest(product),
    }


def _weighed(points: dict[_NAMED, int], age: int) -> list[tuple[_NAMED, float]]:
    """What still weighs something, the heaviest first."""
    if age >= PERIODS:
        return []
    weights = {name: weight(packed, age) for name, packed in points.items()}
    known = [(name, share) for name, share in weights.items() if share]
    return sorted(known, key=lambda item: (-item[1], item[0]))


def _prices(points: dict[int, int], age: int) -> dict[str, Any]:
    """The bands, the cheapest first, and the one in which the median of the weight lies."""
    bands = sorted(_weighed(points, age))
    half = sum(share for _, share in bands) / 2
    shown, median = [], None
    for begin, share in bands:
        band = {"from": begin, "below": _end_of(begin)}
        shown.append({**band, "weight": share})
        if median is None and half <= share:
            median = band
        half -= share
    return {"median": median, "bands": shown}


def _end_of(begin: int) -> int | None:
    at = BANDS.index(begin) + 1
    return BANDS[at] if at < len(BANDS) else None


def _latest(times: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(times.items(), key=lambda item: (-item[1], item[0]))


def _path(summary: Summary, browsing: Browsing) -> list[dict[str, Any]]:
    """The last steps of the session that ended last."""
    session = browsing.session
    if session is None:
        return []
    own = session_hash(session.id)
    return [
        {"at": moment(time), "action": ACTIONS[action], "name": name}
        for time, name, action, of in summary.path
        if of == own and session.start <= time <= session.end
    ]


def _touches(interests: Interests, now: int) -> list[dict[str, Any]]:
    since = now // 1000 - TOUCH_AGE_S
    return [
        {"source": SOURCES[touch.source], "at": moment(touch.start * 1000)}
        for touch in touches_of(interests)
        if touch.start > since
    ]


def _attribution(summary: Summary) -> dict[str, Any]:
    """Paid orders by source; by position as orders, which add up to their number."""
    return {
        "window_days": DAYS,
        "last_touch": dict(sorted(summary.last_touch.items())),
        "by_position": {
            source: parts / WHOLE for source, parts in sorted(summary.by_position.items())
        },
    }
