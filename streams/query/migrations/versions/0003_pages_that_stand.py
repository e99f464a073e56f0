"""Where an order stood before its time changed, so that a page begun before that goes on as it began."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "order_moves",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("ordered_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(
        "order_moves_by_order", "order_moves", ["shop_id", "customer_id", "order_id", "number"]
    )
