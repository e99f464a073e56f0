"""What a customer is worth, for people and JSON, as of a moment."""

from typing import Any

from streams.domain.lifecycle import next_change_at, stage
from streams.domain.membership import tier
from streams.domain.moments import moment
from streams.domain.orders import Orders
from streams.domain.paid_days import within_days
from streams.domain.points import points
from streams.domain.rfm import rfm
from streams.domain.shop import ShopSettings, date_of, day_of
from streams.domain.worth import (
    WINDOWS,
    Purchases,
    Window,
    expected_next,
    favourite_hour,
    interval,
    purchases_of,
    twelve_months,
    window_of_days,
)


def describe_worth(
    orders: Orders | None, settings: ShopSettings, as_of: int, erased_at: int | None = None
) -> dict[str, Any]:
    """Worth of ``orders`` on the shop's day of ``as_of`` (ms); None stands for what is not known.

    ``known_from``: the first day of which all paid orders are known, None: that of all days;
    ``why_unknown`` says why earlier ones are not. ``erased_at``: when the customer was erased, ms.
    Amounts are minor units. docs/worth.md has the definitions.
    """
    zone = settings.time_zone
    purchases = purchases_of(orders, zone, erased_at)
    today = day_of(as_of, zone)
    if purchases.days:
        # A shop that moved its clock to the west has had days that are yet to come on the new one.
        today = max(today, purchases.days[-1].day)
    scores = rfm(purchases, today, settings.rfm)
    return {
        "as_of": moment(as_of),
        "day": _date(today),
        "known_from": _date(purchases.forgotten + 1) if purchases.forgotten else None,
        "why_unknown": _why(purchases, zone, erased_at),
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
            "changes_at": moment(next_change_at(purchases, today, zone)),
        },
        "tier": tier(purchases, today, settings.tiers),
    }


def describe_points(
    orders: Orders | None,
    settings: ShopSettings,
    as_of: int,
    erased_at: int | None,
    joined_at: int | None,
    used_amount: int | None,
) -> dict[str, Any]:
    """A member's points (streams.domain.points) on the shop's day of ``as_of`` (ms).

    ``used_amount``: minor units that were paid with points; None: no order said so. What is None is
    not known, or there is none of it: ``why_unknown`` says why.
    """
    zone = settings.time_zone
    purchases = purchases_of(orders, zone, erased_at)
    today = day_of(as_of, zone)
    found = points(purchases, today, None if joined_at is None else day_of(joined_at, zone))
    why = _why(purchases, zone, erased_at) if joined_at is not None else "no member"
    return {
        "earned": None if found is None else found.earned,
        "expiring": None if found is None else found.expiring,
        "unknown_amounts": None if found is None else found.unknown_amounts,
        "used_amount": used_amount,
        "why_unknown": why if found is None else None,
    }


def _why(purchases: Purchases, zone: str, erased_at: int | None) -> str | None:
    """Why paid orders before ``known_from`` are not known; None: all are."""
    if not purchases.forgotten:
        return None
    if erased_at is not None and purchases.forgotten == within_days(day_of(erased_at, zone)):
        return f"erased at {moment(erased_at)}"
    return "earlier days have left the state"


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
