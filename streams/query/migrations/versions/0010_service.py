"""Service cases and surveys: the sink reads shop.service, from the beginning.

And shop.deadletters again, of which it took no verdict on what it did not read; to read one twice changes
nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "service_events",
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
    op.create_index("service_events_by_customer", "service_events", ["shop_id", "customer_id"])
    op.create_table(
        "cases",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("case_id", _text(), nullable=False),
        sa.Column("topic", _text()),
        sa.Column("order_id", _text()),
        sa.Column("complaint", sa.Integer(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger()),
        sa.Column("replied_ms", sa.BigInteger()),
        sa.Column("resolved_ms", sa.BigInteger()),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "case_id"),
    )
    op.create_index("cases_by_time", "cases", ["shop_id", "opened_ms"])
    op.create_table(
        "surveys",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("case_id", _text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("order_id", _text()),
        sa.Column("answered_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "case_id"),
    )
    op.create_index("surveys_by_time", "surveys", ["shop_id", "answered_ms"])
    # Whatever the stack's prefix is.
    op.execute("DELETE FROM sink_offsets WHERE topic LIKE '%shop.deadletters'")
