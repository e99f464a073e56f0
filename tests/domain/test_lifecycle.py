"""Life-cycle: each stage at its limits, and the next change as stepping day by day finds it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.lifecycle import next_change, next_change_at, stage
from streams.domain.paid_days import PaidDay
from streams.domain.shop import day_of, start_of_day
from streams.domain.worth import Purchases

TODAY = 19_875


def bought(*days_ago: int, forgotten: int = 0, earlier: int = 0) -> Purchases:
    """One net order on each of these days; ``earlier``: net orders on forgotten days."""
    rows: dict[int, int] = {}
    for age in days_ago:
        rows[TODAY - age] = rows.get(TODAY - age, 0) + 1
    days = [PaidDay(day, orders, 100 * orders) for day, orders in sorted(rows.items())]
    return Purchases(days, days, len(days_ago) + earlier, forgotten)


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        ((), "visitor"),
        ((0,), "new"), ((30,), "new"), ((31,), "active"), ((90,), "active"),
        ((91,), "dormant"), ((180,), "dormant"), ((181,), "lost"),
        # Two orders: the interval of 80 days makes lost later than 180 days ...
        ((240, 160), "dormant"), ((320, 240), "dormant"), ((321, 241), "lost"),
        # ... but makes nobody dormant before 90.
        ((12, 11), "repeat"), ((100, 90), "repeat"), ((101, 91), "dormant"),
        # Three: twice the interval of 10 days.
        ((40, 30, 20), "repeat"), ((41, 31, 21), "dormant"), ((100, 90, 80), "dormant"),
        # Three on one day have no interval.
        ((60, 60, 60), "repeat"), ((91, 91, 91), "dormant"), ((181, 181), "lost"),
        # Won back after 91 days, or after more than twice the own interval; for 30 days.
        ((91, 0), "won_back"), ((90, 0), "repeat"), ((121, 30), "won_back"), ((122, 31), "repeat"),
        ((50, 40, 30, 9), "won_back"), ((50, 40, 30, 10), "repeat"), ((30, 20, 0), "repeat"),
        ((130, 20, 10, 5), "won_back"),
        # In 365 days: today is the first of them.
        ((364, 60), "repeat"), ((365, 60), "active"),
    ],
)  # fmt: skip
def test_the_first_that_fits(days_ago: tuple[int, ...], expected: str) -> None:
    assert stage(bought(*days_ago), TODAY) == expected


def test_a_cancelled_order_never_was() -> None:
    days = [PaidDay(TODAY - 200, 1, 100), PaidDay(TODAY, 1, 100, 1, 100)]
    purchases = Purchases(days, days[:1], 1, 0)
    assert stage(purchases, TODAY) == "lost"


def test_forgotten_days_leave_the_stage_unknown_unless_enough_are_known() -> None:
    few = bought(40, 30, forgotten=TODAY - 50, earlier=7)
    assert (stage(few, TODAY), next_change(few, TODAY)) == (None, None)
    assert stage(bought(forgotten=TODAY - 50, earlier=1), TODAY) is None
    assert stage(bought(forgotten=TODAY - 50), TODAY) == "visitor"
    # Of an erased customer the orders of the whole life are not known either.
    assert stage(bought(forgotten=TODAY - 50)._replace(erased=True), TODAY) is None
    daily = [*range(54, -1, -1)]
    assert stage(bought(*daily, forgotten=TODAY - 55, earlier=7), TODAY) == "repeat"
    assert stage(bought(*daily[1:], forgotten=TODAY - 54, earlier=7), TODAY) is None


#: From one order to the next, days.
STEPS = st.one_of(
    st.sampled_from([0, 1, 29, 30, 31, 60, 89, 90, 91, 180, 181, 365]), st.integers(0, 250)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=8), st.integers(0, 400))
def test_the_next_change_is_the_one_that_stepping_day_by_day_finds(
    steps: list[int], since: int
) -> None:
    ages = [sum(steps[at:]) for at in range(len(steps))]
    purchases = bought(*ages)
    today = TODAY + since
    now = stage(purchases, today)
    changed = next_change(purchases, today)
    horizon = today + 3 * sum(steps) + 400
    stepped = (day for day in range(today + 1, horizon) if stage(purchases, day) != now)
    assert changed == next(stepped, None)


@pytest.mark.parametrize(
    ("days_ago", "changes"),
    [
        ((10,), 21),
        ((40,), 51),
        ((100,), 81),
        ((360, 60), 5),
        ((200, 10), 21),
        ((40, 30, 20), 1),
        ((41, 31, 20), 2),
    ],
)
def test_the_next_change(days_ago: tuple[int, ...], changes: int) -> None:
    """New, active, dormant; no longer two orders in 365 days; won back; twice the own interval."""
    assert next_change(bought(*days_ago), TODAY) == TODAY + changes


def test_it_changes_at_a_midnight_of_the_shop() -> None:
    zone = "Asia/Shanghai"
    changes = next_change_at(bought(10), TODAY, zone)
    assert changes == start_of_day(TODAY + 21, zone)
    assert day_of(changes - 1, zone) == TODAY + 20
    assert next_change_at(bought(), TODAY, zone) is None
    assert next_change_at(bought(200), TODAY, zone) is None
