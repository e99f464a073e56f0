"""A product's state: what is shared with whom, in any order, within bounds."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.integrity.messages import MOST, OrderOfProduct, Shared
from streams.domain.integrity.product import (
    NAMES_BYTES,
    ORDERS,
    ProductIntegrity,
    fold_order_of_product,
)
from streams.domain.names import name_hash


def told(number: int, buyer: str, device: str = "", address: str = "") -> OrderOfProduct:
    hashes = [name_hash(name) if name else b"" for name in (device, address)]
    return OrderOfProduct("a", buyer, f"o{number}", 1_000 + number, *hashes)


def test_buyers_hear_of_each_other_once_there_is_something_to_hear() -> None:
    product = ProductIntegrity()
    assert fold_order_of_product(product, told(1, "c1", "phone", "home")) == ()
    assert fold_order_of_product(product, told(2, "c2", "other phone", "work")) == ()
    assert fold_order_of_product(product, told(3, "c2", "phone", "work")) == (
        Shared("c1", "o1", "a", 2, 2, 1, 1),
        Shared("c2", "o3", "a", 2, 2, 1, 2),
    )
    # The same again: nothing new.
    assert fold_order_of_product(product, told(3, "c2", "phone", "work")) == ()
    # The address comes later than the phone.
    assert fold_order_of_product(product, told(4, "c3", "phone")) == (
        Shared("c1", "o1", "a", 3, 3, 1, 1),
        Shared("c2", "o3", "a", 3, 3, 1, 2),
        Shared("c3", "o4", "a", 3, 3, 0, 0),
    )
    assert fold_order_of_product(product, told(4, "c3", "", "home")) == (
        Shared("c1", "o1", "a", 3, 3, 2, 2),
        Shared("c3", "o4", "a", 3, 3, 2, 2),
    )


def test_nobody_is_told_more_once_counts_are_full() -> None:
    product = ProductIntegrity()
    for number in range(MOST + 5):
        fold_order_of_product(product, told(number, f"c{number}", "", "station"))
    (answer,) = fold_order_of_product(product, told(99, "c99", "", "station"))
    assert answer == Shared("c99", "o99", "a", 0, 0, MOST, MOST)


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
    known: dict[str, tuple[bytes, bytes]] = {}
    made = []
    for one in drawn:
        device, address = known.setdefault(one.order_id, (one.device, one.address))
        buyer = f"c{int(one.order_id[1:]) % 5}"
        part = one.device and device, one.address and address
        made.append(OrderOfProduct("a", buyer, one.order_id, one.time, *part))
    return made


def heard(messages: list[OrderOfProduct]) -> dict[str, tuple[int, ...]]:
    """The greatest counts that each order's buyer heard."""
    product, counts = ProductIntegrity(), dict[str, tuple[int, ...]]()
    for message in messages:
        for answer in fold_order_of_product(product, message):
            now = (
                answer.device_buyers, answer.device_orders, answer.address_buyers,
                answer.address_orders,
            )  # fmt: skip
            before = counts.get(answer.order_id, (0, 0, 0, 0))
            counts[answer.order_id] = tuple(map(max, before, now))
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
        devices = {one.device for one in messages if one.order_id == order.order_id} - {b""}
        addresses = {one.address for one in messages if one.order_id == order.order_id} - {b""}
        on_device = [one for one in messages if one.device in devices]
        at_address = [one for one in messages if one.address in addresses]
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
        fold_order_of_product(product, told(number, f"c{number}", f"d{number}"))
    assert sorted(order.time for order in product.orders) == list(range(1_040, 1_040 + ORDERS))
    product = ProductIntegrity()
    for number in range(ORDERS):
        long = f"c{number}".ljust(64, "𠮷")
        fold_order_of_product(product, told(number, long, "d"))
    size = sum(len((order.customer_id + order.order_id).encode()) for order in product.orders)
    assert NAMES_BYTES - 300 < size <= NAMES_BYTES
    assert max(order.time for order in product.orders) == 1_000 + ORDERS - 1
