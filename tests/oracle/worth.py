"""docs/worth.md, sentence by sentence: what a customer is worth, by the names under which it is printed."""

import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.oracle.events import EPOCH
from tests.oracle.orders import PaidOrder

DAY = timedelta(days=1)


class Shop(NamedTuple):
    """The defaults of docs/worth.md. Thresholds from score 5 down; tiers from the highest down."""

    zone: str = "UTC"
    recency_days: Sequence[int] = (30, 60, 90, 180)
    orders: Sequence[int] = (10, 5, 3, 2)
    amount: Sequence[int] = (300000, 100000, 30000, 10000)
    #: Name, orders, money.
    tiers: Sequence[tuple[str, int, int]] = (
        ("platinum", 12, 1000000), ("gold", 6, 200000), ("silver", 2, 50000),
    )  # fmt: skip

    def day(self, at: int) -> date:
        return (EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(self.zone)).date()

    def hour(self, at: int) -> int:
        return (EPOCH + timedelta(milliseconds=at)).astimezone(ZoneInfo(self.zone)).hour


class Day(NamedTuple):
    """The net orders that were paid on one day."""

    day: date
    orders: int


def worth(
    paid: Sequence[PaidOrder], as_of: int, shop: Shop, erased: int | None = None
) -> dict[str, Any]:
    """As of ``as_of`` (ms), which is not before any of the orders; without ``changes_at``.

    ``erased`` (ms): of that day and those before only what ``paid`` has of it is known.
    """
    today = max([shop.day(as_of), *(shop.day(order.paid_at) for order in paid)])
    dark = None if erased is None else shop.day(erased)
    bought = [each.day for each in _bought(paid, shop)]
    interval = None if dark and len(bought) < 24 else _interval(bought)
    last = max((shop.day(order.paid_at) for order in paid if order.net), default=None)
    year_ago = _year_before(today)
    month_end = today.replace(day=1) - DAY

    def window(first: date) -> dict[str, Any] | None:
        return None if dark and first <= dark else _window(paid, shop, first, today)

    windows = {str(days): window(today - (days - 1) * DAY) for days in (30, 90, 180, 365)}
    hours = [shop.hour(order.paid_at) for order in paid]
    return {
        "as_of": _moment(as_of),
        "day": today.isoformat(),
        "known_from": dark and (dark + DAY).isoformat(),
        "why_unknown": None if erased is None else f"erased at {_moment(erased)}",
        "windows": windows,
        "twelve_months": window(year_ago + DAY),
        "interval_days": None if interval is None else float(interval),
        "expected_next": (last + -(-interval // 1) * DAY).isoformat()
        if last and interval is not None
        else None,
        "favourite_hour": max(range(24), key=lambda hour: (hours.count(hour), -hour))
        if hours
        else None,
        "rfm": _rfm(windows["365"], (today - last).days if last else None, shop, bool(dark)),
        "lifecycle": {
            "stage": None if dark and len(bought) < 55 else stage(paid, today, shop),
        },
        "tier": None
        if dark and _year_before(month_end) + DAY <= dark
        else _tier(paid, today, shop),
    }


def changes_at(paid: Sequence[PaidOrder], as_of: int, shop: Shop) -> str | None:
    """When the stage changes by itself, found by looking at each day that comes."""
    today = shop.day(as_of)
    now = stage(paid, today, shop)
    bought = [each.day for each in _bought(paid, shop)]
    # Three times the longest interval that there can be, and the year after which nothing is lately.
    horizon = 3 * ((bought[-1] - bought[0]).days if bought else 0) + 400
    for days in range(1, horizon):
        if stage(paid, today + days * DAY, shop) != now:
            midnight = datetime.combine(today + days * DAY, time(), ZoneInfo(shop.zone))
            return _moment((midnight.astimezone(UTC) - EPOCH) // timedelta(milliseconds=1))
    return None


def stage(paid: Sequence[PaidOrder], today: date, shop: Shop) -> str:
    """The first that fits."""
    bought = _bought(paid, shop)
    orders = sum(each.orders for each in bought)
    if not orders:
        return "visitor"
    age = (today - bought[-1].day).days
    if orders == 1 and age <= 30:
        return "new"
    if _is_lost(bought, today):
        return "lost"
    if _is_dormant(bought, today):
        return "dormant"
    for at, each in enumerate(bought):
        before = bought[:at]
        if (
            before
            and (today - each.day).days <= 30
            and (_is_dormant(before, each.day) or _is_lost(before, each.day))
        ):
            return "won_back"
    lately = sum(each.orders for each in bought if (today - each.day).days < 365)
    return "repeat" if lately >= 2 else "active"


def _is_lost(bought: Sequence[Day], today: date) -> bool:
    age = (today - bought[-1].day).days
    interval = _interval([each.day for each in bought])
    return age > 180 and (interval is None or age > 3 * interval)


def _is_dormant(bought: Sequence[Day], today: date) -> bool:
    age = (today - bought[-1].day).days
    interval = _interval([each.day for each in bought])
    often = sum(each.orders for each in bought) >= 3
    return age > 90 or (often and interval is not None and age > 2 * interval)


def _bought(paid: Iterable[PaidOrder], shop: Shop) -> list[Day]:
    """The days with net orders, in order."""
    count: dict[date, int] = {}
    for order in paid:
        if order.net:
            day = shop.day(order.paid_at)
            count[day] = count.get(day, 0) + 1
    return [Day(day, count[day]) for day in sorted(count)]


def _interval(days: Sequence[date]) -> Fraction | None:
    newest = sorted(days)[-24:]
    distances = [Fraction((newest[at] - newest[at - 1]).days) for at in range(1, len(newest))]
    return statistics.median(distances) if distances else None


def _window(paid: Iterable[PaidOrder], shop: Shop, first: date, last: date) -> dict[str, Any]:
    inside = [order for order in paid if first <= shop.day(order.paid_at) <= last]
    net = [order for order in inside if order.net]
    unknown = [order for order in inside if not order.known]
    net_unknown = [order for order in net if not order.known]
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "paid": len(inside),
        "paid_amount": None
        if inside and len(unknown) == len(inside)
        else sum(order.amount for order in inside),
        "unknown_amount": len(unknown),
        "net": len(net),
        "net_amount": None
        if net and len(net_unknown) == len(net)
        else sum(order.net_amount for order in net),
        "net_unknown_amount": len(net_unknown),
    }


def _rfm(
    year: dict[str, Any] | None, recency: int | None, shop: Shop, erased: bool
) -> dict[str, Any]:
    names = ("recency_days", "orders", "amount", "unknown_amounts", "r", "f", "m", "segment")
    if recency is None:
        return {"scored": None if erased else False, **dict.fromkeys(names)}
    r = _score(shop.recency_days, lambda limit: recency <= limit)
    if year is None:
        return {"scored": True, **dict.fromkeys(names), "recency_days": recency, "r": r}
    f = _score(shop.orders, lambda limit: year["net"] >= limit)
    at_least = _score(shop.amount, lambda limit: (year["net_amount"] or 0) >= limit)
    m = None if year["net_unknown_amount"] else at_least
    segments = {_segment(r, f, score) for score in range(at_least, (m or 5) + 1)}
    values = (
        recency, year["net"], year["net_amount"], year["net_unknown_amount"], r, f, m,
        segments.pop() if len(segments) == 1 else None,
    )  # fmt: skip
    return {"scored": True, **dict(zip(names, values, strict=True))}


def _score(limits: Sequence[int], holds: Any) -> int:
    """5 for the first limit that holds, 4 for the second ..., 1 where none does."""
    return next((5 - at for at, limit in enumerate(limits) if holds(limit)), 1)


def _segment(r: int, f: int, m: int) -> str:
    if r >= 4:
        if f >= 4:
            return "champions" if m >= 4 else "loyal"
        return "potential" if f >= 2 or m >= 3 else "new"
    if r == 3:
        return "loyal" if f >= 3 else "hibernating"
    if f >= 3 or m >= 4:
        return "at_risk"
    return "hibernating" if r == 2 else "lost"


def _tier(paid: Sequence[PaidOrder], today: date, shop: Shop) -> str:
    """The best of what each day since the last month's last one gave."""
    names = [name for name, _, _ in shop.tiers]
    best = len(names)
    day = today.replace(day=1) - DAY
    while day <= today:
        year = _window(paid, shop, _year_before(day) + DAY, day)
        for at, (_, orders, amount) in enumerate(shop.tiers):
            if year["net"] >= orders and (year["net_amount"] or 0) >= amount:
                best = min(best, at)
        day += DAY
    return [*names, "none"][best]


def _year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def _moment(at: int) -> str:
    text = (EPOCH + timedelta(milliseconds=at)).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
