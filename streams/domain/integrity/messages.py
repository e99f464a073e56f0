"""What a buyer's state and a product's tell each other: small frozen structs, arrays on the wire.

They may arrive late, more than once and in any order. An order is merged into what the product knows of
it, and counts only ever grow, so the greatest count that was told is the newest.
"""

import msgspec

#: Counts that are told stop here: a sign is full long before.
MOST = 15


class OrderOfProduct(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """To the product ``sku``: a buyer ordered it. Each event of an order with its goods says so.

    ``time``: s since 1970. ``device`` and ``address``: 8-byte hashes, empty where nothing was said.
    """

    sku: str
    customer_id: str
    order_id: str
    time: int
    device: bytes
    address: bytes


class Shared(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """To the buyer ``customer_id``: who else ordered ``sku`` from the phone and address of an order.

    Buyers and orders of the product, this one's included, at most MOST each; 0: no phone (address)
    is known.
    """

    customer_id: str
    order_id: str
    sku: str
    device_buyers: int
    device_orders: int
    address_buyers: int
    address_orders: int
