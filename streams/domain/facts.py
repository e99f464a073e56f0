"""What a fold found out, for the campaigns to judge: small frozen structs, none for a click."""

import msgspec


class CartChanged(msgspec.Struct, frozen=True, gc=False):
    """A cart event was folded; ``action`` as in the contract, ``sku`` empty for ``clear``."""

    action: str
    sku: str


class OrderAdvanced(msgspec.Struct, frozen=True, gc=False):
    """An order got a status it had not; for ``paid`` see OrderPaid."""

    order_id: str
    status: str


class OrderPaid(msgspec.Struct, frozen=True, gc=False):
    """An order became paid. ``number``: how many paid orders the customer has now, this one
    included; cancelled and refunded ones count. ``amount`` in minor units, None: unknown.
    """

    order_id: str
    number: int
    amount: int | None


class ReviewPosted(msgspec.Struct, frozen=True, gc=False):
    """A review was posted; ``rating`` 1-5."""

    order_id: str
    sku: str
    rating: int


class ReviewChanged(msgspec.Struct, frozen=True, gc=False):
    """A review was appended to, shown, removed or replied to."""

    order_id: str
    sku: str
    action: str


Fact = CartChanged | OrderAdvanced | OrderPaid | ReviewPosted | ReviewChanged
