"""Goals that people set for a shop's figures; no record of a topic is behind them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "goals",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("report", _text(), nullable=False),
        sa.Column("figure", _text(), nullable=False),
        sa.Column("first_day", _text(), nullable=False),
        sa.Column("last_day", _text(), nullable=False),
        sa.Column("value", _text(), nullable=False),
        sa.Column("currency", _text()),
        sa.PrimaryKeyConstraint("shop_id", "report", "figure", "first_day", "last_day"),
    )
