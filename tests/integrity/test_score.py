"""Each sign at its limits, and what an order is judged by."""

from typing import Any

import pytest

from schemas.envelope import Line
from schemas.exchange import SharedOrder
from schemas.order import Order
from schemas.review import Review
from schemas.settings import Brushing
from streams.domain.integrity.buyer import (
    LOOKED_AT,
    BuyerIntegrity,
    see_order,
    see_review,
    see_view,
    sku_key,
    take_shared,
)
from streams.domain.integrity.score import Judgement, Reason, judge
from streams.domain.orders import order_hash

ASKED = Brushing()
NOON = 1_780_000_000_000
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


def pay(buyer: BuyerIntegrity, order_id: str, time: int, skus: str = "a", **data: Any) -> None:
    lines = [Line(sku=sku) for sku in skus]
    body = Order(shop_id="shop", order_id=order_id, status="paid", lines=lines, **data)
    see_order(buyer, order_hash(order_id), body, time, "UTC")


def tell(buyer: BuyerIntegrity, order_id: str, status: Any, time: int) -> None:
    body = Order(shop_id="shop", order_id=order_id, status=status)
    see_order(buyer, order_hash(order_id), body, time, "UTC")


def review(buyer: BuyerIntegrity, order_id: str, time: int, action: Any, **data: Any) -> None:
    body = Review(shop_id="shop", action=action, order_id=order_id, sku="a", **data)
    see_review(buyer, order_hash(order_id), body, time)


def share(buyer: BuyerIntegrity, order_id: str, *counts: int) -> None:
    names = ("device_buyers", "device_orders", "address_buyers", "address_orders")
    told = SharedOrder(
        visitor="c1", order_id=order_id, sku="a", **dict(zip(names, counts, strict=True))
    )
    take_shared(buyer, order_hash(order_id), told)


def judged(buyer: BuyerIntegrity, order_id: str = "o1") -> Judgement:
    (mark,) = [mark for mark in buyer.marks if mark.key == order_hash(order_id)]
    return judge(buyer, mark, ASKED)


def looked(seconds: float = 60) -> BuyerIntegrity:
    """A buyer who looked at the product a day before, and so has no sign by that."""
    buyer = BuyerIntegrity()
    see_view(buyer, "a", NOON - 24 * HOUR, round(seconds * SECOND))
    return buyer


@pytest.mark.parametrize(
    ("minutes", "points", "value"),
    [
        ([], 0, 1),
        ([60], 15, 2),
        ([61], 0, 1),
        ([20, 60], 15, 3),
        ([20, 40, 60], 30, 4),
        ([20, 40, 61], 15, 3),
        # An hour that begins before the order, and one around it.
        ([-30, -20, 30], 30, 4),
        ([-31, -20, 30], 15, 3),
    ],
)
def test_more_than_three_orders_within_any_hour(
    minutes: list[int], points: int, value: int
) -> None:
    buyer = looked()
    pay(buyer, "o1", NOON)
    for number, minute in enumerate(minutes):
        pay(buyer, f"p{number}", NOON + minute * MINUTE)
    # Another product is another matter.
    pay(buyer, "q", NOON, skus="b")
    reasons = (Reason("rate", points, value),) if points else ()
    product = sku_key("a") if points else b""
    assert judged(buyer) == Judgement(points, reasons, product)


@pytest.mark.parametrize(
    ("seconds", "reasons"),
    [
        (None, (Reason("unviewed", 20, 0),)),
        (14, (Reason("unviewed", 10, 14),)),
        (15, ()),
        (900, ()),
    ],
)
def test_never_or_hardly_looked_at(seconds: int | None, reasons: tuple[Reason, ...]) -> None:
    buyer = BuyerIntegrity() if seconds is None else looked(seconds)
    pay(buyer, "o1", NOON)
    assert judged(buyer).reasons == reasons


def test_looks_add_up_and_one_after_the_order_is_none_before_it() -> None:
    buyer = BuyerIntegrity()
    pay(buyer, "o1", NOON)
    see_view(buyer, "a", NOON + MINUTE, 600 * SECOND)
    assert judged(buyer).reasons == (Reason("unviewed", 20, 0),)
    see_view(buyer, "a", NOON - HOUR, 3 * SECOND)
    assert judged(buyer).reasons == ()


def test_a_look_of_unknown_length_is_no_glance() -> None:
    buyer = BuyerIntegrity()
    see_view(buyer, "a", NOON - HOUR, None)
    pay(buyer, "o1", NOON)
    assert judged(buyer) == Judgement(0, ())


def test_whoever_looked_at_more_than_is_kept_may_have_looked_at_this_too() -> None:
    buyer = BuyerIntegrity()
    pay(buyer, "before", NOON - 48 * HOUR)
    for number in range(LOOKED_AT + 1):
        see_view(buyer, f"other-{number}", NOON - HOUR + number, MINUTE)
    pay(buyer, "o1", NOON)
    assert judged(buyer) == Judgement(0, ())
    # What was known before the bound was reached stays known.
    assert judged(buyer, "before").reasons == (Reason("unviewed", 20, 0),)


@pytest.mark.parametrize(
    ("buyers", "orders", "halves"), [(1, 9, 0), (2, 3, 1), (2, 4, 2), (3, 3, 2), (15, 15, 2)]
)
def test_a_phone_or_an_address_shared_by_three_or_by_two_with_four_orders(
    buyers: int, orders: int, halves: int
) -> None:
    by_phone, by_address = looked(), looked()
    pay(by_phone, "o1", NOON)
    pay(by_address, "o1", NOON)
    share(by_phone, "o1", buyers, orders, 1, 1)
    share(by_address, "o1", 0, 0, buyers, orders)
    assert judged(by_phone).points == 15 * halves
    assert judged(by_address).points == 5 * halves
    # Counts that come late are smaller, and change nothing.
    share(by_phone, "o1", 1, 1, 1, 1)
    assert judged(by_phone).points == 15 * halves


@pytest.mark.parametrize(
    ("after_s", "points"), [(0, 20), (600, 20), (601, 10), (86_400, 10), (86_401, 0), (-1, 0)]
)
def test_five_stars_without_a_word_at_the_door(after_s: int, points: int) -> None:
    buyer = looked()
    pay(buyer, "o1", NOON)
    received = NOON + 48 * HOUR
    # The review may come in before the receipt.
    review(buyer, "o1", received + after_s * SECOND, "posted", rating=5)
    assert judged(buyer).points == 0
    tell(buyer, "o1", "received", received)
    assert judged(buyer).points == points


@pytest.mark.parametrize(
    "more",
    [
        {"action": "appended", "text": "and it lasts"},
        {"action": "shown", "photos": 2},
        {"action": "removed"},
    ],
)
def test_words_photos_and_its_removal_take_the_praise_back(more: dict[str, Any]) -> None:
    buyer = looked()
    pay(buyer, "o1", NOON)
    tell(buyer, "o1", "received", NOON + HOUR)
    review(buyer, "o1", NOON + HOUR + MINUTE, "posted", rating=5)
    assert judged(buyer).points == 20
    review(buyer, "o1", NOON + 9 * HOUR, "appended")
    assert judged(buyer).points == 20
    review(buyer, "o1", NOON + 9 * HOUR, **more)
    assert judged(buyer).points == 0


@pytest.mark.parametrize(
    "said", [{"rating": 4}, {"rating": 5, "text": "good"}, {"rating": 5, "photos": 1}]
)
def test_other_reviews_are_no_sign(said: dict[str, Any]) -> None:
    buyer = looked()
    pay(buyer, "o1", NOON)
    tell(buyer, "o1", "received", NOON + HOUR)
    review(buyer, "o1", NOON + HOUR + MINUTE, "posted", **said)
    assert judged(buyer) == Judgement(0, ())


def test_an_order_is_judged_by_its_worst_product_once_it_is_paid() -> None:
    buyer = looked()
    body = Order(
        shop_id="shop", order_id="o1", status="placed", lines=[Line(sku="a"), Line(sku="b")]
    )
    see_order(buyer, order_hash("o1"), body, NOON, "UTC")
    assert judged(buyer) == Judgement(0, ())
    pay(buyer, "o1", NOON, skus="")
    assert judged(buyer).reasons == (Reason("unviewed", 20, 0),)


def test_no_sign_is_enough_by_itself_and_of_pairs_only_rate_and_phone() -> None:
    points = {
        "rate": ASKED.rate_points, "unviewed": ASKED.unviewed_points,
        "device": ASKED.device_points, "address": ASKED.address_points,
        "praise": ASKED.praise_points,
    }  # fmt: skip
    enough = {
        (one, other)
        for one in points
        for other in points
        if points[one] + (points[other] if one != other else 0) >= ASKED.verdict_points
    }
    assert enough == {("rate", "device"), ("device", "rate")}
