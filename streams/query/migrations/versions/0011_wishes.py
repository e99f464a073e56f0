"""Wishes: the sink reads shop.wishes, from the beginning.

And shop.deadletters again, of which it took no verdict on what it did not read; to read one twice changes
nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    for table in ("wish_events", "like_events"):
        op.create_table(
            table,
            sa.Column("shop_id", _text(), nullable=False),
            sa.Column("customer_id", _text(), nullable=False),
            sa.Column("time_ms", sa.BigInteger(), nullable=False),
            sa.Column("source", _text(), nullable=False),
            sa.Column("event_id", _text(), nullable=False),
            sa.Column("data", _text(), nullable=False),
            sa.Column("topic", _text(), nullable=False),
            sa.Column("partition", sa.Integer(), nullable=False),
            sa.Column("offset", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("topic", "partition", "offset"),
        )
        op.create_index(f"{table}_by_customer", table, ["shop_id", "customer_id"])
    op.create_table(
        "wishes",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("wish_id", _text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger()),
        sa.Column("sku", _text()),
        sa.Column("decision", _text()),
        sa.Column("decided_ms", sa.BigInteger()),
        sa.Column("comments", sa.Integer(), nullable=False),
        sa.Column("stories", sa.Integer(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "wish_id"),
    )
    op.create_index("wishes_by_time", "wishes", ["shop_id", "made_ms"])
    op.create_table(
        "wish_attributes",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("wish_id", _text(), nullable=False),
        sa.Column("name", _text(), nullable=False),
        sa.Column("value", _text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "wish_id", "name"),
    )
    op.create_table(
        "wish_likes",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("wish_id", _text(), nullable=False),
        sa.Column("liker_id", _text(), nullable=False),
        sa.Column("liked", sa.Integer(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "wish_id", "liker_id"),
    )
    # Whatever the stack's prefix is.
    op.execute("DELETE FROM sink_offsets WHERE topic LIKE '%shop.deadletters'")
