"""What a visitor and the customer they turned out to be did to one order is in a shop's days once."""

import random
from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import CustomerEvent
from schemas.exchange import Exchange, ExchangeEvent
from schemas.settings import Brushing
from streams.domain.aggregated import AggregatesInMemory, PartitionAggregates
from streams.domain.aggregates import aggregate, aggregate_corrections, unfold
from streams.domain.aggregates.names import parts_of
from streams.domain.exchange import fold_event, key_of, upstream_event
from streams.domain.facts import Forward
from streams.domain.increments import Increments
from streams.domain.order import Totals
from streams.domain.orders import OPEN_ORDERS
from streams.domain.shop import ShopSettings, day_of_date
from streams.domain.state import CustomerState, new_state
from tests.oracle.decoding import decoded
from tests.oracle.events import CLICKS, ORDERS, PROFILES, Published
from tests.reports.traffic_histories import FIRST, ZONE, told
from tests.reports.traffic_oracle import Days, Traffic

SHOP = ShopSettings("s", ZONE)
TOKYO = ShopSettings("s", "Asia/Tokyo")
DAYS = Days(FIRST, FIRST.replace(day=6), ZONE)
SUMS = ("placed_orders", "paid_orders", "paid_amount", "net_amount", "paid_unknown")


class Counted:
    """Events folded and counted as they come, and what states tell each other, in its order."""

    def __init__(self, shop: ShopSettings = SHOP) -> None:
        self.shop = shop
        self.aggregates = PartitionAggregates()
        self.states: dict[str, CustomerState] = {}
        self._told: deque[tuple[ExchangeEvent, int]] = deque()
        self._number = 0

    def take(self, published: Published) -> None:
        (item,) = decoded([published])
        assert not isinstance(item.event, ExchangeEvent)
        self._fold(item.event, item.time_ms)

    def settle(self) -> None:
        while self._told:
            self._fold(*self._told.popleft())

    def sums(self, days: Days) -> Counter[str]:
        found: Counter[str] = Counter()
        for fields in self._live().counts("s", _range(days)).values():
            found.update(fields)
        return found

    def number(self, figure: str, days: Days) -> int:
        found = self._live().distinct("s", _range(days), [figure]).get(figure)
        return 0 if found is None else found.number

    def _live(self) -> AggregatesInMemory:
        return AggregatesInMemory([self.aggregates])

    def _fold(self, event: CustomerEvent | ExchangeEvent, time: int) -> None:
        state = self.states.setdefault(key_of(event), new_state("s", event.subject))
        facts = fold_event(state, event, time, self.shop)
        if facts is None:
            return
        increments = Increments()
        upstream = upstream_event(event)
        if upstream is not None:
            aggregate(increments, state, upstream, time, facts, self.shop)
        aggregate_corrections(increments, "s", facts, self.shop)
        unfold(increments)
        self.aggregates.apply(increments)
        for fact in facts:
            if isinstance(fact, Forward):
                self._number += 1
                moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=fact.time)
                told = ExchangeEvent(
                    specversion="1.0", id=f"0-{self._number}-0", source="shop.exchange",
                    subject=fact.key, time=moment, data=Exchange(shop_id="s", body=fact.body),
                )  # fmt: skip
                self._told.append((told, fact.time))


def _range(days: Days) -> range:
    return range(day_of_date(days.first), day_of_date(days.last) + 1)


def alias(visitor: str, customer: str) -> Published:
    return told(PROFILES, 100, visitor, action="alias", alias_of=customer)


def order(at: float, who: str, status: str, name: str = "o", **data: Any) -> Published:
    return told(ORDERS, at, who, order_id=name, status=status, **data)


def run(*published: Published, shop: ShopSettings = SHOP) -> Counted:
    counted = Counted(shop)
    for each in published:
        counted.take(each)
        counted.settle()
    return counted


def agree(counted: Counted, events: list[Published]) -> None:
    whole = Traffic(events, "s", DAYS)
    for expected in (whole, *whole.by_day().values()):
        sums = counted.sums(expected.days)
        assert [sums[name] for name in SUMS] == [
            len(expected.placed), len(expected.paid), *expected.money[1:],
        ]  # fmt: skip
        hours = Counter(f"{expected.days.local(each.time)[1]:02}" for each in expected.paid)
        assert Counter(parts_of(sums, "paid_orders", "hour")) == hours
        # Who placed or paid is in the sets under the name they had then.
        names = Traffic([e for e in events if e.topic != PROFILES], "s", expected.days)
        for figure in ("placers", "payers"):
            people: set[str] = getattr(expected, figure)
            most = people | getattr(names, figure)
            assert len(people) <= counted.number(figure, expected.days) <= len(most)


_said = {
    "placed": st.fixed_dictionaries({"amount_paid": st.sampled_from([None, 40])}),
    "paid": st.fixed_dictionaries({"amount_paid": st.sampled_from([None, 0, 99])}),
    "cancelled": st.just({}),
    "refunded": st.fixed_dictionaries(
        {"refund_id": st.just("r"), "amount": st.sampled_from([None, 30])}
    ),
}
_statuses = st.fixed_dictionaries(
    {},
    optional={
        status: st.tuples(
            st.sampled_from([0, 5, 23, 25, 49]), st.sampled_from(["v", "c", "both"]), said
        )
        for status, said in _said.items()
    },
)
#: Of each order one version of each status, told to the visitor, the customer or both.
_histories = st.lists(_statuses, min_size=1, max_size=3).map(
    lambda orders: [
        order(at, who, status, name, **said)
        for name, statuses in zip("opq", orders, strict=False)
        for status, (at, whose, said) in statuses.items()
        for who in (("v", "c") if whose == "both" else (whose,))
    ]
)


@settings(deadline=None, max_examples=60)
@given(_histories, st.booleans(), st.randoms(use_true_random=False))
def test_an_order_of_both_is_counted_once_whenever_they_become_one(
    events: list[Published], judged: bool, chooser: random.Random
) -> None:
    events = [*events, alias("v", "c")]
    again = [*events, *events[: len(events) // 2]]
    chooser.shuffle(again)
    # Nothing that is judged here is held to be brushed, but signs are kept and verdicts withdrawn.
    counted = Counted(
        ShopSettings("s", ZONE, brushing=Brushing(verdict_points=1_000) if judged else None)
    )
    for each in again:
        counted.take(each)
        if chooser.random() < 0.6:
            counted.settle()
    counted.settle()
    agree(counted, events)


_judged = st.lists(
    st.tuples(
        st.sampled_from(["look", "paid", "paid", "placed", "refunded", "cancelled"]),
        st.sampled_from("vc"), st.sampled_from("op"), st.sampled_from("AB"),
    ),
    min_size=2, max_size=12, unique=True,
)  # fmt: skip


@settings(deadline=None, max_examples=80)
@given(_judged, st.randoms(use_true_random=False))
def test_brushed_orders_are_out_of_the_sums_whoever_told_them(
    drawn: list[tuple[str, str, str, str]], chooser: random.Random
) -> None:
    """An order of what was never looked at is brushed; both may tell it, and look at other times."""
    events = [alias("v", "c")]
    for what, who, name, sku in drawn:
        if what == "look":
            events.append(told(CLICKS, 0, who, action="view", sku=sku, dwell_ms=60_000))
        else:
            said: dict[str, Any] = {"lines": [{"sku": sku}], "amount_paid": 100}
            said = {"refund_id": "r", "amount": 30} if what == "refunded" else said
            events.append(order(1 + 26 * (who == "c"), who, what, name, **said))
    chooser.shuffle(events)
    counted = Counted(ShopSettings("s", ZONE, brushing=Brushing(verdict_points=20)))
    for each in events:
        counted.take(each)
        if chooser.random() < 0.6:
            counted.settle()
    counted.settle()
    sums, orders = counted.sums(DAYS), counted.states["s/c"].orders
    totals = Totals() if orders is None else orders.totals
    for name, value in (
        ("paid_orders", totals.paid), ("brushed_orders", totals.brushed),
        ("paid_amount", totals.paid_amount), ("net_amount", totals.net_amount),
    ):  # fmt: skip
        assert sums[name] == value, name
        days = [counted.sums(day) for day in DAYS.each()]
        assert all(day[name] >= 0 for day in days), name
    assert min(orders.hours if orders and orders.hours else [0]) >= 0
    assert sum(orders.hours if orders else []) == totals.paid


def test_of_two_payments_the_earlier_one_counts() -> None:
    for early, late in (("v", "c"), ("c", "v")):
        counted = run(
            order(1, early, "paid", amount_paid=100), order(26, late, "paid", amount_paid=70),
            alias("v", "c"),
        )  # fmt: skip
        first, second = (counted.sums(day) for day in list(DAYS.each())[:2])
        assert (first["paid_orders"], first["paid_amount"], first["net_amount"]) == (1, 100, 100)
        assert (second["paid_orders"], second["paid_amount"], second["net_amount"]) == (0, 0, 0)
        assert parts_of(second, "paid_amount", "hour") == {"02": 0}
        assert parts_of(first, "paid_orders", "hour") == {"01": 1}


def test_the_hour_is_that_of_the_clock_it_was_counted_with() -> None:
    counted = run(order(1, "v", "paid", amount_paid=100), order(1, "c", "paid", amount_paid=100))
    counted.shop = TOKYO
    counted.take(alias("v", "c"))
    counted.settle()
    assert parts_of(counted.sums(DAYS), "paid_orders", "hour") == {"01": 1}
    # A refund that comes under the new clock corrects the hour of the old one.
    counted.take(order(30, "c", "refunded", refund_id="r", amount=100))
    assert parts_of(counted.sums(DAYS), "paid_amount", "hour") == {"01": 100}


def test_a_cancellation_that_the_customer_had_is_of_the_visitors_order() -> None:
    counted = run(
        order(1, "v", "paid", amount_paid=100), order(2, "c", "cancelled"), alias("v", "c")
    )
    sums = counted.sums(DAYS)
    assert (sums["paid_orders"], sums["paid_amount"], sums["net_amount"]) == (1, 100, 0)


def test_orders_that_both_have_packed_are_counted_once() -> None:
    """Paid days apart; when they were placed is not known any more, so that stays counted twice."""
    names = [f"o{number}" for number in range(OPEN_ORDERS + 4)]
    events = [
        order(at, who, status, name, amount_paid=100)
        for who, start in (("v", 0), ("c", 25))
        for at, name in enumerate(names, 1)
        for at, status in ((start + at / 10, "placed"), (start + at / 10 + 0.01, "paid"))
    ]
    counted = run(*events, alias("v", "c"))
    sums = counted.sums(DAYS)
    assert (sums["paid_orders"], sums["paid_amount"]) == (len(names), 100 * len(names))
    assert counted.sums(list(DAYS.each())[1])["paid_orders"] == 0
    assert sums["placed_orders"] == len(names) + 4


def test_orders_of_either_alone_stay_as_they_were() -> None:
    counted = run(
        order(1, "v", "placed"), order(1, "v", "paid", amount_paid=100),
        order(2, "c", "paid", "p", amount_paid=30), order(2, "d", "paid", amount_paid=9),
        alias("v", "c"),
    )  # fmt: skip
    sums = counted.sums(DAYS)
    assert [sums[name] for name in SUMS] == [1, 3, 139, 139, 0]
