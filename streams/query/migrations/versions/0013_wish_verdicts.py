"""Verdicts on likes: the sink reads from shop.verdicts how many likes of a wish are held to be bought."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "wish_verdicts",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("wish_hash", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("suspicious", sa.BigInteger(), nullable=False),
        sa.Column("likes", sa.BigInteger(), nullable=False),
        sa.Column("visitors", _text(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "wish_hash", "customer_id", "number"),
    )
    op.create_index(
        "wish_verdicts_by_customer", "wish_verdicts", ["shop_id", "customer_id", "time_ms"]
    )
    # None was told before: the workers that tell them come after the sinks that read them.
    op.add_column(
        "wishes", sa.Column("suspicious", sa.BigInteger(), nullable=False, server_default="0")
    )
