"""What payments are owed to, asked as the command asks it, against an independent computation."""

import random
from collections import Counter
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.model import Asked, CurrencySpan, Row
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from tests.oracle.events import CLICKS, ORDERS, Published, milliseconds
from tests.reports.test_traffic_agrees import counted
from tests.reports.traffic_histories import FIRST, ZONE, told

LAST = FIRST.replace(day=28)


@st.composite
def _histories(draw: st.DrawFn) -> list[Published]:
    """By time, no two at one moment; of a customer fewer clicks than touches are kept."""
    events, hour = [], 0.0
    for number in range(draw(st.integers(0, 14))):
        hour += draw(st.sampled_from([0.1, 0.4, 0.6, 20.0, 40.0]))
        who, source = draw(st.sampled_from("ab")), draw(st.sampled_from(["search", "live", None]))
        if draw(st.integers(0, 2)):
            session = draw(st.sampled_from(["1", "2", None]))
            events.append(
                told(CLICKS, hour, who, action="view", traffic_source=source, session_id=session)
            )
        else:
            amount = draw(st.sampled_from([None, 0, 7, 9_999]))
            events.append(
                told(
                    ORDERS, hour, who, order_id=f"o{number}", status="paid", amount_paid=amount, lines=[]
                )
            )  # fmt: skip
    return events


def rows(
    store: Database, events: list[Published], by: str | None, spans: tuple[CurrencySpan, ...] = ()
) -> list[Row]:
    live = counted(events, "s")
    asked = Asked("s", Period(FIRST, LAST, ZONE), by, live=live, currencies=spans)
    with store.reading() as connection:
        return [line.row for line in answer(connection, REPORTS["attribution"], asked).lines]


def starts(clicks: list[Published]) -> list[tuple[int, str]]:
    """When each touch began (s) and its source, by time: one a source and session, or 30 minutes' pause."""
    sessions: set[tuple[str, str]] = set()
    last: dict[str, int] = {}
    found = []
    for at, click in sorted((second(click), click) for click in clicks):
        source, session = (
            click.value["data"].get("traffic_source"),
            click.value["data"].get("session_id"),
        )
        if source is None:
            continue
        if session is not None:
            is_new = (source, session) not in sessions
            sessions.add((source, session))
        else:
            is_new = source not in last or at - last[source] >= 1_800
            last[source] = at
        if is_new:
            found.append((at, source))
    return found


def second(event: Published) -> int:
    return milliseconds(event.value["time"]) // 1000


def expected(
    arrived: list[Published],
) -> tuple[Counter[str], dict[str, Fraction], Counter[str], int]:
    """By source: orders by the last touch, orders by position, gross amount by the last touch; and the
    number of orders owed to none."""
    by_last, by_position, amounts, untouched = (
        Counter[str](),
        dict[str, Fraction](),
        Counter[str](),
        0,
    )
    for number, event in enumerate(arrived):
        if event.topic != ORDERS:
            continue
        known = [e for e in arrived[:number] if e.key == event.key and e.topic == CLICKS]
        paid = second(event)
        sources = [source for at, source in starts(known) if paid - 3 * 86_400 < at <= paid]
        if not sources:
            untouched += 1
            continue
        by_last[sources[-1]] += 1
        amounts[sources[-1]] += event.value["data"].get("amount_paid") or 0
        count = len(sources)
        weights = {1: [Fraction(1)], 2: [Fraction(1, 2)] * 2}.get(count)
        if weights is None:
            between = Fraction(1, 5) / (count - 2)
            weights = [Fraction(2, 5), *[between] * (count - 2), Fraction(2, 5)]
        for source, weight in zip(sources, weights, strict=True):
            by_position[source] = by_position.get(source, Fraction(0)) + weight
    return by_last, by_position, amounts, untouched


@settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=_histories(), shuffler=st.randoms(use_true_random=False), late=st.booleans())
def test_payments_are_owed_to_what_had_come_before_them(
    store: Database, events: list[Published], shuffler: random.Random, late: bool
) -> None:
    arrived = list(events)
    if late:
        shuffler.shuffle(arrived)
    by_last, by_position, amounts, untouched = expected(arrived)
    whole, *parts = rows(store, [*arrived, *arrived], "source")
    if {CLICKS, ORDERS} - {event.topic for event in arrived}:
        assert all(value.number is None and value.why for value in whole.values.values())
        return
    assert whole.values["last_touch_orders"].number == by_last.total()
    assert whole.values["untouched_orders"].number == untouched
    found = {row.key: row.values for row in parts}
    none = found.pop(None, None)
    assert (none is None) == (untouched == 0)
    assert none is None or none["untouched_orders"].number == untouched
    assert set(found) == set(by_last) | set(by_position)
    for source, values in found.items():
        assert source is not None
        assert values["last_touch_orders"].number == by_last[source]
        # A part of 10,000 is what an order is divided into.
        position = values["position_orders"].number
        assert position is not None
        assert abs(position - by_position.get(source, 0)) <= 0.0001 * len(arrived)
        money = values["last_touch_amount"]
        least = money.at_least if money.number is None else money.number
        assert least == amounts[source]
    for figure in ("last_touch_orders", "position_orders"):
        summed = sum(values[figure].number or 0 for values in found.values())
        assert abs(summed - (whole.values[figure].number or 0)) < 1e-9
    for figure in ("last_touch_amount", "position_amount"):
        summed = sum(v[figure].number or v[figure].at_least or 0 for v in found.values())
        value = whole.values[figure]
        assert summed == (value.number or value.at_least or 0)


def paid_after(source: str, amount: int | None) -> list[Published]:
    return [
        told(CLICKS, 1, "c", action="view", traffic_source=source),
        told(ORDERS, 2, "c", order_id="o", status="paid", amount_paid=amount, lines=[]),
    ]


def test_an_amount_not_told_is_unknown_and_another_currency_is_not_added(store: Database) -> None:
    whole, part = rows(store, paid_after("search", None), "source")
    for row in (whole, part):
        for figure in ("last_touch_amount", "position_amount"):
            assert row.values[figure].number is None
            assert row.values[figure].why == "some of these orders told no amount at the payment"
    spans = (CurrencySpan(asked_until(4), "CNY"), CurrencySpan(1 << 60, "USD"))
    whole, _ = rows(store, paid_after("search", 500), "source", spans)
    assert whole.values["last_touch_amount"].number is None
    whole, _ = rows(store, paid_after("search", 500), "source", (CurrencySpan(1 << 60, "USD"),))
    assert (whole.values["last_touch_amount"].number, whole.values["last_touch_amount"].currency) == (
        500, "USD",
    )  # fmt: skip


def asked_until(days: int) -> int:
    return Period(FIRST, FIRST.replace(day=FIRST.day + days - 1), ZONE).until_ms


def test_by_day_it_is_the_day_of_the_payment(store: Database) -> None:
    events = [
        told(CLICKS, 23, "c", action="view", traffic_source="search", session_id="1"),
        told(ORDERS, 25, "c", order_id="o", status="paid", amount_paid=500, lines=[]),
    ]
    found = {row.key: row.values["last_touch_orders"].number for row in rows(store, events, "day")}
    assert found[str(FIRST.replace(day=2))] == 1
    assert found[None] == 1
