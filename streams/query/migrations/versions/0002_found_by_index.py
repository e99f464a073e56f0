"""Orders are found by shop, product and coupon along an index that has the order of a page."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

#: Table -> the column that is looked for, and its index until now.
_LOOKED_FOR = {
    "order_lines": ("sku", "order_lines_by_sku"),
    "order_coupons": ("code", "order_coupons_by_code"),
}


def upgrade() -> None:
    op.create_index(
        "orders_by_shop", "orders", ["shop_id", "ordered_ms", "customer_id", "order_id"]
    )
    for table, (column, index) in _LOOKED_FOR.items():
        op.drop_index(index, table)
        op.add_column(table, sa.Column("ordered_ms", sa.BigInteger(), nullable=True))
        op.execute(
            f"UPDATE {table} SET ordered_ms = (SELECT orders.ordered_ms FROM orders "  # noqa: S608
            f"WHERE orders.shop_id = {table}.shop_id AND orders.customer_id = {table}.customer_id "
            f"AND orders.order_id = {table}.order_id)"
        )
        # SQLite changes a column by way of another table.
        with op.batch_alter_table(table) as batch:
            batch.alter_column("ordered_ms", existing_type=sa.BigInteger(), nullable=False)
        op.create_index(index, table, [column, "ordered_ms", "shop_id", "customer_id", "order_id"])
