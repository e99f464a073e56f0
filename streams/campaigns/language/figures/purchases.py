"""Figures of what a customer bought: orders, money, habits, life-cycle, scores, tier and points."""

from collections.abc import Callable
from typing import Final, get_args

from streams.campaigns.language.figures.figure import Figure, Reading, Seen, Unknown, known
from streams.campaigns.language.figures.scene import Scene
from streams.campaigns.language.quantities.duration import DAY
from streams.domain.lifecycle import Stage, stage
from streams.domain.membership import tier
from streams.domain.order import CANCELLED, PAID, PLACED, OpenOrder
from streams.domain.orders import OPEN_ORDERS
from streams.domain.points import EXPIRING_DAYS, points
from streams.domain.rfm import Segment
from streams.domain.shop import day_of
from streams.domain.worth import (
    WINDOWS,
    Window,
    expected_next,
    favourite_hour,
    interval,
    window_of_days,
)

_FORGOTTEN: Final = "days of paid orders that it needs are not in the state any more"
_NO_ORDER: Final = "the customer never bought anything"
_NO_AMOUNT: Final = "some order's amount is unknown"


def unpaid(scene: Scene) -> list[OpenOrder]:
    """Orders that wait for their payment, among those that are kept whole."""
    return [
        order
        for order in scene.orders.open
        if order.seen & PLACED and not order.seen & (PAID | CANCELLED)
    ]


def _total(name: str, *lacks: str) -> Callable[[Scene], Reading]:
    """A total of the whole life; at least so much where one of the totals ``lacks`` is not 0."""

    def read(scene: Scene) -> Reading:
        totals = scene.orders.totals
        is_less = scene.is_erased or any(getattr(totals, other) for other in lacks)
        return Seen(getattr(totals, name), is_less)

    return read


def _window(length: int, value: Callable[[Window], tuple[int, int]]) -> Callable[[Scene], Reading]:
    """Of the newest ``length`` days: ``value`` gives a number and how many orders it lacks."""

    def read(scene: Scene) -> Reading:
        found = window_of_days(scene.purchases, scene.today, length)
        if found is None:
            return Unknown(_FORGOTTEN)
        number, lacks = value(found)
        return Seen(number, lacks > 0)

    return read


def _last_order(scene: Scene) -> Reading:
    days = scene.rfm.recency_days
    return Unknown(_no_orders(scene)) if days is None else Seen(days * DAY)


def _no_orders(scene: Scene) -> str:
    return _FORGOTTEN if scene.is_erased or scene.purchases.net_orders else _NO_ORDER


def _average(scene: Scene) -> Reading:
    totals = scene.orders.totals
    if not totals.net:
        return Unknown(_no_orders(scene))
    if totals.unknown_amount or scene.is_erased:
        return Unknown(_NO_AMOUNT if totals.unknown_amount else _FORGOTTEN)
    return Seen(totals.net_amount // totals.net)


def _unpaid_count(scene: Scene) -> Reading:
    return Seen(len(unpaid(scene)), len(scene.orders.open) >= OPEN_ORDERS)


def _unpaid_for(scene: Scene) -> Reading:
    placed = [order.placed_at for order in unpaid(scene) if order.placed_at is not None]
    return Seen(scene.since(max(placed))) if placed else Unknown("no order waits for its payment")


def _interval(scene: Scene) -> Reading:
    days = interval(scene.purchases)
    return known(None if days is None else int(days * DAY), "bought on fewer than two known days")


def _expected(ahead: bool) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        day = expected_next(scene.purchases)
        if day is None:
            return Unknown("bought on fewer than two known days, so no order is expected")
        days = day - scene.today
        return Seen(max(days if ahead else -days, 0) * DAY)

    return read


def _score(name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        value: int | str | None = getattr(scene.rfm, name)
        if value is None and not scene.rfm.scored:
            return Unknown(_no_orders(scene))
        return known(value, f"{_FORGOTTEN}, or {_NO_AMOUNT}")

    return read


def _stage(scene: Scene) -> Reading:
    return known(stage(scene.purchases, scene.today), _FORGOTTEN)


def _tier(scene: Scene) -> Reading:
    return known(tier(scene.purchases, scene.today, scene.settings.tiers), _FORGOTTEN)


def _points(expiring: bool) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        profile = scene.state.profile
        joined = None if profile is None else profile.joined_at
        if joined is None:
            return Unknown("no member")
        day = day_of(joined, scene.settings.time_zone)
        found = points(scene.purchases, scene.today, day)
        if found is None:
            return Unknown(_FORGOTTEN)
        return Seen(found.expiring if expiring else found.earned, found.unknown_amounts > 0)

    return read


def _hour(scene: Scene) -> Reading:
    return known(favourite_hour(scene.state.orders), _NO_ORDER)


def _points_used(scene: Scene) -> Reading:
    used = scene.interests.points_used
    return Unknown("no paid order said so") if used is None else Seen(used, scene.is_erased)


def _totals() -> list[Figure]:
    counted = {
        "placed": "Orders that were placed, over the whole life.",
        "paid": "Orders that were paid, also those cancelled or refunded since.",
        "net": "Paid orders that were neither cancelled nor wholly refunded.",
        "shipped": "Orders that were shipped.",
        "received": "Orders that were received.",
        "cancelled": "Orders that were cancelled.",
        "refunded": "Paid orders that were wholly refunded.",
        "refunds": "Refunds of paid orders that were completed.",
        "brushed": "Paid orders that are held to be brushed, in no other figure.",
    }
    amounts = {
        "paid": "What was paid, over the whole life, before refunds.",
        "net": "What was paid less what was refunded or cancelled.",
        "refunded": "What was refunded of paid orders.",
    }
    return [
        Figure(f"orders.{name}.count", "count", meaning, '">=1"', _total(name), "orders")
        for name, meaning in counted.items()
    ] + [
        Figure(
            f"orders.{name}.amount", "money", meaning, '">=500.00"',
            _total(f"{name}_amount", "unknown_amount"), "the campaign's currency",
        )
        for name, meaning in amounts.items()
    ]  # fmt: skip


def _windows() -> list[Figure]:
    found = []
    for length in WINDOWS:
        within = f"in the {length} days that end today, on the shop's clock"
        found += [
            Figure(
                f"orders.paid.count.{length}d", "count", f"Orders paid {within}.", '">=2"',
                _window(length, lambda window: (window.orders, 0)), "orders",
            ),
            Figure(
                f"orders.net.count.{length}d", "count", f"Net orders {within}.", '">=2"',
                _window(length, lambda window: (window.net_orders, 0)), "orders",
            ),
            Figure(
                f"orders.paid.amount.{length}d", "money", f"What was paid {within}.", '">=500.00"',
                _window(length, lambda window: (window.amount, window.unknown)), "the campaign's currency",
            ),
            Figure(
                f"orders.net.amount.{length}d", "money", f"What was paid net {within}.", '">=500.00"',
                _window(length, lambda window: (window.net_amount, window.net_unknown)),
                "the campaign's currency",
            ),
        ]  # fmt: skip
    return found


PURCHASES: Final = (
    Figure("lifecycle", "choice", "Where the customer stands: docs/worth.md.", "[active, repeat]",
           _stage, choices=get_args(Stage)),
    Figure("rfm.r", "count", "Score of recency, 1 to 5 (5: bought lately), by the shop's thresholds.",
           '">=3"', _score("r"), bounds=(1, 5)),
    Figure("rfm.f", "count", "Score of frequency, 1 to 5 (5: bought often).", '">=3"', _score("f"),
           bounds=(1, 5)),
    Figure("rfm.m", "count", "Score of money, 1 to 5 (5: paid much).", '">=3"', _score("m"),
           bounds=(1, 5)),
    Figure("rfm.segment", "choice", "The segment that the three scores make.", "[champions, loyal]",
           _score("segment"), choices=get_args(Segment)),
    *_totals(),
    *_windows(),
    Figure("orders.average", "money", "Net paid amount by net order, over the whole life, rounded down.",
           '">=200.00"', _average, "the campaign's currency"),
    Figure("orders.recency", "duration", "Since the last net order, in whole days of the shop's clock.",
           '">=60d"', _last_order, "whole days"),
    Figure("orders.unpaid.count", "count", "Orders placed and neither paid nor cancelled.", '">=1"',
           _unpaid_count, "orders"),
    Figure("orders.unpaid.age", "duration", "Since the newest of these was placed.", '">=30m"', _unpaid_for),
    Figure("orders.interval", "duration", "The customer's own order interval: the median.", '"<=45d"',
           _interval, "half days"),
    Figure("orders.due_in", "duration", "Until an order is expected, by the own interval; 0d: it is due.",
           '"<=3d"', _expected(ahead=True), "whole days"),
    Figure("orders.overdue", "duration", "How long an expected order is overdue; 0d: it is not.", '">=7d"',
           _expected(ahead=False), "whole days"),
    Figure("orders.hour", "count", "The hour of day with most paid orders, on the shop's clock.", '">=18"',
           _hour, bounds=(0, 23)),
    Figure("orders.points_used", "money", "What paid orders were paid with points for.", '">0"', _points_used,
           "the campaign's currency"),
    Figure("tier", "text", "The tier of the membership by the shop's settings; none: in no tier.",
           "[gold, platinum]", _tier),
    Figure("points", "count", "A member's points that are good today, used ones among them.", '">=500"',
           _points(expiring=False), "points"),
    Figure("points.expiring", "count", f"Of these: points that will have expired in {EXPIRING_DAYS} days.",
           '">=100"', _points(expiring=True), "points"),
)  # fmt: skip
