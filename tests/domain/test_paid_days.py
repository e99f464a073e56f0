"""Rows of paid days: sums whatever the order of their changes, and bounded in bytes."""

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.paid_days import (
    DAYS_BYTES,
    DAYS_BYTES_KEPT,
    LAST_DAY,
    PaidDay,
    add,
    bound,
    read,
    within_days,
)

TODAY = 19_875
CHANGES = st.lists(
    st.builds(
        PaidDay,
        st.one_of(st.integers(TODAY - 5, TODAY + 5), st.sampled_from([1, TODAY - 400, LAST_DAY])),
        st.integers(0, 3),
        st.sampled_from([0, 1, 5_000, 10**12]),
        *[st.sampled_from([0, 0, 0, 1, 300])] * 4,
    ),
    max_size=20,
)


@settings(max_examples=300, deadline=None)
@given(CHANGES)
def test_rows_are_the_sums_of_their_changes(changes: list[PaidDay]) -> None:
    days = b""
    sums: dict[int, list[int]] = {}
    for change in changes:
        days = add(days, change)
        row = sums.setdefault(change.day, [0] * 6)
        sums[change.day] = [old + new for old, new in zip(row, change[1:], strict=True)]
        assert read(days) == [PaidDay(day, *sums[day]) for day in sorted(sums) if any(sums[day])]


@settings(max_examples=300, deadline=None)
@given(CHANGES, st.randoms(use_true_random=False))
def test_what_is_taken_out_and_put_back_leaves_no_trace(
    changes: list[PaidDay], shuffler: random.Random
) -> None:
    days = b""
    for change in changes:
        days = add(days, change)
    taken = shuffler.sample(changes, len(changes) // 2)
    without = days
    for change in taken:
        without = add(without, PaidDay(change.day, *(-field for field in change[1:])))
    others = list(changes)
    for change in taken:
        others.remove(change)
    never = b""
    for change in others:
        never = add(never, change)
    assert without == never
    for change in reversed(taken):
        without = add(without, change)
    assert without == days


@settings(max_examples=100, deadline=None)
@given(CHANGES, st.randoms(use_true_random=False))
def test_equal_rows_have_equal_bytes(changes: list[PaidDay], shuffler: random.Random) -> None:
    shuffled = list(changes)
    shuffler.shuffle(shuffled)
    found = []
    for ordered in (changes, shuffled):
        days = b""
        for change in ordered:
            days = add(days, change)
        found.append(days)
    assert found[0] == found[1]


def test_a_row_undone_by_a_later_change_is_that_of_a_lost_order() -> None:
    days = add(b"", PaidDay(TODAY, 1, 5_000))
    days = add(days, PaidDay(TODAY, lost_orders=1, lost_amount=5_000))
    (row,) = read(days)
    assert (row.orders, row.amount) == (1, 5_000)
    assert (row.net_orders, row.net_amount, row.net_unknown) == (0, 0, 0)


def test_any_language_reads_them() -> None:
    days = b""
    for change in (
        PaidDay(TODAY, 1, 1990),
        PaidDay(TODAY - 3, 2, 500, lost_orders=1, lost_amount=200),
        PaidDay(TODAY - 40, 1, 0, unknown=1),
    ):
        days = add(days, change)
    newest = [TODAY << 2, 1990]
    middle = [3 << 2 | 1 | 2, 2, 500, 1, 200, 0, 0]
    oldest = [37 << 2 | 2, 0, 0, 0, 1, 0]
    assert msgspec.msgpack.decode(days) == newest + middle + oldest


def test_a_year_and_a_month_of_orders_every_day_fit() -> None:
    days = b""
    for number in range(398):
        days = add(days, PaidDay(TODAY + number, 1, 99_900 + number))
    assert 2_300 < len(days) < 2_500 < DAYS_BYTES
    assert len(read(days)) == 398


def test_the_oldest_days_leave_and_the_newest_of_them_is_told() -> None:
    days = b""
    for number in range(300):
        days = add(days, PaidDay(TODAY + number, 2, 10**12, 1, 10**11))
        if len(days) > DAYS_BYTES:
            break
    whole = read(days)
    kept, forgotten = bound(days)
    rows = read(kept)
    assert DAYS_BYTES_KEPT - 30 < len(kept) <= DAYS_BYTES_KEPT
    assert rows == whole[-len(rows) :]
    assert forgotten == whole[-len(rows) - 1].day
    assert bound(kept) == (kept, 0)
    assert bound(b"") == (b"", 0)


def test_days_that_no_calendar_has_are_the_nearest_that_fit() -> None:
    assert [within_days(day) for day in (-5, 0, 1, TODAY, 10**6)] == [1, 1, 1, TODAY, LAST_DAY]
