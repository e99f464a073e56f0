"""What the rows say is a function of the set of records, and the one that was computed beside it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.query.batch import BatchReader
from streams.query.facts import Fact, kept
from streams.query.orders import OrderRows, order_rows
from streams.query.reviews import review_row
from tests.query.events import batch_of, event, placed, published_events
from tests.query.expected import ORDERS, Published, expected, in_order

READER = BatchReader(1, {"shop.orders": "shop.orders", "shop.reviews": "shop.reviews"})


def facts_of(published: list[Published]) -> list[Fact]:
    batch = batch_of(published, READER)
    return [*batch.orders, *batch.reviews]


def rows_of(facts: list[Fact]) -> tuple[list[OrderRows], list[dict[str, Any]]]:
    """The rows of all orders and of all reviews."""
    orders: dict[Any, list[Fact]] = {}
    reviews: dict[Any, list[Fact]] = {}
    for fact in kept(facts).values():
        if fact.place[0] == ORDERS:
            orders.setdefault(fact.order, []).append(fact)
        else:
            reviews.setdefault((*fact.order, fact.name[0]), []).append(fact)
    return (
        [order_rows(orders[key]) for key in sorted(orders)],
        [review_row(reviews[key]) for key in sorted(reviews)],
    )


@settings(deadline=None)
@given(published_events(), st.data())
def test_any_order_and_any_repeats_give_the_same_rows(
    published: list[Published], data: st.DataObject
) -> None:
    facts = facts_of(published)
    shuffled = data.draw(st.permutations(facts))
    repeated = data.draw(st.lists(st.sampled_from(facts), max_size=5))
    assert rows_of([*shuffled, *repeated]) == rows_of(facts)


@settings(deadline=None)
@given(published_events())
def test_they_are_the_rows_that_follow_from_the_records(published: list[Published]) -> None:
    orders, reviews = rows_of(facts_of(published))
    wanted = expected(published)
    assert in_order(rows.order for rows in orders) == wanted["orders"]
    assert in_order(row for rows in orders for row in rows.coupons) == wanted["order_coupons"]
    assert in_order(row for rows in orders for row in rows.refunds) == wanted["refunds"]
    assert [
        (row["sku"], row["quantity"], row["unit_price"]) for rows in orders for row in rows.lines
    ] == [
        (row["sku"], row["quantity"], row["unit_price"])
        for row in sorted(
            wanted["order_lines"],
            key=lambda row: (row["shop_id"], row["customer_id"], row["order_id"], row["line"]),
        )
    ]
    assert in_order(reviews) == wanted["reviews"]


def only_order(*events: dict[str, Any]) -> dict[str, Any]:
    facts = facts_of(placed([(ORDERS, each) for each in events], 1))
    (rows,), _ = rows_of(facts)
    return rows.order


def told(event_id: str, at: float, status: str, **data: Any) -> dict[str, Any]:
    return event(ORDERS, event_id, at, "c1", order_id="o1", status=status, **data)


def test_an_order_never_moves_back() -> None:
    received = told("1", 50, "received")
    late_paid = told("2", 10, "paid", amount_paid=990)
    row = only_order(received, late_paid)
    assert (row["status"], row["amount"], row["net_amount"]) == ("received", 990, 990)
    assert row["ordered_ms"] == row["paid_ms"] < row["received_ms"] == row["changed_ms"]


def test_an_amount_that_nobody_told_is_unknown_not_zero() -> None:
    row = only_order(told("1", 0, "paid"))
    unknown = ("amount", "refunded_amount", "net_amount", "discount", "pieces")
    assert [row[name] for name in unknown] == [None] * 5
    gift = only_order(told("1", 0, "paid", amount_paid=0))
    assert (gift["amount"], gift["net_amount"]) == (0, 0)


def test_of_two_records_of_one_status_the_earlier_counts_whichever_came_first() -> None:
    earlier, later = (
        told("b", 10, "paid", amount_paid=100), told("a", 20, "paid", amount_paid=200),
    )  # fmt: skip
    assert only_order(earlier, later)["amount"] == only_order(later, earlier)["amount"] == 100


def test_a_refund_of_all_makes_it_refunded_and_a_part_does_not() -> None:
    paid = told("1", 0, "paid", amount_paid=1_000)
    part = told("2", 1, "refunded", refund_id="r1", amount=400)
    rest = told("3", 2, "refunded", refund_id="r2", amount=600)
    assert only_order(paid, part)["status"] == "paid"
    assert only_order(paid, part)["net_amount"] == 600
    whole = only_order(paid, part, rest)
    assert (whole["status"], whole["refunded_amount"], whole["net_amount"]) == (
        "refunded",
        1_000,
        0,
    )
