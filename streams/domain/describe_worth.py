"""What a customer is worth, for people and JSON, as of a moment."""

from typing import Any

from streams.domain.lifecycle import next_change_at, stage
from streams.domain.membership import tier
from streams.domain.moments import moment
from streams.domain.orders import Orders
from streams.domain.rfm import rfm
from streams.domain.shop import ShopSettings, date_of, day_of
from streams.domain.worth import (
    WINDOWS,
    Window,
    expected_next,
    favourite_hour,
    interval,
    purchases_of,
    twelve_months,
    window_of_days,
)


def describe_worth(orders: Orders | None, settings: ShopSettings, as_of: int) -> dict[str, Any]:
    """Worth of ``orders`` on the shop's day of ``as_of`` (ms); None stands for what is not known.

    ``known_from``: the first day of which all paid orders are known, None: that of all days. Amounts
    are minor units. docs/worth.md has the definitions.
    """
    zone = settings.time_zone
    purchases = purchases_of(orders, zone)
    today = day_of(as_of, zone)
    scores = rfm(purchases, today, settings.rfm)
    return {
        "as_of": moment(as_of),
        "day": _date(today),
        "known_from": _date(purchases.forgotten + 1) if purchases.forgotten else None,
        "windows": {
            str(length): _window(window_of_days(purchases, today, length)) for length in WINDOWS
        },
        "twelve_months": _window(twelve_months(purchases, today)),
        "interval_days": interval(purchases),
        "expected_next": _date(expected_next(purchases)),
        "favourite_hour": favourite_hour(orders),
        "rfm": scores._asdict(),
        "lifecycle": {
            "stage": stage(purchases, today),
            "changes_at": moment(next_change_at(purchases, as_of, zone)),
        },
        "tier": tier(purchases, today, settings.tiers),
    }


def _window(window: Window | None) -> dict[str, Any] | None:
    if window is None:
        return None
    return {
        "from": _date(window.first),
        "to": _date(window.last),
        "paid": window.orders,
        "paid_amount": _known(window.amount, window.unknown, window.orders),
        "unknown_amount": window.unknown,
        "net": window.net_orders,
        "net_amount": _known(window.net_amount, window.net_unknown, window.net_orders),
        "net_unknown_amount": window.net_unknown,
    }


def _known(amount: int, unknown: int, orders: int) -> int | None:
    """None where there are orders and no amount of theirs is known."""
    return None if unknown == orders > 0 else amount


def _date(day: int | None) -> str | None:
    return None if day is None else date_of(day).isoformat()
