"""Folding and deciding, in any order of the topics, give what the oracle expects: on random days.

The two share nothing but the decision that both were written from.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.decision import Decision
from schemas.trigger import Trigger
from streams.campaigns.decide import decide, decide_timer
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from streams.domain.timers import take_due
from tests.oracle.decoding import decoded
from tests.oracle.described import described_figures
from tests.oracle.events import CARTS, CLICKS, ORDERS, REVIEWS, Published
from tests.oracle.expected import expect

START = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = {
    CLICKS: "shop.click.v1", CARTS: "shop.cart.v1", ORDERS: "shop.order.v1",
    REVIEWS: "shop.review.v1",
}  # fmt: skip
SHOP = ShopSettings("s")
#: Later than any timer.
NEVER_MS = 1 << 50

SKUS = st.sampled_from(["A", "AB", "B"])
ATTRIBUTES = st.sampled_from([{}, {"size": "L"}, {"size": "L", "colour": "red"}])
#: Close together, at limits, and days apart: minutes after the start.
MINUTES = st.one_of(
    st.integers(0, 90), st.sampled_from([0, 29, 30, 31, 60, 4319, 4320, 4321]), st.integers(0, 9000)
)


def _carts(action: str, sku: str, attributes: dict[str, str], quantity: int) -> dict[str, Any]:
    line = {} if action == "clear" else {"sku": sku, "attributes": attributes}
    return {"action": action, "quantity": quantity, **line}


def _orders(order_id: str, status: str, skus: list[str], amount: int | None) -> dict[str, Any]:
    data: dict[str, Any] = {"order_id": order_id, "status": status}
    if status in ("placed", "paid"):
        data["lines"] = [{"sku": sku} for sku in skus]
        if amount is not None:
            data["amount_paid"] = amount
    if status == "refunded":
        data |= {"refund_id": f"r{len(skus)}", **({} if amount is None else {"amount": amount})}
    return data


DATA = st.one_of(
    st.tuples(
        st.just(CARTS),
        st.builds(
            _carts,
            st.sampled_from(["add", "add", "add", "remove", "set", "clear"]),
            SKUS,
            ATTRIBUTES,
            st.integers(1, 3),
        ),
    ),
    st.tuples(
        st.just(ORDERS),
        st.builds(
            _orders,
            st.sampled_from(["o1", "o2", "o3"]),
            st.sampled_from(["placed", "paid", "paid", "shipped", "cancelled", "refunded"]),
            st.lists(SKUS, min_size=1, max_size=2),
            st.none() | st.integers(1, 900),
        ),
    ),
    st.tuples(
        st.just(CLICKS),
        st.fixed_dictionaries({"action": st.sampled_from(["view", "favorite"]), "sku": SKUS}),
    ),
    st.tuples(
        st.just(REVIEWS),
        st.fixed_dictionaries(
            {
                "action": st.sampled_from(["posted", "appended"]),
                "order_id": st.sampled_from(["o1", "o2"]),
                "sku": SKUS,
                "rating": st.integers(1, 5),
            }
        ),
    ),
)


@st.composite
def days(draw: st.DrawFn) -> tuple[list[Published], list[Published]]:
    """Up to 16 events as published, and the same with their topics shuffled against each other."""
    drawn = draw(st.lists(st.tuples(MINUTES, DATA), min_size=1, max_size=16))
    events = [_published(number, *entry) for number, entry in enumerate(drawn)]
    events += draw(st.lists(st.sampled_from(events), max_size=3))
    lanes = {topic: iter([event for event in events if event.topic == topic]) for topic in TYPES}
    order = draw(st.permutations([event.topic for event in events]))
    return events, [next(lanes[topic]) for topic in order]


def _published(number: int, minute: int, drawn: tuple[str, dict[str, Any]]) -> Published:
    topic, data = drawn
    value = {
        "specversion": "1.0", "type": TYPES[topic], "id": f"e{number:02d}", "source": "test",
        "subject": "c", "time": (START + timedelta(minutes=minute)).isoformat(),
        "data": {"shop_id": "s", **data},
    }  # fmt: skip
    return Published(topic, "c", value)


def _issued(decided: list[Trigger | Decision]) -> list[Trigger]:
    return [one for one in decided if isinstance(one, Trigger)]


def _run(events: Sequence[Published]) -> tuple[CustomerState, dict[str, int]]:
    """The state in the end, and how often each trigger id was issued."""
    state = new_state("s", "c")
    issued: dict[str, int] = {}
    for item in decoded(events):
        facts = fold(state, item.event, item.time_ms, SHOP)
        for trigger in _issued(decide(state, facts or (), item.event, item.time_ms, SHOP)):
            issued[trigger.trigger_id] = issued.get(trigger.trigger_id, 0) + 1
    for occasion in take_due(state, NEVER_MS, SHOP):
        for trigger in _issued(decide_timer(state, occasion, SHOP)):
            issued[trigger.trigger_id] = issued.get(trigger.trigger_id, 0) + 1
    return state, issued


@settings(max_examples=300, deadline=None, phases=set(Phase) - {Phase.explain})
@given(days())
def test_the_same_triggers_and_figures(day: tuple[list[Published], list[Published]]) -> None:
    published, shuffled = day
    expected = expect(published)
    (figures,) = expected.customers.values()
    for events in (published, shuffled):
        state, issued = _run(events)
        assert issued == dict.fromkeys(expected.triggers, 1)
        assert described_figures(state) == figures
