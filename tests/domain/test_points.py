"""Points of membership: earned by net paid money, good for a year."""

from typing import Any

from streams.domain.describe import describe
from tests.domain.events import DAY, SHOP, START, Timed, fold_all, order, profile

JOINED = profile("j", START, "joined_membership")


def paid(number: int, day: int, amount: int | None, **data: Any) -> Timed:
    return order(f"p{number}", START + day * DAY, f"o{number}", "paid", amount_paid=amount, **data)


def points(events: list[Timed], day: int) -> dict[str, Any]:
    found: dict[str, Any] = describe(fold_all(events), SHOP, START + day * DAY)["points"]
    return found


def test_a_member_earns_a_point_for_every_full_unit_of_a_days_net_money() -> None:
    events = [JOINED, paid(1, 1, 1_999), paid(2, 1, 150), paid(3, 2, 99)]
    assert points(events, 3) == {
        "earned": 21, "expiring": 0, "unknown_amounts": 0, "used_amount": None, "why_unknown": None,
    }  # fmt: skip


def test_what_was_bought_before_joining_earns_nothing() -> None:
    assert points([JOINED, paid(1, -1, 10_000), paid(2, 0, 200)], 3)["earned"] == 2


def test_a_refund_takes_the_points_back() -> None:
    refund = order("r", START + 5 * DAY, "o1", "refunded", refund_id="r", amount=500)
    assert points([JOINED, paid(1, 1, 1_000), refund], 6)["earned"] == 5
    cancel = order("c", START + 5 * DAY, "o1", "cancelled")
    assert points([JOINED, paid(1, 1, 1_000), cancel], 6)["earned"] == 0


def test_points_are_good_for_365_days_and_expire_within_30_before() -> None:
    events = [JOINED, paid(1, 1, 1_000)]
    found = {day: points(events, day) for day in (335, 336, 365, 366)}
    assert {day: (each["earned"], each["expiring"]) for day, each in found.items()} == {
        335: (10, 0), 336: (10, 10), 365: (10, 10), 366: (0, 0),
    }  # fmt: skip


def test_what_was_paid_with_points_is_known_in_money_where_an_order_says_so() -> None:
    events = [
        JOINED,
        paid(1, 1, 1_000, points_used=300),
        paid(2, 1, 1_000),
        paid(3, 2, 9, points_used=0),
    ]
    assert points(events, 3)["used_amount"] == 300


def test_what_is_not_known_says_why() -> None:
    assert points([paid(1, 1, 1_000)], 2) == {
        "earned": None, "expiring": None, "unknown_amounts": None, "used_amount": None,
        "why_unknown": "no member",
    }  # fmt: skip
    assert points([JOINED, paid(1, 1, None)], 2)["unknown_amounts"] == 1
    assert describe(fold_all([JOINED]), None)["points"] is None
    erased = [
        profile("e", START + DAY, "erase"),
        profile("k", START + 2 * DAY, "joined_membership"),
    ]
    assert points(erased, 2)["earned"] == 0
