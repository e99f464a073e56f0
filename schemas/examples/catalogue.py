"""What a shop sells."""

from typing import Any, Final

from schemas.catalogue import PRODUCTS
from schemas.examples.example import Example, event


def _product(title: str, subject: str, time: str, **data: Any) -> Example:
    return event(PRODUCTS, "shop.product.v1", title, subject, time, data, source="catalogue")


CATALOGUE_EXAMPLES: Final = (
    _product(
        "minimal product",
        "tea-001",
        "2026-05-01T08:00:00Z",
        shop_id="tea",
        sku="tea-001",
        action="delisted",
    ),
    _product(
        "product listed",
        "tea-002",
        "2026-05-01T08:00:00Z",
        shop_id="tea",
        sku="tea-002",
        action="listed",
        name="明前龙井 50 g",
        brand="West Lake",
        category="green-tea",
        price=16800,
        unit_cost=7200,
        stock=340,
        image="https://img.example.com/tea-002.jpg",
    ),
    _product(
        "price changed",
        "tea-002",
        "2026-06-18T00:00:00Z",
        shop_id="tea",
        sku="tea-002",
        action="price_changed",
        price=12800,
    ),
    _product(
        "stock changed",
        "tea-002",
        "2026-06-18T00:20:00Z",
        shop_id="tea",
        sku="tea-002",
        action="stock_changed",
        stock=12,
    ),
)
