"""Attribution: last touch, and 40/20/40 by position, over the touches in the window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.attribution import MOST_DAYS, WHOLE, Attribution, attribute
from streams.domain.describe import describe
from streams.domain.facts import LifecycleChanged, OrderAttributed, OrderPaid
from streams.domain.fold import fold
from streams.domain.state import new_state
from streams.domain.touches import NUMBERS, SOURCES, TOUCH
from tests.domain.events import DAY, MINUTE, SHOP, START, Timed, click, fold_all, order


def touches(*sources: str) -> bytes:
    start = START // 1000
    return b"".join(
        TOUCH.pack(NUMBERS[source], at + 1, start + at, start + at)
        for at, source in enumerate(sources)
    )


@pytest.mark.parametrize(
    ("sources", "shares"),
    [
        (["live"], {"live": 10_000}),
        (["live", "search"], {"live": 5_000, "search": 5_000}),
        (["live", "search", "share"], {"live": 4_000, "search": 2_000, "share": 4_000}),
        (["live", "search", "live", "live"], {"live": 9_000, "search": 1_000}),
        # 2,000 parts do not divide by 3: the earliest have one more.
        (
            ["live", "search", "store", "wish", "share"],
            {"live": 4_000, "search": 667, "store": 667, "wish": 666, "share": 4_000},
        ),
    ],
)
def test_the_shares_of_an_order(sources: list[str], shares: dict[str, int]) -> None:
    found = attribute(touches(*sources), START + MINUTE)
    assert found == Attribution(sources[-1], tuple(sorted(shares.items())))


def test_only_touches_in_the_window_count() -> None:
    one = touches("live")
    assert attribute(one, START - 1) is None
    assert attribute(one, START) is not None
    assert attribute(one, START + 3 * DAY - 1) is not None
    assert attribute(one, START + 3 * DAY) is None
    assert attribute(one, START + 30 * DAY - 1, MOST_DAYS) is not None
    for days in (0, MOST_DAYS + 1):
        with pytest.raises(ValueError, match="1 to 30 days"):
            attribute(one, START, days)


@given(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=20))
def test_the_shares_add_up_to_the_order(sources: list[str]) -> None:
    found = attribute(touches(*sources), START + MINUTE)
    assert found is not None
    assert sum(parts for _, parts in found.shares) == WHOLE
    assert {source for source, _ in found.shares} == set(sources)


def _came(event_id: str, minute: int, source: str) -> Timed:
    return click(event_id, START + minute * MINUTE, session_id=event_id, traffic_source=source)


def test_a_payment_is_a_fact_and_counted_by_source() -> None:
    state = fold_all([_came("1", 0, "live"), _came("2", 60, "search"), _came("3", 120, "share")])
    event, time = order("4", START + 121 * MINUTE, "o1", "paid", amount_paid=100)
    shares = (("live", 4_000), ("search", 2_000), ("share", 4_000))
    facts = fold(state, event, time, SHOP)
    assert facts is not None
    assert facts[1] == OrderAttributed("o1", "share", shares)
    again, _ = order("5", time, "o1", "paid", amount_paid=100)
    assert fold(state, again, time, SHOP) is None
    assert describe(state, SHOP)["browsing"]["attribution"] == {
        "window_days": 3,
        "last_touch": {"share": 1},
        "by_position": {"live": 0.4, "search": 0.2, "share": 0.4},
    }


def test_a_payment_without_a_touch_is_owed_to_none() -> None:
    state = new_state("shop", "c1")
    event, time = order("1", START, "o1", "paid")
    facts = fold(state, event, time, SHOP)
    assert facts is not None
    assert [type(fact) for fact in facts] == [OrderPaid, LifecycleChanged]
    assert describe(state, SHOP)["browsing"]["attribution"]["last_touch"] == {}


def test_a_click_that_comes_after_the_payment_changes_nothing() -> None:
    paid = order("1", START + MINUTE, "o1", "paid")
    late = fold_all([paid, _came("2", 0, "live")])
    assert describe(late, SHOP)["browsing"]["attribution"]["last_touch"] == {}
