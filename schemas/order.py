"""shop.orders: the life of an order.

A status is a delta on the order; placed or paid may carry the whole of it.
"""

from typing import Annotated, Literal

import msgspec

from schemas.click import Channel, TrafficSource
from schemas.envelope import Data, Envelope, Id, Line, Money, Text

OrderStatus = Literal[
    "placed", "paid", "shipped", "received", "cancelled",
    "refund_requested", "refund_withdrawn", "refunded",
]  # fmt: skip
RefundKind = Literal["refund", "return", "exchange"]
#: Lines of one order; more is a dead letter.
ORDER_LINES = 200


class Promotion(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    id: Id
    kind: Id | None = None
    amount: Money | None = None


class Order(Data):
    """``amount`` is the refunded amount.

    ``refund_id`` is required for the refund statuses (checked by schemas.requirements). ``lines`` may
    come with ``placed`` or with ``paid``, whichever goes with the goods.
    """

    order_id: Id
    status: OrderStatus
    lines: Annotated[list[Line], msgspec.Meta(max_length=ORDER_LINES)] = msgspec.field(
        default_factory=list
    )
    amount_paid: Money | None = None
    discount: Money | None = None
    points_used: Money | None = None
    promotions: Annotated[list[Promotion], msgspec.Meta(max_length=50)] = msgspec.field(
        default_factory=list
    )
    coupon_codes: Annotated[list[Id], msgspec.Meta(max_length=20)] = msgspec.field(
        default_factory=list
    )
    payment_method: Id | None = None
    region: Id | None = None
    remark: Text | None = None
    channel: Channel | None = None
    traffic_source: TrafficSource | None = None
    carrier: Id | None = None
    tracking: Id | None = None
    device_hash: Id | None = None
    address_hash: Id | None = None
    refund_id: Id | None = None
    amount: Money | None = None
    kind: RefundKind | None = None
    reason: Text | None = None


class OrderEvent(Envelope, tag="shop.order.v1"):
    data: Order
