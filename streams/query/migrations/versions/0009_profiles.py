"""What customers say of themselves: the sink reads shop.profiles again, from the beginning.

Until now it took of that topic the erasures only, and it stands behind all else. To read an erasure a second
time changes nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "profile_events",
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
    op.create_index("profile_events_by_customer", "profile_events", ["shop_id", "customer_id"])
    op.create_table(
        "profiles",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("birthday", _text()),
        sa.Column("gender", _text()),
        sa.Column("age_band", _text()),
        sa.Column("income_band", _text()),
        sa.Column("education", _text()),
        sa.Column("region", _text()),
        sa.Column("tags", _text(), nullable=False),
        sa.Column("consents", _text(), nullable=False),
        sa.Column("joined_ms", sa.BigInteger()),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id"),
    )
    # Whatever the stack's prefix is.
    op.execute("DELETE FROM sink_offsets WHERE topic LIKE '%shop.profiles'")
