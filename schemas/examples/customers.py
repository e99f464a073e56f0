"""What customers do: what the storefront sends, and the order and review services behind it."""

from typing import Any, Final

from schemas.catalogue import CARTS, CLICKS, ORDERS, REVIEWS
from schemas.examples.example import Example, event


def _click(title: str, subject: str, time: str, **data: Any) -> Example:
    return event(CLICKS, "shop.click.v1", title, subject, time, data)


def _cart(title: str, subject: str, time: str, **data: Any) -> Example:
    return event(CARTS, "shop.cart.v1", title, subject, time, data)


def _order(title: str, subject: str, time: str, **data: Any) -> Example:
    return event(ORDERS, "shop.order.v1", title, subject, time, data, source="orders")


def _review(title: str, subject: str, time: str, **data: Any) -> Example:
    return event(REVIEWS, "shop.review.v1", title, subject, time, data, source="reviews")


_SHIRT: Final = {
    "sku": "2734026",
    "quantity": 2,
    "category": "4145813",
    "unit_price": 12_900,
    "attributes": {"colour": "navy", "size": "L"},
}

_CLICKS = (
    _click("minimal click", "100001", "2026-05-20T08:00:00Z", shop_id="tea", action="view"),
    _click(
        "view of a product",
        "100001",
        "2026-05-20T08:00:07.250Z",
        shop_id="tea",
        action="view",
        session_id="s-5f0c",
        sku="2734026",
        category="4145813",
        price=12_900,
        dwell_ms=41_300,
        page="/item/2734026",
        traffic_source="search",
        channel="app",
        region="CN-33",
        device_hash="d41d8cd98f00b204",
        page_kind="product",
        came_from="search",
    ),
    _click(
        "search",
        "100001",
        "2026-05-20T16:00:31+08:00",
        shop_id="tea",
        action="search",
        session_id="s-5f0c",
        keyword="龙井 明前",
        channel="miniapp",
    ),
    _click(
        "live stream entered",
        "100002",
        "2026-05-20T12:30:00Z",
        shop_id="tea",
        action="live_enter",
        live_id="live-0520",
        traffic_source="share",
        shared_by="100001",
        channel="app",
    ),
)

_CARTS = (
    _cart("minimal add", "100001", "2026-05-20T08:01:00Z", shop_id="tea", action="add", sku="1"),
    _cart(
        "two shirts added",
        "100001",
        "2026-05-20T08:01:10Z",
        shop_id="tea",
        action="add",
        traffic_source="search",
        channel="app",
        **_SHIRT,
    ),
    _cart(
        "one shirt removed",
        "100001",
        "2026-05-20T08:02:00Z",
        shop_id="tea",
        action="remove",
        sku="2734026",
        quantity=1,
        attributes={"colour": "navy", "size": "L"},
    ),
    _cart("cart cleared", "100001", "2026-05-20T08:03:00Z", shop_id="tea", action="clear"),
)

_ORDERS = (
    _order(
        "minimal order",
        "100001",
        "2026-05-20T08:10:00Z",
        shop_id="tea",
        order_id="o-1",
        status="paid",
    ),
    _order(
        "order placed",
        "100001",
        "2026-05-20T08:10:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        status="placed",
        lines=[_SHIRT, {"sku": "918273", "category": "4756105", "unit_price": 4_500}],
        discount=3_000,
        promotions=[{"id": "spring", "kind": "full_reduction", "amount": 3_000}],
        region="CN-33",
        channel="app",
        traffic_source="search",
        device_hash="d41d8cd98f00b204",
        address_hash="9e107d9d372bb682",
    ),
    _order(
        "order paid",
        "100001",
        "2026-05-20T08:10:42Z",
        shop_id="tea",
        order_id="20260520-000017",
        status="paid",
        amount_paid=27_300,
        points_used=0,
        coupon_codes=["K7Q2-M9XD"],
        payment_method="alipay",
    ),
    _order(
        "order shipped",
        "100001",
        "2026-05-21T02:00:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        status="shipped",
        carrier="SF",
        tracking="SF1029384756",
    ),
    _order(
        "shirt refunded",
        "100001",
        "2026-05-28T09:00:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        status="refunded",
        refund_id="r-1",
        amount=12_900,
        lines=[{**_SHIRT, "quantity": 1}],
        kind="return",
        reason="too large",
    ),
)

_REVIEWS = (
    _review(
        "minimal review",
        "100001",
        "2026-05-29T09:00:00Z",
        shop_id="tea",
        order_id="o-1",
        sku="1",
        action="removed",
    ),
    _review(
        "bad review posted",
        "100001",
        "2026-05-29T09:00:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        sku="2734026",
        action="posted",
        rating=2,
        text="The seam came apart after one wash.",
        photos=2,
    ),
    _review(
        "review appended",
        "100001",
        "2026-06-02T09:00:00Z",
        shop_id="tea",
        order_id="20260520-000017",
        sku="2734026",
        action="appended",
        text="The shop sent a new one at once.",
    ),
)

CUSTOMER_EXAMPLES: Final = (*_CLICKS, *_CARTS, *_ORDERS, *_REVIEWS)
