"""A product's part in finding brushed orders: whose orders of it share a phone or an address.

The state of a product holds its newest orders, as many as the bounds let it. A brushed order is told
from an honest one by those around it, so it matters little that older ones leave, and what was told of
them stays with their buyers; but where more than ORDERS orders of a product lie between two of a gang,
nobody sees what they share.
"""

import msgspec

from schemas.exchange import SHARED, OrderOfProduct, SharedOrder
from streams.domain.names import name_hash

#: Orders kept, and the UTF-8 bytes of their ids and their buyers' (128 pairs of the longest ASCII
#: ones); the earliest leave first.
ORDERS = 256
NAMES_BYTES = 16_384


class ProductOrder(msgspec.Struct, array_like=True, gc=False):
    """An order of the product. ``time``: s, of the earliest event that told of it."""

    customer_id: str
    order_id: str
    time: int
    #: 8-byte hashes, empty where not known.
    device: bytes
    address: bytes


class ProductIntegrity(msgspec.Struct, array_like=True, gc=False):
    """The newest orders of one product of a shop, in no order that means anything."""

    orders: list[ProductOrder] = []


def fold_order_of_product(
    product: ProductIntegrity, sku: str, told: OrderOfProduct, time: int
) -> tuple[SharedOrder, ...]:
    """Note an order of the product ``sku`` of ``time`` (ms); returns what its buyer, and others', hear
    now for the first time.

    An order told of again is merged: the earliest time, of two hashes the greater. The same orders in
    any order, some of them twice, leave the same counts with the buyers, as long as none had to leave.
    A buyer with whom nobody shares anything hears nothing.
    """
    orders, second = product.orders, max(time // 1000, 0)
    known = next((each for each in orders if each.order_id == told.order_id), None)
    device = max(_hashed(told.device_hash), known.device if known else b"")
    address = max(_hashed(told.address_hash), known.address if known else b"")
    if known and (device, address) == (known.device, known.address):
        known.time = min(known.time, second)
        return ()
    before = _on_device(orders, device), _at_address(orders, address)
    if known is None:
        known = ProductOrder(told.customer_id, told.order_id, second, device, address)
        orders.append(known)
        _bound(product)
    else:
        known.time, known.device, known.address = min(known.time, second), device, address
    after = _on_device(orders, device), _at_address(orders, address)
    answers = []
    for order in orders:
        hears = (
            order is known
            or (order.device == device and after[0] != before[0])
            or (order.address == address and after[1] != before[1])
        )
        if hears and (order.device or order.address):
            counts = (*_on_device(orders, order.device), *_at_address(orders, order.address))
            if max(counts[0], counts[2]) > 1:
                answers.append(_shared(order, sku, counts))
    return tuple(answers)


def _shared(order: ProductOrder, sku: str, counts: tuple[int, int, int, int]) -> SharedOrder:
    device_buyers, device_orders, address_buyers, address_orders = counts
    return SharedOrder(
        visitor=order.customer_id,
        order_id=order.order_id,
        sku=sku,
        device_buyers=device_buyers,
        device_orders=device_orders,
        address_buyers=address_buyers,
        address_orders=address_orders,
    )


def _hashed(name: str | None) -> bytes:
    return name_hash(name) if name else b""


def _on_device(orders: list[ProductOrder], device: bytes) -> tuple[int, int]:
    """Buyers and orders of a phone, at most SHARED; 0 of a phone that is not known."""
    return _counted([order for order in orders if order.device == device]) if device else (0, 0)


def _at_address(orders: list[ProductOrder], address: bytes) -> tuple[int, int]:
    return _counted([order for order in orders if order.address == address]) if address else (0, 0)


def _counted(orders: list[ProductOrder]) -> tuple[int, int]:
    buyers = {order.customer_id for order in orders}
    return min(len(buyers), SHARED), min(len(orders), SHARED)


def _bound(product: ProductIntegrity) -> None:
    size = sum(map(_weight, product.orders))
    while len(product.orders) > ORDERS or size > NAMES_BYTES:
        leaving = min(product.orders, key=lambda order: (order.time, order.order_id))
        product.orders.remove(leaving)
        size -= _weight(leaving)


def _weight(order: ProductOrder) -> int:
    return len(order.customer_id.encode()) + len(order.order_id.encode())
