"""The first tables: orders, reviews and triggers, their histories, and the offsets."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _text() -> sa.String:
    return sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "left_out",
        sa.Column("topic", _text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("reason", _text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "offset"),
    )
    op.create_table(
        "order_coupons",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("code", _text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "code"),
    )
    op.create_index("order_coupons_by_code", "order_coupons", ["code"])
    op.create_table(
        "order_events",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("status", _text(), nullable=False),
        sa.Column("refund_id", _text(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", _text(), nullable=False),
        sa.Column("event_id", _text(), nullable=False),
        sa.Column("data", _text(), nullable=False),
        sa.Column("topic", _text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "status", "refund_id"),
    )
    op.create_index("order_events_by_record", "order_events", ["topic", "partition", "offset"])
    op.create_table(
        "order_lines",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("sku", _text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("category", _text(), nullable=True),
        sa.Column("unit_price", sa.BigInteger(), nullable=True),
        sa.Column("attributes", _text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "line"),
    )
    op.create_index("order_lines_by_sku", "order_lines", ["sku"])
    op.create_table(
        "orders",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("status", _text(), nullable=False),
        sa.Column("ordered_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("placed_ms", sa.BigInteger(), nullable=True),
        sa.Column("paid_ms", sa.BigInteger(), nullable=True),
        sa.Column("shipped_ms", sa.BigInteger(), nullable=True),
        sa.Column("received_ms", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_ms", sa.BigInteger(), nullable=True),
        sa.Column("refund_requested_ms", sa.BigInteger(), nullable=True),
        sa.Column("refunded_ms", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("refunded_amount", sa.BigInteger(), nullable=True),
        sa.Column("net_amount", sa.BigInteger(), nullable=True),
        sa.Column("discount", sa.BigInteger(), nullable=True),
        sa.Column("points_used", sa.BigInteger(), nullable=True),
        sa.Column("pieces", sa.BigInteger(), nullable=True),
        sa.Column("payment_method", _text(), nullable=True),
        sa.Column("region", _text(), nullable=True),
        sa.Column("channel", _text(), nullable=True),
        sa.Column("traffic_source", _text(), nullable=True),
        sa.Column("remark", _text(), nullable=True),
        sa.Column("carrier", _text(), nullable=True),
        sa.Column("tracking", _text(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "order_id"),
    )
    op.create_index("orders_by_customer", "orders", ["customer_id", "ordered_ms"])
    op.create_index("orders_by_id", "orders", ["order_id"])
    op.create_index("orders_by_payment", "orders", ["payment_method", "ordered_ms"])
    op.create_index("orders_by_region", "orders", ["region", "ordered_ms"])
    op.create_index("orders_by_status", "orders", ["status", "ordered_ms"])
    op.create_index(
        "orders_by_time", "orders", ["ordered_ms", "shop_id", "customer_id", "order_id"]
    )
    op.create_table(
        "refunds",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("refund_id", _text(), nullable=False),
        sa.Column("status", _text(), nullable=False),
        sa.Column("kind", _text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("reason", _text(), nullable=True),
        sa.Column("requested_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=True),
        sa.Column("refunded_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "refund_id"),
    )
    op.create_table(
        "repeats",
        sa.Column("topic", _text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("kind", _text(), nullable=False),
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("name", _text(), nullable=False),
        sa.Column("second_name", _text(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", _text(), nullable=False),
        sa.Column("event_id", _text(), nullable=False),
        sa.Column("data", _text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "offset"),
    )
    op.create_index("repeats_by_order", "repeats", ["shop_id", "customer_id", "order_id"])
    op.create_table(
        "review_events",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("sku", _text(), nullable=False),
        sa.Column("action", _text(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("source", _text(), nullable=False),
        sa.Column("event_id", _text(), nullable=False),
        sa.Column("data", _text(), nullable=False),
        sa.Column("topic", _text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "sku", "action"),
    )
    op.create_index("review_events_by_record", "review_events", ["topic", "partition", "offset"])
    op.create_table(
        "reviews",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("order_id", _text(), nullable=False),
        sa.Column("sku", _text(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("text", _text(), nullable=True),
        sa.Column("appended_text", _text(), nullable=True),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.Column("posted_ms", sa.BigInteger(), nullable=True),
        sa.Column("appended_ms", sa.BigInteger(), nullable=True),
        sa.Column("shown_ms", sa.BigInteger(), nullable=True),
        sa.Column("replied_ms", sa.BigInteger(), nullable=True),
        sa.Column("removed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "sku"),
    )
    op.create_table(
        "sink_offsets",
        sa.Column("topic", _text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("topic_id", _text(), nullable=False),
        sa.Column("first_offset", sa.BigInteger(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("appended_ms", sa.BigInteger(), nullable=True),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("passed_over", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition"),
    )
    op.create_table(
        "triggers",
        sa.Column("shop_id", _text(), nullable=False),
        sa.Column("customer_id", _text(), nullable=False),
        sa.Column("trigger_id", _text(), nullable=False),
        sa.Column("time_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", _text(), nullable=False),
        sa.Column("campaign", _text(), nullable=False),
        sa.Column("campaign_version", _text(), nullable=False),
        sa.Column("code", _text(), nullable=True),
        sa.Column("data", _text(), nullable=False),
        sa.PrimaryKeyConstraint("shop_id", "customer_id", "trigger_id"),
    )
    op.create_index("triggers_by_time", "triggers", ["shop_id", "customer_id", "time_ms"])
