"""The oracle itself, on cases small enough to be judged by eye: every sentence of decision 0002."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.oracle import taobao
from tests.oracle.events import CARTS, CLICKS, ORDERS, REVIEWS, Published
from tests.oracle.expected import Expected, ExpectedTrigger, expect, expect_in_steps, trigger_id
from tests.taobao import sample_file

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
_numbers = itertools.count()


def published(topic: str, at_ms: int, event_id: str | None = None, **data: Any) -> Published:
    """An event of customer c in shop s (or ``shop``), ``at_ms`` after the start."""
    time = START + timedelta(milliseconds=at_ms)
    value = {
        "id": event_id or f"e{next(_numbers):06d}",
        "source": "test",
        "time": time.isoformat(),
        "subject": data.get("customer", "c"),
        "data": {"shop_id": data.pop("shop", "s"), **data},
    }
    return Published(topic, data.pop("customer", "c"), value)


def cart(at_ms: int, action: str = "add", sku: str | None = "A", **data: Any) -> Published:
    named = {} if sku is None else {"sku": sku}
    return published(CARTS, at_ms, action=action, **named, **data)


def order(at_ms: int, *skus: str, status: str = "paid", **data: Any) -> Published:
    lines = {"lines": [{"sku": sku} for sku in skus]} if skus else {}
    return published(ORDERS, at_ms, status=status, **{"order_id": "o1", **lines, **data})


def review(at_ms: int, rating: int, action: str = "posted", **data: Any) -> Published:
    return published(
        REVIEWS, at_ms, action=action, rating=rating, **{"order_id": "o1", "sku": "A", **data}
    )


def abandoned(expected: Expected) -> list[str]:
    """The contents that fired, in order of due time; times relative to the start."""
    return [trigger.occasion for trigger in _abandoned(expected)]


def _abandoned(expected: Expected) -> list[ExpectedTrigger]:
    found = [t for t in expected.triggers.values() if t.campaign == "abandoned-cart"]
    return sorted(found, key=lambda trigger: trigger.due or 0)


def content(*lines: str) -> str:
    """``sku;attributes;quantity;milliseconds after the start`` with the start added."""
    rendered = []
    for line in lines:
        rest, _, since = line.rpartition(";")
        rendered.append(f"{rest};{START_MS + int(since)}")
    return "|".join(rendered)


# --- which facts there are, and their order


def test_a_cart_left_for_30_minutes_is_an_occasion_due_then() -> None:
    (trigger,) = _abandoned(expect([cart(0)]))
    assert trigger.occasion == content("A;;1;0")
    assert trigger.due == START_MS + 30 * MINUTE


def test_facts_apply_by_time_whatever_their_order_of_arrival() -> None:
    events = [cart(0), cart(2, "set", quantity=5), cart(3, "remove", quantity=2), cart(4, sku="B")]
    for shuffled in itertools.permutations(events):
        assert abandoned(expect(shuffled)) == [content("A;;3;2", "B;;1;4")]


def test_at_one_time_cart_events_come_before_orders() -> None:
    assert abandoned(expect([order(0, "A"), cart(0)])) == []


def test_at_one_time_cart_events_come_by_event_id() -> None:
    first = cart(0, "clear", None, event_id="1")
    assert abandoned(expect([cart(0, event_id="2"), first])) == [content("A;;1;0")]
    last = cart(0, "clear", None, event_id="3")
    assert abandoned(expect([cart(0, event_id="2"), last])) == []


# --- what each fact does


def test_add_adds_its_quantity_and_is_the_line_s_since() -> None:
    assert abandoned(expect([cart(0, quantity=2), cart(5, quantity=3)])) == [content("A;;5;5")]


def test_remove_subtracts_and_leaves_since() -> None:
    events = [cart(0, quantity=5), cart(5, "remove", quantity=2)]
    assert abandoned(expect(events)) == [content("A;;3;0")]


@pytest.mark.parametrize("quantity", [2, 7])
def test_a_line_is_gone_at_0_or_below(quantity: int) -> None:
    events = [cart(0, quantity=2), cart(1, sku="B"), cart(2, "remove", quantity=quantity)]
    assert abandoned(expect(events)) == [content("B;;1;1")]


def test_a_line_that_was_gone_starts_anew() -> None:
    events = [cart(0, quantity=2), cart(1, "remove", quantity=9), cart(2)]
    assert abandoned(expect(events)) == [content("A;;1;2")]


def test_set_sets_and_is_the_line_s_since() -> None:
    assert abandoned(expect([cart(0, quantity=2), cart(5, "set", quantity=7)])) == [
        content("A;;7;5")
    ]


def test_clear_empties_the_cart() -> None:
    assert abandoned(expect([cart(0), cart(0, sku="B"), cart(1, "clear", None)])) == []


def test_a_line_is_sku_and_attributes() -> None:
    red, blue = {"colour": "red", "size": "L"}, {"colour": "blue"}
    events = [cart(0, attributes=red), cart(1, attributes=blue), cart(2, "remove", attributes=blue)]
    assert abandoned(expect(events)) == [content("A;colour=red,size=L;1;0")]


def test_attributes_go_by_name_however_they_were_written() -> None:
    one = expect([cart(0, attributes={"size": "L", "colour": "red"})])
    other = expect([cart(0, attributes={"colour": "red", "size": "L"})])
    assert one.triggers == other.triggers


def test_an_order_takes_out_every_line_whose_sku_it_contains() -> None:
    events = [cart(0), cart(1, attributes={"size": "L"}), cart(2, sku="B"), order(3, "A", "Z")]
    assert abandoned(expect(events)) == [content("B;;1;2")]


def test_an_order_is_one_fact_at_the_earliest_time_of_placed_and_paid_with_lines() -> None:
    events = [
        cart(0),
        order(5 * MINUTE, "A", status="placed"),
        cart(10 * MINUTE),
        order(15 * MINUTE, "A", status="paid"),
    ]
    for shuffled in itertools.permutations(events):
        assert abandoned(expect(shuffled)) == [content(f"A;;1;{10 * MINUTE}")]


def test_a_status_without_lines_or_other_than_placed_and_paid_is_no_fact() -> None:
    events = [cart(0), order(5, status="paid"), order(6, "A", status="shipped")]
    assert abandoned(expect(events)) == [content("A;;1;0")]


# --- which changes are occasions


def test_every_cart_event_is_a_change_even_one_that_alters_nothing() -> None:
    silent = cart(20 * MINUTE, "remove", "B")
    (trigger,) = _abandoned(expect([cart(0), silent]))
    assert trigger.due == START_MS + 50 * MINUTE


def test_an_order_that_takes_nothing_is_no_change() -> None:
    (trigger,) = _abandoned(expect([cart(0), order(20 * MINUTE, "Z")]))
    assert trigger.due == START_MS + 30 * MINUTE


def test_an_order_that_takes_some_lines_is_a_change() -> None:
    (trigger,) = _abandoned(expect([cart(0), cart(0, sku="B"), order(20 * MINUTE, "A")]))
    assert (trigger.occasion, trigger.due) == (content("B;;1;0"), START_MS + 50 * MINUTE)


def test_a_line_of_three_days_is_no_longer_content() -> None:
    """since > t - 3 days: at exactly three days it is out."""
    silent = "remove"
    kept = expect([cart(0), cart(3 * DAY - 1, silent, "B")])
    assert [t.due for t in _abandoned(kept)] == [START_MS + 30 * MINUTE]
    later = expect([cart(0), cart(MINUTE, sku="C"), cart(3 * DAY, silent, "B")])
    assert abandoned(later) == [content("A;;1;0", f"C;;1;{MINUTE}"), content(f"C;;1;{MINUTE}")]


def test_a_change_whose_content_is_empty_is_no_occasion() -> None:
    expected = expect([cart(0), cart(3 * DAY, "remove", "B")])
    assert abandoned(expected) == [content("A;;1;0")]


@pytest.mark.parametrize(
    ("after", "fires"), [(0, False), (1, False), (30 * MINUTE - 1, False), (30 * MINUTE, True)]
)
def test_another_change_before_the_due_time_drops_it(after: int, fires: bool) -> None:
    events = [cart(0, event_id="1"), cart(after, sku="B", event_id="2")]
    assert (content("A;;1;0") in abandoned(expect(events))) is fires


def test_a_change_that_comes_before_it_in_the_order_of_facts_drops_nothing() -> None:
    events = [cart(0, event_id="2"), cart(0, sku="B", event_id="1")]
    assert abandoned(expect(events)) == [content("A;;1;0", "B;;1;0")]


def test_one_coupon_once_per_content() -> None:
    events = [cart(0), *(cart(n * 60 * MINUTE, "remove", "B") for n in range(1, 5))]
    assert len(abandoned(expect(events))) == 1


def test_a_new_content_is_a_new_coupon() -> None:
    assert len(abandoned(expect([cart(0), cart(60 * MINUTE)]))) == 2


def test_customers_and_shops_are_apart() -> None:
    events = [cart(0), cart(0, shop="t"), cart(0, customer="d"), order(1, "A")]
    expected = expect(events)
    assert {(t.shop_id, t.customer_id) for t in _abandoned(expected)} == {("t", "c"), ("s", "d")}


def test_the_trigger_id_is_spelt_out() -> None:
    (trigger,) = _abandoned(
        expect([cart(0, sku="B", quantity=2), cart(1, attributes={"size": "L", "colour": "red"})])
    )
    text = f"abandoned-cart\x1fs\x1fc\x1fA;colour=red,size=L;1;{START_MS + 1}|B;;2;{START_MS}"
    assert trigger.trigger_id == hashlib.sha256(text.encode()).hexdigest()[:32]


# --- the watermark, and events that come later than it


def test_nothing_fires_before_the_watermark_reaches_it() -> None:
    due = START_MS + 30 * MINUTE
    assert abandoned(expect([cart(0)], watermark=due - 1)) == []
    assert abandoned(expect([cart(0)], watermark=due)) == [content("A;;1;0")]


def test_what_has_fired_stays_fired_and_is_not_fired_anew() -> None:
    """A late add before it would alter its content: the occasion is settled all the same."""
    late = cart(MINUTE, sku="B", event_id="late")
    first = [cart(2 * MINUTE)]
    expected = expect_in_steps([(first, START_MS + DAY), ([late], None)])
    assert abandoned(expected) == [content(f"A;;1;{2 * MINUTE}")]


def test_what_was_dropped_stays_dropped() -> None:
    """The paid event drops the occasion; the late placed event moves the order away from it."""
    steps = [
        ([cart(0), cart(0, sku="B", event_id="b"), order(10 * MINUTE, "A")], START_MS + DAY),
        ([order(-MINUTE, "A", status="placed")], None),
    ]
    assert abandoned(expect_in_steps(steps)) == [content("B;;1;0")]


def test_a_late_fact_arms_its_own_occasion() -> None:
    late = cart(100 * MINUTE, sku="B")
    expected = expect_in_steps([([cart(0)], START_MS + DAY), ([late], START_MS + DAY)])
    assert abandoned(expected) == [content("A;;1;0"), content("A;;1;0", f"B;;1;{100 * MINUTE}")]


def test_steps_without_late_events_change_nothing() -> None:
    events = [cart(0), cart(60 * MINUTE), order(70 * MINUTE, "A"), cart(200 * MINUTE)]
    steps = [
        ([event], START_MS + at * MINUTE)
        for event, at in zip(events, (59, 69, 199, 999), strict=True)
    ]
    assert expect_in_steps(steps) == expect(events)


# --- the other campaigns


def test_the_second_order_coupon_comes_once_with_the_first_paid_order() -> None:
    events = [order(0, "A", status="placed"), order(1, "A"), order(2, "B", order_id="o2")]
    (trigger,) = expect(events).triggers.values()
    assert (trigger.campaign, trigger.occasion, trigger.due) == ("second-order", "first", None)
    assert trigger.trigger_id == trigger_id("second-order", "s", "c", "first")
    assert expect(events[:1]).triggers == {}


@pytest.mark.parametrize(("rating", "count"), [(1, 1), (2, 1), (3, 0), (5, 0)])
def test_a_bad_review_is_1_or_2_when_posted(rating: int, count: int) -> None:
    assert expect([review(0, rating)]).by_campaign().get("bad-review", 0) == count
    assert expect([review(0, rating, "appended")]).triggers == {}


def test_a_bad_review_is_one_a_line_of_an_order() -> None:
    expected = expect([review(0, 1), review(1, 2), review(2, 1, sku="B")])
    assert {trigger.occasion for trigger in expected.triggers.values()} == {"o1/A", "o1/B"}


# --- distinct events and figures


def test_the_same_source_and_id_is_one_event() -> None:
    click = published(CLICKS, 0, action="view", sku="A")
    expected = expect([click, click])
    assert (expected.events, expected.duplicates) == ({CLICKS: 1}, {CLICKS: 1})


def test_the_same_fact_under_another_id_is_one_event() -> None:
    pairs = [
        (cart(0, event_id="1"), cart(0, event_id="2")),
        (order(0, "A"), order(5, "A")),
        (
            order(0, status="refunded", refund_id="r1", amount=1),
            order(1, status="refunded", refund_id="r1", amount=1),
        ),
        (review(0, 5), review(9, 5)),
    ]
    for one, other in pairs:
        assert sum(expect([one, other]).duplicates.values()) == 1, one


def test_what_looks_alike_and_is_not_the_same() -> None:
    click = {"action": "view", "sku": "A"}
    distinct = [
        published(CLICKS, 0, **click), published(CLICKS, 0, **click),
        cart(0), cart(1), cart(0, attributes={"size": "L"}), cart(0, "remove"),
        order(0, status="refunded", refund_id="r1"), order(0, status="refunded", refund_id="r2"),
        review(0, 5), review(0, 5, "appended"),
    ]  # fmt: skip
    assert expect(distinct).duplicates == {}


def test_figures_of_a_customer() -> None:
    events = [
        published(CLICKS, 0, action="view"), published(CLICKS, 1, action="view"),
        published(CLICKS, 2, action="favorite"), published(CLICKS, 3, action="share"),
        cart(0), cart(1), cart(2, "remove"),
        order(0, "A", order_id="kept", amount_paid=1000),
        order(0, "A", order_id="cancelled", amount_paid=500),
        order(1, status="cancelled", order_id="cancelled"),
        order(0, "A", order_id="returned", amount_paid=300),
        order(1, status="refunded", order_id="returned", refund_id="r1", amount=300),
        order(0, "A", order_id="partly", amount_paid=200),
        order(1, status="refunded", order_id="partly", refund_id="r2", amount=50),
        order(0, "A", order_id="unpaid", status="placed", amount_paid=900),
        order(0, "A", order_id="unknown"),
        review(0, 5), review(0, 1, sku="B"), review(1, 1, "appended", sku="B"),
    ]  # fmt: skip
    (figures,) = expect(events).customers.values()
    assert (figures.views, figures.favourites, figures.cart_adds) == (2, 1, 2)
    assert (figures.orders_paid, figures.orders_net) == (5, 3)
    assert (figures.amount_paid, figures.amount_refunded) == (2000, 850)
    assert (figures.reviews, figures.bad_reviews) == (2, 1)


def test_the_taobao_sample_has_its_known_figures() -> None:
    rows = list(taobao.rows(sample_file()))
    assert len(rows) == 84_475
    assert len({row.customer for row in rows}) == 815
    assert taobao.figures(rows) == taobao.SampleFigures(84_440, 813, 305, 601, 559, 373)
