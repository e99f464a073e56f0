"""The tables of the query store, for SQLite and PostgreSQL alike. docs/query.md says what is in each.

Times are milliseconds since 1970, UTC; money is minor units of the shop's currency, NULL where it is not
known. A customer is one of a shop, and an order is one of a customer, as in the live state: two customers
who use one order id have two orders.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
)

metadata = MetaData()

#: Text that compares by bytes in both stores, so that rows and pages have one order.
TEXT = String().with_variant(String(collation="C"), "postgresql")


def _text(name: str, *, null: bool = True) -> Column[str]:
    return Column(name, TEXT, nullable=null)


def _number(name: str, *, null: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def _order_key() -> tuple[Column[str], Column[str], Column[str]]:
    return (
        _text("shop_id", null=False),
        _text("customer_id", null=False),
        _text("order_id", null=False),
    )


def _record() -> tuple[Column[str], Column[int], Column[int]]:
    """Where a record lies in Kafka."""
    return (
        _text("topic", null=False),
        Column("partition", Integer, nullable=False),
        _number("offset", null=False),
    )


def _event() -> tuple[Column[int], Column[str], Column[str], Column[str]]:
    """What a record says: its time, who says it, and the event's data as JSON."""
    return (
        _number("time_ms", null=False),
        _text("source", null=False),
        _text("event_id", null=False),
        _text("data", null=False),
    )


#: How far each partition of each topic is in the store: offsets [first_offset, next_offset).
sink_offsets = Table(
    "sink_offsets",
    metadata,
    _text("topic", null=False),
    Column("partition", Integer, nullable=False),
    #: Kafka's id of the topic: one that was made anew has another.
    _text("topic_id", null=False),
    _number("first_offset", null=False),
    _number("next_offset", null=False),
    #: When the broker appended the newest record covered.
    _number("appended_ms"),
    _number("records", null=False),
    #: Records that are dead letters to a worker, too.
    _number("passed_over", null=False),
    PrimaryKeyConstraint("topic", "partition"),
)

#: Records that read well and yet were left out by the worker: too far ahead, or on an operator's word.
left_out = Table(
    "left_out",
    metadata,
    *_record(),
    _text("reason", null=False),
    PrimaryKeyConstraint("topic", "partition", "offset"),
)

#: Customers who were erased: what they did until then is in no table.
erased = Table(
    "erased",
    metadata,
    _text("shop_id", null=False),
    _text("customer_id", null=False),
    #: The greatest time of their erasures.
    _number("until_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id"),
)

#: Records whose natural key another record is kept for: what is kept where that one is left out.
repeats = Table(
    "repeats",
    metadata,
    *_record(),
    #: order or review
    _text("kind", null=False),
    *_order_key(),
    #: status and refund id, or sku and action
    _text("name", null=False),
    _text("second_name", null=False),
    *_event(),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    Index("repeats_by_order", "shop_id", "customer_id", "order_id"),
)

#: The history of an order: each status (of a refund: each status of each refund) once.
order_events = Table(
    "order_events",
    metadata,
    *_order_key(),
    _text("status", null=False),
    #: Empty but for the statuses of refunds.
    _text("refund_id", null=False),
    *_event(),
    *_record(),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "status", "refund_id"),
    Index("order_events_by_record", "topic", "partition", "offset"),
)

orders = Table(
    "orders",
    metadata,
    *_order_key(),
    _text("status", null=False),
    #: When it was placed; where that is not known paid, else the time of its earliest event.
    _number("ordered_ms", null=False),
    _number("changed_ms", null=False),
    _number("placed_ms"),
    _number("paid_ms"),
    _number("shipped_ms"),
    _number("received_ms"),
    _number("cancelled_ms"),
    #: The earliest of its refunds' times.
    _number("refund_requested_ms"),
    _number("refunded_ms"),
    _number("amount"),
    _number("refunded_amount"),
    _number("net_amount"),
    _number("discount"),
    _number("points_used"),
    _number("pieces"),
    _text("payment_method"),
    _text("region"),
    _text("channel"),
    _text("traffic_source"),
    _text("remark"),
    _text("carrier"),
    _text("tracking"),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id"),
    Index("orders_by_time", "ordered_ms", "shop_id", "customer_id", "order_id"),
    Index("orders_by_shop", "shop_id", "ordered_ms", "customer_id", "order_id"),
    Index("orders_by_customer", "customer_id", "ordered_ms"),
    Index("orders_by_id", "order_id"),
    Index("orders_by_status", "status", "ordered_ms"),
    Index("orders_by_region", "region", "ordered_ms"),
    Index("orders_by_payment", "payment_method", "ordered_ms"),
    Index("orders_by_paid", "shop_id", "paid_ms"),
)

#: Where an order stood before its time changed; the numbers rise with the transactions.
order_moves = Table(
    "order_moves",
    metadata,
    Column("number", BigInteger, nullable=False, autoincrement=False),
    *_order_key(),
    _number("ordered_ms", null=False),
    PrimaryKeyConstraint("number"),
    Index("order_moves_by_order", "shop_id", "customer_id", "order_id", "number"),
)

order_lines = Table(
    "order_lines",
    metadata,
    *_order_key(),
    Column("line", Integer, nullable=False),
    _text("sku", null=False),
    _number("quantity", null=False),
    _text("category"),
    _number("unit_price"),
    #: JSON, names in order.
    _text("attributes", null=False),
    #: The order's, so that a page of the orders of a product is read along the index.
    _number("ordered_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "line"),
    Index("order_lines_by_sku", "sku", "ordered_ms", "shop_id", "customer_id", "order_id"),
)

order_coupons = Table(
    "order_coupons",
    metadata,
    *_order_key(),
    _text("code", null=False),
    #: The order's, as in order_lines.
    _number("ordered_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "code"),
    Index("order_coupons_by_code", "code", "ordered_ms", "shop_id", "customer_id", "order_id"),
)

refunds = Table(
    "refunds",
    metadata,
    *_order_key(),
    _text("refund_id", null=False),
    #: requested, withdrawn or refunded
    _text("status", null=False),
    _text("kind"),
    _number("amount"),
    _text("reason"),
    _number("requested_ms"),
    _number("withdrawn_ms"),
    _number("refunded_ms"),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "refund_id"),
    Index("refunds_by_time", "shop_id", "refunded_ms"),
)

#: The history of a review: each action once.
review_events = Table(
    "review_events",
    metadata,
    *_order_key(),
    _text("sku", null=False),
    _text("action", null=False),
    *_event(),
    *_record(),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "sku", "action"),
    Index("review_events_by_record", "topic", "partition", "offset"),
)

reviews = Table(
    "reviews",
    metadata,
    *_order_key(),
    _text("sku", null=False),
    #: Of ``posted``; NULL until that is known.
    Column("rating", Integer),
    _text("text"),
    _text("appended_text"),
    Column("photos", Integer, nullable=False),
    _number("posted_ms"),
    _number("appended_ms"),
    _number("shown_ms"),
    _number("replied_ms"),
    #: A removed review no longer counts, whichever of posted and removed came first.
    _number("removed_ms"),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "sku"),
    Index("reviews_by_time", "shop_id", "posted_ms"),
)

triggers = Table(
    "triggers",
    metadata,
    _text("shop_id", null=False),
    _text("customer_id", null=False),
    _text("trigger_id", null=False),
    _number("time_ms", null=False),
    _text("kind", null=False),
    _text("campaign", null=False),
    _text("campaign_version", null=False),
    _text("code"),
    #: The trigger's data, JSON.
    _text("data", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "trigger_id"),
    Index("triggers_by_time", "shop_id", "customer_id", "time_ms"),
)
