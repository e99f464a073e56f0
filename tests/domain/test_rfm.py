"""RFM: scores by thresholds, and a table in which every combination has one segment."""

import itertools
import re
from pathlib import Path
from typing import get_args

import pytest

from streams.domain.paid_days import PaidDay
from streams.domain.rfm import SCORES, SEGMENTS, Rfm, Segment, rfm, segment_of
from streams.domain.shop import DEFAULT_RFM
from streams.domain.worth import Purchases

TODAY = 19_875
DOCUMENT = Path(__file__).parents[2] / "docs" / "worth.md"


def scored(*days: PaidDay, forgotten: int = 0, net_orders: int | None = None) -> Rfm:
    bought = [day for day in days if day.net_orders]
    net = sum(day.net_orders for day in bought) if net_orders is None else net_orders
    return rfm(Purchases(list(days), bought, net, forgotten), TODAY, DEFAULT_RFM)


def test_every_combination_of_scores_is_in_exactly_one_row() -> None:
    combinations = list(itertools.product(SCORES, repeat=3))
    assert len(combinations) == 125
    for scores in combinations:
        rows = [
            segment
            for *ranges, segment in SEGMENTS
            if all(low <= score <= high for score, (low, high) in zip(scores, ranges, strict=True))
        ]
        assert len(rows) == 1, scores
        assert segment_of(*scores) == rows[0]
    assert {segment for *_, segment in SEGMENTS} == set(get_args(Segment))
    with pytest.raises(ValueError, match="scores are 1 to 5"):
        segment_of(0, 1, 1)


def test_the_document_has_the_table_and_the_defaults() -> None:
    text = DOCUMENT.read_text()
    printed = re.findall(r"^\| ([\d-]+) \| ([\d-]+) \| ([\d-]+) \| (\w+) \|$", text, re.MULTILINE)

    def pair(cell: str) -> tuple[int, int]:
        low, _, high = cell.partition("-")
        return int(low), int(high or low)

    rows = [(pair(r), pair(f), pair(m), segment) for r, f, m, segment in printed]
    assert rows == list(SEGMENTS)
    for name, limits in (
        ("recency_days", DEFAULT_RFM.recency_days),
        ("orders", DEFAULT_RFM.orders[::-1]),
        ("amount", DEFAULT_RFM.amount[::-1]),
    ):
        cells = " | ".join(map(str, limits))
        assert re.search(rf"^\| `{name}`, at \w+ \| {cells} \| \w+ \|$", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("age", "score"), [(0, 5), (30, 5), (31, 4), (60, 4), (61, 3), (91, 2), (180, 2), (181, 1)]
)
def test_recency(age: int, score: int) -> None:
    found = scored(PaidDay(TODAY - age, 1, 1))
    assert (found.recency_days, found.r) == (age, score)


@pytest.mark.parametrize(("orders", "score"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (10, 5)])
def test_frequency(orders: int, score: int) -> None:
    assert scored(PaidDay(TODAY, orders, 1)).f == score


@pytest.mark.parametrize(
    ("amount", "score"), [(0, 1), (99_99, 1), (100_00, 2), (300_00, 3), (1_000_00, 4), (10**12, 5)]
)
def test_money(amount: int, score: int) -> None:
    found = scored(PaidDay(TODAY, 1, amount))
    assert (found.amount, found.m) == (amount, score)


def test_f_and_m_are_net_and_of_365_days() -> None:
    days = (
        PaidDay(TODAY - 365, 5, 5_000),
        PaidDay(TODAY - 364, 2, 3_000, lost_orders=1, lost_amount=1_000),
        PaidDay(TODAY, 3, 9_000, lost_orders=3, lost_amount=9_000),
    )
    found = scored(*days)
    assert (found.recency_days, found.orders, found.amount) == (364, 1, 2_000)


def test_who_never_bought_is_not_scored_and_who_did_so_long_ago_is() -> None:
    assert scored() == scored(PaidDay(TODAY, 1, 500, 1, 500)) == Rfm(scored=False)
    found = scored(PaidDay(TODAY - 800, 9, 10**9))
    assert (found.r, found.f, found.m, found.segment) == (1, 1, 1, "lost")


def test_money_that_is_not_known_is_no_score() -> None:
    none = scored(PaidDay(TODAY, 3, 0, unknown=3))
    assert (none.amount, none.unknown_amounts, none.m, none.segment) == (None, 3, None, "potential")
    # 10,000 at least: 1 to 5 makes champions or loyal.
    some = scored(PaidDay(TODAY, 12, 1_000, unknown=1))
    assert (some.amount, some.unknown_amounts, some.m, some.segment) == (1_000, 1, None, None)
    enough = scored(PaidDay(TODAY, 12, 1_000_00, unknown=1))
    assert (enough.m, enough.segment) == (None, "champions")


def test_forgotten_days_leave_what_needs_them_unknown() -> None:
    within = scored(PaidDay(TODAY, 1, 1), forgotten=TODAY - 364, net_orders=9)
    assert (within.recency_days, within.r) == (0, 5)
    assert (within.orders, within.f, within.m, within.segment) == (None, None, None, None)
    before = scored(PaidDay(TODAY, 1, 1), forgotten=TODAY - 365, net_orders=9)
    assert (before.orders, before.f) == (1, 1)
    gone = scored(forgotten=TODAY - 10, net_orders=9)
    assert gone == Rfm(scored=True)
