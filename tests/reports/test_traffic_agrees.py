"""Real folds, counted and added up over partitions, against the independent computation of traffic."""

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.partitioner import partition_of
from streams.domain.aggregated import AggregatesInMemory, PartitionAggregates
from streams.domain.aggregates import aggregate, unfold
from streams.domain.aggregates.names import parts_of, values_of
from streams.domain.fold import fold
from streams.domain.increments import Increments
from streams.domain.shop import ShopSettings, day_of_date
from streams.domain.state import CustomerState, new_state
from tests.oracle import taobao
from tests.oracle.decoding import decoded
from tests.oracle.events import Published
from tests.reports.traffic_histories import (
    FIRST,
    SAMPLE_DAYS,
    ZONE,
    histories,
    histories_of_orders,
    published_row,
)
from tests.reports.traffic_oracle import Days, Traffic
from tests.taobao import sample_file

PARTITIONS = 3
#: Events of a commit: few, so that what is gathered in one is added to what others left.
COMMIT = 7


def counted(
    published: Sequence[Published], shop: str, commit: int = COMMIT, watermark: int | None = None
) -> AggregatesInMemory:
    """Folded in the order given, by customers' partitions, as the worker does."""
    partitions = [PartitionAggregates() for _ in range(PARTITIONS)]
    states: dict[str, CustomerState] = {}
    zone = ShopSettings(shop, ZONE)
    for number, partition in enumerate(partitions):
        own = [e for e in published if partition_of(e.key.encode(), PARTITIONS) == number]
        items = decoded(own)
        for first in range(0, len(items), commit):
            increments = Increments()
            for item in items[first : first + commit]:
                event, time = item.event, item.time_ms
                if event.data.shop_id != shop:
                    continue
                state = states.setdefault(event.subject, new_state(shop, event.subject))
                facts = fold(state, event, time, zone)
                if facts is not None:
                    aggregate(increments, state, event, time, facts, zone)
            unfold(increments)
            partition.apply(increments)
    return AggregatesInMemory(partitions, watermark)


def agree(live: AggregatesInMemory, expected: Traffic, shop: str) -> None:
    """Every figure that both have, over the days of ``expected`` as one range.

    Parts are compared where none was left out at a bound; the whole always is.
    """
    first, last = expected.days.first, expected.days.last
    days = range(day_of_date(first), day_of_date(last) + 1)
    sums: Counter[str] = Counter()
    for fields in live.counts(shop, days).values():
        sums.update(fields)
    names = live.names(shop, days)
    distinct = live.distinct(shop, days, names)

    def number(name: str) -> int:
        found = distinct.get(name)
        return 0 if found is None else found.number

    def sets(figure: str, dimension: str) -> dict[str, int]:
        of = values_of(names, figure, dimension)
        return {value: number(f"{figure}|{dimension}|{value}") for value in of}

    def sizes(parts: dict[str, set[str]]) -> dict[str, int]:
        return {value: len(who) for value, who in parts.items()}

    for figure in ("visitors", "adders", "placers", "payers", "sessions"):
        assert figure not in distinct or distinct[figure].exact
        assert number(figure) == len(getattr(expected, figure)), figure
    for figure, events in (
        ("visits", expected.visits), ("views", expected.views), ("searches", expected.searches),
        ("adds", expected.adds), ("placed_orders", expected.placed), ("paid_orders", expected.paid),
    ):  # fmt: skip
        assert sums[figure] == len(events), figure
    money = expected.money
    assert (sums["paid_amount"], sums["net_amount"], sums["paid_unknown"]) == money[1:]
    assert (sums["dwell_ms"], sums["views_with_dwell"]) == expected.dwell
    hours = {f"{hour:02}": count for hour, count in expected.by_hour().items()}
    assert parts_of(sums, "visits", "hour") == hours
    if live.coverage(shop, days).cut:
        return
    assert parts_of(sums, "searches", "keyword") == expected.keywords()
    entries, visitors = parts_of(sums, "live_entries", "live"), sets("live_visitors", "live")
    assert {name: (entries[name], visitors[name]) for name in entries} == {
        name: (count, len(who)) for name, (count, who) in expected.live().items()
    }
    for dimension in ("category", "source", "channel", "region"):
        assert sets("visitors", dimension) == sizes(expected.visitors_by(dimension))
    for dimension in ("category", "source", "channel"):
        assert sets("adders", dimension) == sizes(expected.adders_by(dimension))


@settings(deadline=None)
@given(histories, st.randoms(use_true_random=False))
def test_any_history_in_any_order_with_repeats(
    events: list[Published], shuffler: random.Random
) -> None:
    again = [*events, *events[: len(events) // 2]]
    shuffler.shuffle(again)
    live = counted(again, "s")
    agree(live, Traffic(events, "s", Days(FIRST, FIRST.replace(day=2), ZONE)), "s")
    agree(live, Traffic(events, "s", Days(FIRST, FIRST, ZONE)), "s")


@settings(deadline=None, max_examples=150)
@given(histories_of_orders, st.randoms(use_true_random=False))
def test_money_is_of_the_day_of_the_payment_whatever_comes_when(
    events: list[Published], shuffler: random.Random
) -> None:
    again = [*events, *events[: len(events) // 2]]
    shuffler.shuffle(again)
    live = counted(again, "s")
    whole = Traffic(events, "s", Days(FIRST, FIRST.replace(day=3), ZONE))
    for expected in (whole, *whole.by_day().values()):
        agree(live, expected, "s")


@pytest.mark.long
def test_taobao() -> None:
    """The whole only: of its hundreds of categories and thousands of products parts are left out each day."""
    inside = range(taobao.FIRST, taobao.AFTER)
    rows = [row for row in taobao.rows(sample_file()) if row.second in inside]
    published = [published_row(number, row) for number, row in enumerate(rows)]
    live = counted(published, "taobao", commit=2_000)
    whole = Traffic(published, "taobao", SAMPLE_DAYS)
    for expected in (whole, *whole.by_day().values()):
        agree(live, expected, "taobao")
