"""shop.products: what a shop sells, what it costs, and how much of it there is. The key is the sku."""

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Data, Envelope, Id, Money, Text

ProductAction = Literal["listed", "price_changed", "stock_changed", "delisted"]
#: Pieces; a quantity of an order is at most 10^6.
Stock = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
#: A product's name as customers read it.
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Product(Data):
    """``price`` is required for ``price_changed`` and ``stock`` for ``stock_changed`` (checked by
    schemas.requirements). ``listed`` may carry the whole of it, and what it does not say stays as it was.
    """

    sku: Id
    action: ProductAction
    name: Name | None = None
    brand: Id | None = None
    category: Id | None = None
    price: Money | None = None
    #: What a piece costs the shop, for margins.
    unit_cost: Money | None = None
    stock: Stock | None = None
    #: An address of a picture.
    image: Text | None = None


class ProductEvent(Envelope, tag="shop.product.v1"):
    data: Product
