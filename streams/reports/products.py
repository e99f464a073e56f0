"""What was bought, by product or category: the lines of paid orders."""

from sqlalchemy import Connection, FromClause, String, and_, func

from streams.query.tables import order_lines
from streams.reports.amounts import count, money_columns, money_of, rows_of
from streams.reports.categories import CATEGORY, NOTE, beside_products
from streams.reports.honest import orders
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.sums import Facts, Raw, add_up, counted, exact_sum, summed

_LINES = "order_lines: of `paid`, else of `placed`, of orders paid in the period"
FIGURES = (
    Figure("pieces", "count", "Pieces in paid orders.", f"{_LINES}; quantity", additive=True),
    Figure(
        "goods_amount", "money",
        "Unit price x quantity, before discounts and coupons: not what was paid for the order.",
        f"{_LINES}; unit_price, quantity", additive=True,
    ),
    Figure("paid_orders", "count", "Different paid orders with such a line.", _LINES),
    Figure("buyers", "count", "Different customers who paid an order with such a line.", _LINES),
)  # fmt: skip
_KEYS = {"product": order_lines.c.sku, "category": CATEGORY}


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    held, lines = orders.c, order_lines.c
    joined = and_(
        lines.shop_id == held.shop_id,
        lines.customer_id == held.customer_id,
        lines.order_id == held.order_id,
    )
    source: FromClause = orders.join(order_lines, joined)
    if asked.by == "category":
        source = beside_products(source, asked.shop)
    facts = Facts(source, held.paid_ms, [held.shop_id == asked.shop])
    # The length keeps apart what would be the same text.
    length = func.length(held.customer_id).cast(String)
    order = func.distinct(length + " " + held.customer_id + held.order_id)
    columns = [
        *exact_sum("pieces", lines.quantity),
        *money_columns("goods", lines.unit_price * lines.quantity, held.paid_ms, asked),
        func.count(lines.line).label("lines"),
        func.count(lines.unit_price).label("told"),
        func.count(order).label("orders"),
        func.count(func.distinct(held.customer_id)).label("buyers"),
    ]
    rank = func.sum(lines.quantity)
    key = _KEYS.get(asked.by or "")
    found = add_up(connection, asked, facts, columns, key, rank)

    def values(raw: Raw) -> dict[str, Value]:
        lacking = counted(raw, "lines") - counted(raw, "told")
        return {
            "pieces": count(summed(raw, "pieces")),
            "goods_amount": money_of(
                raw, "goods", asked, lacking=lacking, of=counted(raw, "lines"), what="lines"
            ),
            "paid_orders": count(counted(raw, "orders")),
            "buyers": count(counted(raw, "buyers")),
        }

    return rows_of(asked, found, FIGURES, values)


REPORT = Report(
    "products", "Products", FIGURES, ("product", "category", "day", "week", "month"), _rows, by="product",
    notes=("Orders whose events name no lines are in no product and no category.", NOTE),
)  # fmt: skip
