"""Which field an action or status requires: what the types alone do not say.

The JSON Schemas say the same (schemas.export.json_schema), and a test compares the two.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.cart import Cart, CartEvent
from schemas.order import Order, OrderEvent
from schemas.product import Product, ProductEvent
from schemas.profile import Profile, ProfileEvent
from schemas.review import Review, ReviewEvent
from schemas.service import Service, ServiceEvent
from schemas.wish import Wish, WishEvent


def _cart_lacks(data: Cart) -> str | None:
    return "sku" if data.sku is None and data.action != "clear" else None


def _order_lacks(data: Order) -> str | None:
    return "refund_id" if data.refund_id is None and data.status in _REFUND_STATUSES else None


def _review_lacks(data: Review) -> str | None:
    return "rating" if data.rating is None and data.action == "posted" else None


def _service_lacks(data: Service) -> str | None:
    if data.action == "survey_answered":
        return "score" if data.score is None else None
    return "case_id" if data.case_id is None else None


def _wish_lacks(data: Wish) -> str | None:
    return "liker_id" if data.liker_id is None and data.action in ("liked", "unliked") else None


def _profile_lacks(data: Profile) -> str | None:
    if data.action == "consent":
        return "consent" if data.consent is None else None
    return "alias_of" if data.alias_of is None and data.action == "alias" else None


def _product_lacks(data: Product) -> str | None:
    if data.action == "price_changed":
        return "price" if data.price is None else None
    return "stock" if data.stock is None and data.action == "stock_changed" else None


_REFUND_STATUSES: Final = frozenset({"refund_requested", "refund_withdrawn", "refunded"})
#: Per event type, the field that its data would need and does not have.
LACKS: Final[Mapping[type, Callable[[Any], str | None]]] = {
    CartEvent: _cart_lacks,
    OrderEvent: _order_lacks,
    ReviewEvent: _review_lacks,
    ServiceEvent: _service_lacks,
    WishEvent: _wish_lacks,
    ProfileEvent: _profile_lacks,
    ProductEvent: _product_lacks,
}
