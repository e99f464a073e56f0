"""A product's state: what is shared with whom, in any order, within bounds."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.exchange import SHARED, OrderOfProduct, SharedOrder
from streams.domain.integrity.product import (
    NAMES_BYTES,
    ORDERS,
    ProductIntegrity,
    fold_order_of_product,
)


def told(number: int, buyer: str, device: str = "", address: str = "") -> OrderOfProduct:
    return OrderOfProduct(
        customer_id=buyer,
        order_id=f"o{number}",
        device_hash=device or None,
        address_hash=address or None,
    )


def tell(product: ProductIntegrity, one: OrderOfProduct) -> tuple[SharedOrder, ...]:
    """As of a time by the order's number."""
    time = (1_000 + int(one.order_id[1:])) * 1_000
    return fold_order_of_product(product, "a", one, time)


def answer(visitor: str, order_id: str, *counts: int) -> SharedOrder:
    names = ("device_buyers", "device_orders", "address_buyers", "address_orders")
    numbers = dict(zip(names, counts, strict=True))
    return SharedOrder(visitor=visitor, order_id=order_id, sku="a", **numbers)


def test_buyers_hear_of_each_other_once_there_is_something_to_hear() -> None:
    product = ProductIntegrity()
    assert tell(product, told(1, "c1", "phone", "home")) == ()
    assert tell(product, told(2, "c2", "other phone", "work")) == ()
    assert tell(product, told(3, "c2", "phone", "work")) == (
        answer("c1", "o1", 2, 2, 1, 1),
        answer("c2", "o3", 2, 2, 1, 2),
    )
    # The same again: nothing new.
    assert tell(product, told(3, "c2", "phone", "work")) == ()
    # The address comes later than the phone.
    assert tell(product, told(4, "c3", "phone")) == (
        answer("c1", "o1", 3, 3, 1, 1),
        answer("c2", "o3", 3, 3, 1, 2),
        answer("c3", "o4", 3, 3, 0, 0),
    )
    assert tell(product, told(4, "c3", "", "home")) == (
        answer("c1", "o1", 3, 3, 2, 2),
        answer("c3", "o4", 3, 3, 2, 2),
    )


def test_nobody_is_told_more_once_counts_are_full() -> None:
    product = ProductIntegrity()
    for number in range(SHARED + 5):
        tell(product, told(number, f"c{number}", "", "station"))
    (said,) = tell(product, told(99, "c99", "", "station"))
    assert said == answer("c99", "o99", 0, 0, SHARED, SHARED)


orders = st.lists(
    st.builds(
        told,
        st.integers(0, 12),
        st.just(""),
        st.sampled_from(["", "d1", "d2"]),
        st.sampled_from(["", "a1", "a2"]),
    ),
    max_size=20,
)


def one_buyer_and_phone_an_order(drawn: list[OrderOfProduct]) -> list[OrderOfProduct]:
    """Orders as shops have them: told of more than once, but with one buyer, phone and address."""
    known: dict[str, tuple[str | None, str | None]] = {}
    made = []
    for one in drawn:
        device, address = known.setdefault(one.order_id, (one.device_hash, one.address_hash))
        number = int(one.order_id[1:])
        part = one.device_hash and device, one.address_hash and address
        made.append(told(number, f"c{number % 5}", *(each or "" for each in part)))
    return made


def heard(messages: list[OrderOfProduct]) -> dict[str, tuple[int, ...]]:
    """The greatest counts that each order's buyer heard."""
    product, counts = ProductIntegrity(), dict[str, tuple[int, ...]]()
    for message in messages:
        for said in tell(product, message):
            now = (
                said.device_buyers, said.device_orders, said.address_buyers,
                said.address_orders,
            )  # fmt: skip
            before = counts.get(said.order_id, (0, 0, 0, 0))
            counts[said.order_id] = tuple(map(max, before, now))
    return counts


@settings(max_examples=150, deadline=None)
@given(orders, st.randoms(use_true_random=False))
def test_any_order_and_repeats_tell_the_same(
    drawn: list[OrderOfProduct], shuffler: random.Random
) -> None:
    messages = one_buyer_and_phone_an_order(drawn)
    again = messages + messages[: len(messages) // 2]
    shuffler.shuffle(again)
    expected: dict[str, tuple[int, ...]] = {}
    for order in messages:
        devices = {one.device_hash for one in messages if one.order_id == order.order_id} - {None}
        addresses = {one.address_hash for one in messages if one.order_id == order.order_id} - {
            None
        }
        on_device = [one for one in messages if one.device_hash in devices]
        at_address = [one for one in messages if one.address_hash in addresses]
        counts = tuple(
            len({getattr(one, name) for one in group})
            for group in (on_device, at_address)
            for name in ("customer_id", "order_id")
        )
        if max(counts) > 1 and max(counts[0], counts[2]) > 1:
            expected[order.order_id] = counts
    assert heard(again) == heard(messages) == expected


def test_the_earliest_orders_leave_when_there_are_too_many_or_names_are_too_long() -> None:
    product = ProductIntegrity()
    numbers = list(range(ORDERS + 40))
    random.Random(1).shuffle(numbers)
    for number in numbers:
        tell(product, told(number, f"c{number}", f"d{number}"))
    assert sorted(order.time for order in product.orders) == list(range(1_040, 1_040 + ORDERS))
    product = ProductIntegrity()
    for number in range(ORDERS):
        long = f"c{number}".ljust(64, "𠮷")
        tell(product, told(number, long, "d"))
    size = sum(len((order.customer_id + order.order_id).encode()) for order in product.orders)
    assert NAMES_BYTES - 300 < size <= NAMES_BYTES
    assert max(order.time for order in product.orders) == 1_000 + ORDERS - 1
