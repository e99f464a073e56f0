"""Verdicts on orders: the sink reads shop.verdicts, and an order's row says what the order is held to be."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "verdicts",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("order_hash", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("brushed", sa.Integer(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("reasons", _text(), nullable=False),
        sa.Column("visitors", _text(), nullable=False),
        sa.Column("product_hash", _text(), nullable=True),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "order_hash", "customer_id", "number"),
    )
    op.create_index("verdicts_by_customer", "verdicts", ["shop_id", "customer_id", "time_ms"])
    op.add_column("orders", sa.Column("brushed", sa.Integer(), nullable=False, server_default="0"))
    for name in ("judged_ms", "judged_points"):
        op.add_column("orders", sa.Column(name, sa.BigInteger(), nullable=True))
    for name in ("judged_sign", "judged_sku"):
        op.add_column("orders", sa.Column(name, _text(), nullable=True))
    op.create_index("orders_by_brushed", "orders", ["brushed", "ordered_ms"])
