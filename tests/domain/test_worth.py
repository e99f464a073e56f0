"""Worth of a state: on which day an order counts, what is forgotten, and states of version 1."""

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.describe import describe
from streams.domain.orders import OPEN_ORDERS, PAST_ORDERS
from streams.domain.paid_days import PaidDay
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.domain.worth import Purchases, expected_next, interval
from streams.state.codec import decode, encode
from tests.domain.events import DAY, SHOP, START, Timed, build, fold_all, order, profile
from tests.domain.test_any_order import order_events, refund_events

HOUR = DAY // 24


def worth(state: CustomerState, as_of: int, shop: ShopSettings = SHOP) -> dict[str, Any]:
    shown: dict[str, Any] = describe(state, shop, as_of)["worth"]
    return shown


def window(shown: dict[str, Any], days: int) -> tuple[int, int, int, int]:
    found = shown["windows"][str(days)]
    return found["paid"], found["paid_amount"], found["net"], found["net_amount"]


def test_windows_end_with_the_day_of_the_moment_and_begin_with_a_whole_one() -> None:
    # 16:00 UTC is midnight in Shanghai: the second order is a day later there.
    state = fold_all(
        [
            order("1", START + 16 * HOUR - 1, "A", "paid", amount_paid=100),
            order("2", START + 16 * HOUR, "B", "paid", amount_paid=200),
        ]
    )
    last = START + 29 * DAY + 16 * HOUR
    assert window(worth(state, last - 1), 30) == (2, 300, 2, 300)
    assert window(worth(state, last), 30) == (1, 200, 1, 200)
    assert window(worth(state, last + DAY), 30) == (0, 0, 0, 0)
    assert window(worth(state, last + DAY), 90) == (2, 300, 2, 300)
    assert worth(state, last)["windows"]["30"]["from"] == "2024-06-02"


def test_a_later_change_counts_on_the_day_of_the_payment_whatever_the_shops_clock_is_then() -> None:
    paid = START + 20 * HOUR
    moved = ShopSettings("shop", "America/New_York", "USD")
    state = fold_all([order("1", paid, "A", "paid", amount_paid=1_000)])
    later = order("2", paid + 50 * DAY, "A", "refunded", refund_id="r", amount=400)
    state = fold_all([later], state, moved)
    assert window(worth(state, paid + 50 * DAY), 365) == (1, 1_000, 1, 600)
    assert window(worth(state, paid + 50 * DAY), 30) == (0, 0, 0, 0)
    state = fold_all([order("3", paid + 60 * DAY, "A", "cancelled")], state, moved)
    assert window(worth(state, paid + 60 * DAY), 365) == (1, 1_000, 0, 0)
    assert worth(state, paid + 60 * DAY)["lifecycle"]["stage"] == "visitor"


def test_refunds_of_orders_that_left_the_open_ones_find_their_day() -> None:
    count = OPEN_ORDERS + 20
    paid = [
        order(f"p{number}", START + number * DAY, f"O{number}", "paid", amount_paid=1_000)
        for number in range(count)
    ]
    end = START + count * DAY
    refunds = [
        order(f"r{number}", end, f"O{number}", "refunded", refund_id="r", amount=1_000)
        for number in range(0, count, 2)
    ]
    random.Random(2).shuffle(refunds)
    shown = worth(fold_all([*paid, *refunds]), end)
    assert window(shown, 365) == (count, count * 1_000, count // 2, count // 2 * 1_000)
    assert shown["interval_days"] == 2.0
    assert shown["expected_next"] == "2024-07-08"


def test_a_shop_that_moves_west_is_not_yet_on_the_day_of_its_newest_order() -> None:
    # In Shanghai the order is of June 2; in New York it is June 1 for another eight hours.
    state = fold_all([order("1", START + 20 * HOUR, "A", "paid", amount_paid=1_000)])
    moved = ShopSettings("shop", "America/New_York", "USD")
    shown = worth(state, START + 20 * HOUR, moved)
    assert shown["day"] == "2024-06-02"
    assert window(shown, 30) == (1, 1_000, 1, 1_000)
    assert (shown["rfm"]["recency_days"], shown["lifecycle"]["stage"]) == (0, "new")
    assert shown["lifecycle"]["changes_at"] == "2024-07-03T04:00:00.000Z"


def test_of_an_erased_customer_earlier_days_are_unknown_and_not_empty() -> None:
    erased = profile("x", START, "erase")
    shown = worth(fold_all([erased]), START + DAY)
    assert (shown["known_from"], shown["why_unknown"]) == (
        "2024-06-02",
        "erased at 2024-06-01T00:00:00.000Z",
    )
    assert {*shown["windows"].values(), shown["twelve_months"], shown["tier"]} == {None}
    assert (shown["rfm"]["scored"], shown["lifecycle"]["stage"]) == (None, None)
    since = order("1", START + 2 * DAY, "A", "paid", amount_paid=1_000)
    shown = worth(fold_all([erased, since]), START + 30 * DAY)
    assert window(shown, 30) == (1, 1_000, 1, 1_000)
    assert (shown["windows"]["90"], shown["rfm"]["orders"]) == (None, None)
    assert (shown["rfm"]["scored"], shown["rfm"]["r"], shown["tier"]) == (True, 5, None)
    shown = worth(fold_all([erased, since]), START + 400 * DAY)
    assert window(shown, 365) == (0, 0, 0, 0)
    assert (shown["tier"], shown["lifecycle"]["stage"]) == ("none", None)


def test_the_favourite_hour_is_the_shops_and_the_earliest_of_equal_ones() -> None:
    state = fold_all([order(f"{hour}", START + hour * HOUR, f"{hour}", "paid") for hour in (3, 1)])
    assert worth(state, START + DAY)["favourite_hour"] == 9


def _purchases(*days: int, forgotten: int = 0) -> Purchases:
    rows = [PaidDay(day, 1, 100) for day in days]
    return Purchases(rows, rows, len(rows) + (1 if forgotten else 0), forgotten)


def test_the_interval_is_that_of_the_newest_24_days() -> None:
    seldom = [1_000 + 10 * number for number in range(40)]
    often = [seldom[-1] + 3 * number for number in range(1, 13)]
    # Of the 23 distances the 12 newest are 3; one day less, and those of 10 are more.
    assert interval(_purchases(*seldom, *often)) == 3.0
    assert interval(_purchases(*seldom, *often[:-1])) == 10.0
    assert expected_next(_purchases(*seldom, *often)) == often[-1] + 3


def test_the_interval_of_few_days_is_unknown_where_some_were_forgotten() -> None:
    days = [1_000 + 10 * number for number in range(24)]
    assert interval(_purchases(*days, forgotten=999)) == 10.0
    assert interval(_purchases(*days[1:], forgotten=1_000)) is None
    assert expected_next(_purchases(*days[1:], forgotten=1_000)) is None
    assert interval(_purchases(*days[1:])) == 10.0
    assert interval(_purchases(1_000)) is None


def _busy_years(count: int) -> CustomerState:
    """Two large orders on each of ``count`` days, one of them refunded in part."""
    events: list[Timed] = []
    for number in range(count):
        at = START + number * DAY
        events += [
            order(f"a{number}", at, f"A{number}", "paid", amount_paid=10**12),
            order(f"b{number}", at, f"B{number}", "paid", amount_paid=10**12),
            order(f"c{number}", at, f"B{number}", "refunded", refund_id="r", amount=10**11),
        ]
    return fold_all(events)


def test_what_would_need_forgotten_days_is_unknown_and_the_rest_is_right() -> None:
    count = 300
    state = _busy_years(count)
    assert state.orders is not None
    shown = worth(state, START + (count - 1) * DAY)
    assert shown["known_from"] is not None
    assert window(shown, 90) == (180, 180 * 10**12, 180, 90 * 19 * 10**11)
    assert shown["windows"]["365"] is None
    assert shown["twelve_months"] is None
    assert shown["tier"] is None
    assert (shown["rfm"]["r"], shown["rfm"]["f"], shown["rfm"]["segment"]) == (5, None, None)
    # Of the interval and the stage enough is known.
    assert (shown["interval_days"], shown["lifecycle"]["stage"]) == (1.0, "repeat")
    # What is said of an order of a forgotten day changes nothing that is known.
    kept = state.orders.days
    fold_all([order("late", START + 400 * DAY, "A250", "shipped")], state)
    fold_all([order("new", START, "N", "paid", amount_paid=5)], state)
    assert state.orders.days == kept
    # Once those days are out of every window all is known again.
    later = worth(state, START + (count + 800) * DAY)
    assert window(later, 365) == (0, 0, 0, 0)
    assert later["rfm"]["segment"] == "lost"
    assert later["tier"] == "none"


# --- states of version 1


def version_1(state: CustomerState) -> bytes:
    """``state`` as the build before the days would have written it."""
    whole = msgspec.msgpack.decode(encode(state))
    whole[0] = 1
    orders = whole[9]
    if orders is not None:
        past = bytearray(orders[5])
        for at in range(0, len(past), 35):
            past[at + 33 : at + 35] = bytes(2)
        opened = [each[:11] for each in orders[4]]
        whole[9] = [*orders[:4], opened, bytes(past), orders[6]]
    return msgspec.msgpack.encode(whole)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(order_events, refund_events), max_size=25), st.integers(0, 25))
def test_a_state_of_version_1_catches_up(drawn: list[tuple[Any, ...]], cut: int) -> None:
    events = build(drawn)
    older = decode(version_1(fold_all(events[:cut])))
    end = START + 30 * DAY
    assert describe(older, SHOP, end) == describe(fold_all(events[:cut]), SHOP, end)
    whole = fold_all(events[cut:], older)
    expected = fold_all(events)
    assert describe(whole, SHOP, end) == describe(expected, SHOP, end)
    if events[cut:]:
        # What time will change is planned when the next order changes what was paid.
        whole.agenda = expected.agenda = None
        assert encode(whole) == encode(expected)


def test_a_repeat_leaves_a_state_of_version_1_as_it_is() -> None:
    older = decode(version_1(fold_all([order("1", START, "A", "paid", amount_paid=100)])))
    before = encode(older)
    for again in (
        order("2", START + DAY, "A", "paid", amount_paid=100),
        order("1", START, "A", "paid", amount_paid=100),
    ):
        fold_all([again], older)
    assert encode(older) == before


def _many(count: int, first: int = 0) -> list[Timed]:
    return [
        order(f"p{number}", START + number * DAY, f"O{number}", "paid", amount_paid=100)
        for number in range(first, first + count)
    ]


@pytest.mark.parametrize("known", [True, False])
def test_a_state_of_version_1_knows_its_days_while_it_knows_its_orders(known: bool) -> None:
    count = OPEN_ORDERS + PAST_ORDERS + (0 if known else 1)
    older = decode(version_1(fold_all(_many(count))))
    end = START + count * DAY
    shown = worth(older, end)
    if known:
        assert shown == worth(fold_all(_many(count)), end)
        refund = order("r", end, "O0", "refunded", refund_id="r", amount=40)
        assert window(worth(fold_all([refund], older), end), 180) == (96, 9_600, 96, 9_560)
        return
    assert shown["known_from"] == "2024-09-06"
    assert (shown["windows"]["30"], shown["tier"], shown["rfm"]["r"]) == (None, None, None)
    # Orders of later days are known; those of before are not, and their refunds change nothing.
    refund = order("r", end, "O50", "refunded", refund_id="r", amount=40)
    upgraded = fold_all([refund, *_many(1, count)], older)
    shown = worth(upgraded, end + 29 * DAY)
    assert window(shown, 30) == (1, 100, 1, 100)
    assert (shown["windows"]["90"], shown["lifecycle"]["stage"]) == (None, None)


def test_the_examples_of_version_1() -> None:
    folder = Path(__file__).parent / "golden" / "v1"
    full = decode((folder / "full.msgpack").read_bytes())
    today = decode((folder.parent / "v2" / "full.msgpack").read_bytes())
    # The newer example has been erased before all of its orders.
    assert (today.erased_at, full.erased_at) == (START - DAY, None)
    today.erased_at = None
    assert worth(full, START + 30 * DAY) == worth(today, START + 30 * DAY)
    busy = worth(decode((folder / "busy.msgpack").read_bytes()), START + 30 * DAY)
    assert busy["known_from"] == "2024-06-13"
