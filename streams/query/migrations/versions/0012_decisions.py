"""Decisions: the sink reads shop.decisions, what campaigns refused; triggers of a shop by time."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("decision_id", _text(), nullable=False),
        sa.Column("trigger_id", _text(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("campaign", _text(), nullable=False),
        sa.Column("campaign_version", _text(), nullable=False),
        sa.Column("reason", _text(), nullable=False),
        sa.Column("data", _text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "decision_id"),
    )
    op.create_index("decisions_by_time", "decisions", ["shop_id", "customer_id", "time_ms"])
    op.create_index("decisions_by_shop", "decisions", ["shop_id", "time_ms"])
    op.create_index("triggers_by_shop", "triggers", ["shop_id", "time_ms"])
