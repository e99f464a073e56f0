"""What is put into carts and taken out: 加购. A removal later does not un-count what was added."""

from typing import Final

from schemas.cart import Cart
from streams.domain.aggregates.names import part, without
from streams.domain.increments import Increments, add_to, member_of

ADDERS: Final = "adders"
#: By action.
SUMS: Final = {"add": "adds", "set": "sets", "remove": "removes", "clear": "clears"}


def count_cart(increments: Increments, customer_id: str, data: Cart, day: int) -> None:
    """Add what one cart event changes. A ``set`` is no add: most are of a line that was added before."""
    shop_id, action = data.shop_id, data.action
    fields = increments.fields(shop_id, day)
    figure = SUMS[action]
    add_to(fields, figure, 1)
    if data.sku is not None:
        add_to(fields, part(figure, "product", data.sku), 1)
    if data.category is not None:
        add_to(fields, part(figure, "category", data.category), 1)
    if action != "add":
        return
    member = member_of(customer_id)
    increments.see(shop_id, day, ADDERS, member)
    for dimension, value in (
        ("source", data.traffic_source),
        ("channel", data.channel),
        ("category", data.category),
    ):
        if value is not None:
            increments.see(shop_id, day, part(ADDERS, dimension, value), member)
        else:
            add_to(fields, without("adds", dimension), 1)
