"""Reports read a shop's orders, refunds and reviews along the time that they are about."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("orders_by_paid", "orders", ["shop_id", "paid_ms"])
    op.create_index("refunds_by_time", "refunds", ["shop_id", "refunded_ms"])
    op.create_index("reviews_by_time", "reviews", ["shop_id", "posted_ms"])
