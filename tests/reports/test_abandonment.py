"""Cart abandonment, asked as the command asks it, against carts worked out one by one."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.domain.members import EXACT_MEMBERS
from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.model import Asked, Row
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.oracle.events import CARTS, ORDERS, Published
from tests.query.events import placed
from tests.reports.histories import fill
from tests.reports.test_traffic_agrees import counted
from tests.reports.traffic_histories import FIRST, ZONE, told

LONG = Period(FIRST, FIRST + timedelta(days=9), ZONE)
FIGURES = ("carts", "carts_paid", "abandonment_rate")


def add(day: int, who: str, hour: float = 12) -> Published:
    return told(CARTS, day * 24 + hour, who, action="add", sku="A")


def paid(day: int, who: str, name: str = "o", hour: float = 13) -> Published:
    return told(ORDERS, day * 24 + hour, who, order_id=name, status="paid", lines=[])


def asked(
    store: Database, events: Sequence[Published], period: Period, by: str | None, known_until: date
) -> list[Row]:
    watermark = Period(known_until, known_until, ZONE).until_ms
    question = Asked("s", period, by, live=counted(events, "s", watermark=watermark))
    with store.reading() as connection:
        return [line.row for line in answer(connection, REPORTS["carts"], question).lines]


def numbers(row: Row) -> tuple[float | None, ...]:
    return tuple(row.values[name].number for name in FIGURES)


drawn = st.lists(
    st.tuples(st.sampled_from(["add", "add", "paid"]), st.integers(0, 12), st.sampled_from("abcd")),
    max_size=25,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=drawn,
    shuffler=st.randoms(use_true_random=False),
    length=st.integers(1, 10),
    over=st.integers(0, 13),
)
def test_a_cart_is_paid_by_who_pays_within_three_days(
    store: Database,
    drawn: list[tuple[str, int, str]],
    shuffler: random.Random,
    length: int,
    over: int,
) -> None:
    adds = {(day, who) for what, day, who in drawn if what == "add"}
    payments = {(day, who) for what, day, who in drawn if what == "paid"}
    events = [add(day, who) for what, day, who in drawn if what == "add"]
    events += [paid(day, who, f"o{day}") for day, who in payments]
    shuffler.shuffle(events)
    period = Period(FIRST, FIRST + timedelta(days=length - 1), ZONE)
    whole, *parts = asked(store, events, period, "day", FIRST + timedelta(days=over))

    def expected(days: range) -> tuple[float | None, ...]:
        # A cart of day d is decided when d + 3 is over, and the last day over is ``over``.
        decided = [(day, who) for day, who in adds if day in days and day + 3 <= over]
        sends_carts = any(day in days for day, _ in adds)
        sends_orders = any(day < length + 3 for day, _ in payments)
        if not sends_carts or not sends_orders or days.start + 3 > over:
            return None, None, None
        led = [
            (day, who) for day, who in decided if any((day + n, who) in payments for n in range(4))
        ]
        rate = round(1 - round(len(led) / len(decided), 6), 6) if decided else None
        return len(decided), len(led), rate

    assert numbers(whole) == expected(range(length))
    assert [numbers(part) for part in parts] == [
        expected(range(day, day + 1)) for day in range(length)
    ]
    for row in (whole, *parts):
        assert all(value.why for value in row.values.values() if value.number is None)


def test_weeks_are_sums_of_their_days(store: Database) -> None:
    events = [add(day, who) for day in range(10) for who in "abc"] + [paid(3, "a"), paid(9, "b")]
    whole, *weeks = asked(store, events, LONG, "week", date(2026, 12, 31))
    assert numbers(whole) == (30, 8, round(1 - round(8 / 30, 6), 6))
    for name in ("carts", "carts_paid"):
        assert sum(week.values[name].number or 0 for week in weeks) == whole.values[name].number


def test_of_more_customers_than_are_kept_it_is_an_estimate(store: Database) -> None:
    """Half of the carts are paid, which an estimate says to some percent and says that it is one."""
    buyers = [f"c{number}" for number in range(8 * EXACT_MEMBERS)]
    events = [add(0, who) for who in buyers] + [paid(1, who) for who in buyers[::2]]
    whole, *_ = asked(store, events, Period(FIRST, FIRST, ZONE), "day", FIRST + timedelta(days=9))
    assert whole.values["abandonment_rate"].number == pytest.approx(0.5, abs=0.06)
    assert all(whole.values[name].error for name in FIGURES)


def test_by_product_orders_stand_beside_additions_and_carts_are_a_whole(store: Database) -> None:
    events = [add(0, "a"), add(0, "b"), told(CARTS, 1, "a", action="add", sku="B")]
    line = {"sku": "A", "quantity": 1}
    bought = told(ORDERS, 30, "a", order_id="o", status="paid", amount_paid=100, lines=[line])
    fill(store, placed([(ORDERS, bought.value)], 1))
    whole, *parts = asked(store, [*events, bought], LONG, "product", date(2026, 12, 31))
    assert (whole.values["paid_orders"].number, numbers(whole)) == (1, (2, 1, 0.5))
    found = {row.key: row for row in parts}
    assert {key: row.values["adds"].number for key, row in found.items()} == {"A": 2, "B": 1}
    assert {key: row.values["paid_orders"].number for key, row in found.items()} == {"A": 1, "B": 0}
    assert numbers(found["A"]) == (None, None, None)
    assert found["A"].values["carts"].why == "carts are counted as a whole and by time"
