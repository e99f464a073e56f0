"""Tiers: up on the day that reaches one, down when a month begins."""

from datetime import date

import pytest

from schemas.settings import Tier
from streams.domain.membership import tier
from streams.domain.paid_days import PaidDay
from streams.domain.shop import day_of_date
from streams.domain.worth import Purchases, first_of_year

TIERS = (
    Tier(name="silver", orders=2), Tier(name="gold", orders=2, amount=1_000),
    Tier(name="black", orders=4, amount=1_000),
)  # fmt: skip


def day(text: str) -> int:
    return day_of_date(date.fromisoformat(text))


def tier_on(text: str, *paid: tuple[str, int, int], forgotten: int = 0) -> str | None:
    """``paid``: dates, orders, money."""
    days = [PaidDay(day(on), orders, amount) for on, orders, amount in sorted(paid)]
    net = sum(row.orders for row in days)
    return tier(Purchases(days, days, net, forgotten), day(text), TIERS)


@pytest.mark.parametrize(
    ("orders", "amount", "expected"),
    [
        (0, 0, "none"), (1, 5_000, "none"), (2, 0, "silver"), (2, 999, "silver"),
        (3, 1_000, "gold"), (4, 999, "silver"), (4, 1_000, "black"),
    ],
)  # fmt: skip
def test_both_orders_and_money_are_reached(orders: int, amount: int, expected: str) -> None:
    assert tier_on("2024-06-15", ("2024-06-01", orders, amount)) == expected


def test_up_at_once() -> None:
    paid = [("2024-05-20", 1, 600), ("2024-06-10", 1, 600)]
    assert [tier_on(on, *paid) for on in ("2024-06-09", "2024-06-10", "2024-06-11")] == [
        "none", "gold", "gold",
    ]  # fmt: skip


def test_down_when_the_month_begins() -> None:
    # Of the year until 2024-06-10 the first order is no part, yet June keeps what May's end gave.
    paid = [("2023-06-10", 1, 600), ("2024-05-20", 1, 600)]
    months = ("2024-05-31", "2024-06-09", "2024-06-10", "2024-06-30", "2024-07-01")
    assert [tier_on(on, *paid) for on in months] == ["gold"] * 4 + ["none"]


def test_what_was_reached_within_the_month_is_kept_until_its_end() -> None:
    # On June 5 four orders are in the year; from June 6 on there are three.
    paid = [("2023-06-05", 1, 600), ("2024-05-20", 1, 600), ("2024-06-04", 2, 10)]
    assert tier_on("2024-06-03", *paid) == "gold"
    assert tier_on("2024-06-04", *paid) == "black"
    assert tier_on("2024-06-30", *paid) == "black"
    assert tier_on("2024-07-01", *paid) == "silver"


def test_a_refund_takes_the_tier_that_rested_on_it() -> None:
    row = PaidDay(day("2024-06-10"), 2, 1_500, lost_orders=1, lost_amount=600)
    assert tier(Purchases([row], [row], 1, 0), day("2024-06-11"), TIERS) == "none"


def test_the_twelve_months() -> None:
    for last, first in (
        ("2024-06-15", "2023-06-16"), ("2024-02-29", "2023-03-01"), ("2023-02-28", "2022-03-01"),
        ("2024-12-31", "2024-01-01"), ("2025-02-28", "2024-02-29"),
    ):  # fmt: skip
        assert first_of_year(day(last)) == day(first)


def test_a_shop_without_tiers_has_none() -> None:
    row = PaidDay(day("2024-06-10"), 9, 10**9)
    assert tier(Purchases([row], [row], 9, 0), day("2024-06-11"), ()) == "none"


def test_forgotten_days_leave_it_unknown() -> None:
    paid = ("2024-06-01", 9, 10**9)
    first = day("2023-06-01")
    assert tier_on("2024-06-15", paid, forgotten=first - 1) == "black"
    assert tier_on("2024-06-15", paid, forgotten=first) is None
