"""shop.carts: changes of a customer's cart. A line is a sku with its attributes."""

from typing import Literal

import msgspec

from schemas.click import Channel, TrafficSource
from schemas.envelope import Data, Envelope, Id, Money, Quantity

CartAction = Literal["add", "remove", "set", "clear"]


class Cart(Data):
    """``sku`` is required for all actions but ``clear`` (checked by schemas.requirements)."""

    action: CartAction
    sku: Id | None = None
    quantity: Quantity = 1
    category: Id | None = None
    unit_price: Money | None = None
    attributes: dict[Id, Id] = msgspec.field(default_factory=dict)
    traffic_source: TrafficSource | None = None
    channel: Channel | None = None


class CartEvent(Envelope, tag="shop.cart.v1"):
    data: Cart
