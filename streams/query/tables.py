"""The tables of the query store, for SQLite and PostgreSQL alike. docs/query.md says what is in each.

Times are milliseconds since 1970, UTC; money is minor units of the shop's currency, NULL where it is not
known. A customer is one of a shop, and an order is one of a customer, as in the live state: two customers
who use one order id have two orders.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table

from streams.query.columns import event, metadata, number, order_key, record, text
from streams.query.customer_tables import (
    cases,
    profile_events,
    profiles,
    service_events,
    surveys,
)
from streams.query.wish_tables import (
    like_events,
    wish_attributes,
    wish_events,
    wish_likes,
    wishes,
)
from streams.query.worker_tables import decisions, triggers, verdicts, wish_verdicts

__all__ = [
    "cases",
    "decisions",
    "erased",
    "left_out",
    "like_events",
    "metadata",
    "order_coupons",
    "order_events",
    "order_lines",
    "order_moves",
    "orders",
    "products",
    "profile_events",
    "profiles",
    "refunds",
    "repeats",
    "review_events",
    "reviews",
    "service_events",
    "sink_offsets",
    "surveys",
    "triggers",
    "verdicts",
    "wish_attributes",
    "wish_events",
    "wish_likes",
    "wish_verdicts",
    "wishes",
]

#: How far each partition of each topic is in the store: offsets [first_offset, next_offset).
sink_offsets = Table(
    "sink_offsets",
    metadata,
    text("topic", null=False),
    Column("partition", Integer, nullable=False),
    #: Kafka's id of the topic: one that was made anew has another.
    text("topic_id", null=False),
    number("first_offset", null=False),
    number("next_offset", null=False),
    #: When the broker appended the newest record covered.
    number("appended_ms"),
    number("records", null=False),
    #: Records that are dead letters to a worker, too.
    number("passed_over", null=False),
    PrimaryKeyConstraint("topic", "partition"),
)

#: Records that read well and yet were left out by the worker: too far ahead, or on an operator's word.
left_out = Table(
    "left_out",
    metadata,
    *record(),
    text("reason", null=False),
    PrimaryKeyConstraint("topic", "partition", "offset"),
)

#: Customers who were erased: what they did until then is in no table.
erased = Table(
    "erased",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    #: The greatest time of their erasures.
    number("until_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id"),
)

#: Records whose natural key another record is kept for: what is kept where that one is left out.
repeats = Table(
    "repeats",
    metadata,
    *record(),
    #: order or review
    text("kind", null=False),
    *order_key(),
    #: status and refund id, or sku and action
    text("name", null=False),
    text("second_name", null=False),
    *event(),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    Index("repeats_by_order", "shop_id", "customer_id", "order_id"),
)

#: The history of an order: each status (of a refund: each status of each refund) once.
order_events = Table(
    "order_events",
    metadata,
    *order_key(),
    text("status", null=False),
    #: Empty but for the statuses of refunds.
    text("refund_id", null=False),
    *event(),
    *record(),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "status", "refund_id"),
    Index("order_events_by_record", "topic", "partition", "offset"),
)

orders = Table(
    "orders",
    metadata,
    *order_key(),
    text("status", null=False),
    #: When it was placed; where that is not known paid, else the time of its earliest event.
    number("ordered_ms", null=False),
    number("changed_ms", null=False),
    number("placed_ms"),
    number("paid_ms"),
    number("shipped_ms"),
    number("received_ms"),
    number("cancelled_ms"),
    #: The earliest of its refunds' times.
    number("refund_requested_ms"),
    number("refunded_ms"),
    number("amount"),
    number("refunded_amount"),
    number("net_amount"),
    number("discount"),
    number("points_used"),
    number("pieces"),
    text("payment_method"),
    text("region"),
    text("channel"),
    text("traffic_source"),
    text("remark"),
    text("carrier"),
    text("tracking"),
    #: Whether it is held to be brushed, 1 or 0: of the newest of its verdicts.
    Column("brushed", Integer, nullable=False, server_default="0"),
    #: Of that verdict; NULL of an order that was never held to be brushed.
    number("judged_ms"),
    number("judged_points"),
    #: The sign with the most points, and the sku by which it was judged.
    text("judged_sign"),
    text("judged_sku"),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id"),
    Index("orders_by_time", "ordered_ms", "shop_id", "customer_id", "order_id"),
    Index("orders_by_shop", "shop_id", "ordered_ms", "customer_id", "order_id"),
    Index("orders_by_customer", "customer_id", "ordered_ms"),
    Index("orders_by_id", "order_id"),
    Index("orders_by_status", "status", "ordered_ms"),
    Index("orders_by_region", "region", "ordered_ms"),
    Index("orders_by_payment", "payment_method", "ordered_ms"),
    Index("orders_by_paid", "shop_id", "paid_ms"),
    Index("orders_by_brushed", "brushed", "ordered_ms"),
)

#: Where an order stood before its time changed; the numbers rise with the transactions.
order_moves = Table(
    "order_moves",
    metadata,
    Column("number", BigInteger, nullable=False, autoincrement=False),
    *order_key(),
    number("ordered_ms", null=False),
    PrimaryKeyConstraint("number"),
    Index("order_moves_by_order", "shop_id", "customer_id", "order_id", "number"),
)

order_lines = Table(
    "order_lines",
    metadata,
    *order_key(),
    Column("line", Integer, nullable=False),
    text("sku", null=False),
    number("quantity", null=False),
    text("category"),
    number("unit_price"),
    #: JSON, names in order.
    text("attributes", null=False),
    #: The order's, so that a page of the orders of a product is read along the index.
    number("ordered_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "line"),
    Index("order_lines_by_sku", "sku", "ordered_ms", "shop_id", "customer_id", "order_id"),
)

order_coupons = Table(
    "order_coupons",
    metadata,
    *order_key(),
    text("code", null=False),
    #: The order's, as in order_lines.
    number("ordered_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "code"),
    Index("order_coupons_by_code", "code", "ordered_ms", "shop_id", "customer_id", "order_id"),
)

refunds = Table(
    "refunds",
    metadata,
    *order_key(),
    text("refund_id", null=False),
    #: requested, withdrawn or refunded
    text("status", null=False),
    text("kind"),
    number("amount"),
    text("reason"),
    number("requested_ms"),
    number("withdrawn_ms"),
    number("refunded_ms"),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "refund_id"),
    Index("refunds_by_time", "shop_id", "refunded_ms"),
)

#: The history of a review: each action once.
review_events = Table(
    "review_events",
    metadata,
    *order_key(),
    text("sku", null=False),
    text("action", null=False),
    *event(),
    *record(),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "sku", "action"),
    Index("review_events_by_record", "topic", "partition", "offset"),
)

reviews = Table(
    "reviews",
    metadata,
    *order_key(),
    text("sku", null=False),
    #: Of ``posted``; NULL until that is known.
    Column("rating", Integer),
    text("text"),
    text("appended_text"),
    Column("photos", Integer, nullable=False),
    number("posted_ms"),
    number("appended_ms"),
    number("shown_ms"),
    number("replied_ms"),
    #: A removed review no longer counts, whichever of posted and removed came first.
    number("removed_ms"),
    PrimaryKeyConstraint("shop_id", "customer_id", "order_id", "sku"),
    Index("reviews_by_time", "shop_id", "posted_ms"),
)

#: What a shop sells: of each field the latest that was said of it.
products = Table(
    "products",
    metadata,
    text("shop_id", null=False),
    text("sku", null=False),
    text("name"),
    text("brand"),
    text("category"),
    number("price"),
    number("unit_cost"),
    number("stock"),
    text("image"),
    #: listed or delisted; NULL where neither was said.
    text("status"),
    #: Of its latest event.
    number("changed_ms", null=False),
    #: JSON: of each field that is known, the time and place of the record that said it.
    text("said", null=False),
    PrimaryKeyConstraint("shop_id", "sku"),
)
