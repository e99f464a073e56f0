"""Events to send in tests."""

import uuid
from datetime import UTC, datetime
from typing import Any

from schemas.cart import Cart, CartEvent
from schemas.click import Click, ClickEvent
from schemas.order import Order, OrderEvent
from schemas.product import Product, ProductEvent
from schemas.profile import Profile, ProfileEvent
from schemas.review import Review, ReviewEvent
from schemas.service import Service, ServiceEvent
from schemas.wish import Wish, WishEvent


def _envelope(customer: str, changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": "tests",
        "subject": customer,
        "time": datetime.now(UTC),
        **changes,
    }


def click(customer: str = "c1", **changes: Any) -> ClickEvent:
    changes.setdefault("data", Click(shop_id="s1", action="view", sku="p1"))
    return ClickEvent(**_envelope(customer, changes))


def cart(customer: str = "c1", **changes: Any) -> CartEvent:
    changes.setdefault("data", Cart(shop_id="s1", action="add", sku="p1"))
    return CartEvent(**_envelope(customer, changes))


def order(customer: str = "c1", **changes: Any) -> OrderEvent:
    changes.setdefault("data", Order(shop_id="s1", order_id=uuid.uuid4().hex, status="paid"))
    return OrderEvent(**_envelope(customer, changes))


def review(customer: str = "c1", **changes: Any) -> ReviewEvent:
    data = Review(shop_id="s1", action="posted", order_id="o1", sku="p1", rating=5)
    changes.setdefault("data", data)
    return ReviewEvent(**_envelope(customer, changes))


def service(customer: str = "c1", **changes: Any) -> ServiceEvent:
    changes.setdefault("data", Service(shop_id="s1", action="inquiry", case_id="k1"))
    return ServiceEvent(**_envelope(customer, changes))


def wish(customer: str = "c1", **changes: Any) -> WishEvent:
    changes.setdefault("data", Wish(shop_id="s1", wish_id="w1", action="made", sku="p1"))
    return WishEvent(**_envelope(customer, changes))


def profile(customer: str = "c1", **changes: Any) -> ProfileEvent:
    changes.setdefault("data", Profile(shop_id="s1", action="updated", tags=["tea"]))
    return ProfileEvent(**_envelope(customer, changes))


def product(sku: str = "a", **changes: Any) -> ProductEvent:
    changes.setdefault("data", Product(shop_id="s1", sku=sku, action="listed", name="明前龙井"))
    return ProductEvent(**_envelope(sku, changes))
