"""The category of what was ordered: what the line says, else what the shop says of the product now."""

from typing import Any, Final, cast

from sqlalchemy import ColumnElement, FromClause, and_, func

from streams.query.tables import order_lines, products

#: In the sources of ``beside_products``; NULL where neither says it.
CATEGORY: Final[ColumnElement[Any]] = func.coalesce(order_lines.c.category, products.c.category)
NOTE: Final = (
    "A category is that of the order's line; where it tells none, "
    "the product's as the shop has it now."
)


def beside_products(lines: FromClause, shop: str) -> FromClause:
    """``lines``, which have order_lines in them, each beside its product where the shop has told of it."""
    same = and_(products.c.shop_id == shop, products.c.sku == order_lines.c.sku)
    return cast(FromClause, lines.outerjoin(products, same))
