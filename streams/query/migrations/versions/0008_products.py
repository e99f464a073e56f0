"""What a shop sells: the sink reads shop.products, from the beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "products",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("sku", _text(), nullable=False),
        sa.Column("name", _text()),
        sa.Column("brand", _text()),
        sa.Column("category", _text()),
        sa.Column("price", sa.BigInteger()),
        sa.Column("unit_cost", sa.BigInteger()),
        sa.Column("stock", sa.BigInteger()),
        sa.Column("image", _text()),
        sa.Column("status", _text()),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("said", _text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "sku"),
    )
