"""The tables of what workers decide; docs/query.md says what is in each."""

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table

from streams.query.columns import metadata, number, text

triggers = Table(
    "triggers",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    text("trigger_id", null=False),
    number("time_ms", null=False),
    text("kind", null=False),
    text("campaign", null=False),
    text("campaign_version", null=False),
    text("code"),
    #: The trigger's data, JSON.
    text("data", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "trigger_id"),
    Index("triggers_by_time", "shop_id", "customer_id", "time_ms"),
    Index("triggers_by_shop", "shop_id", "time_ms"),
)

#: What campaigns refused; what they issued is in ``triggers``.
decisions = Table(
    "decisions",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    text("decision_id", null=False),
    #: Which the trigger would have had.
    text("trigger_id", null=False),
    number("time_ms", null=False),
    text("campaign", null=False),
    text("campaign_version", null=False),
    #: The step that refused.
    text("reason", null=False),
    #: The decision's data, JSON.
    text("data", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "decision_id"),
    Index("decisions_by_time", "shop_id", "customer_id", "time_ms"),
    Index("decisions_by_shop", "shop_id", "time_ms"),
)

#: What orders were held to be; of each the verdict with the greatest number holds: streams.query.verdicts.
verdicts = Table(
    "verdicts",
    metadata,
    text("shop_id", null=False),
    #: schemas.verdict.Verdict says of what.
    text("order_hash", null=False),
    text("customer_id", null=False),
    Column("number", BigInteger, nullable=False, autoincrement=False),
    Column("brushed", Integer, nullable=False),
    number("points", null=False),
    #: JSON, the strongest first.
    text("reasons", null=False),
    #: Visitors who turned out to be the customer, JSON.
    text("visitors", null=False),
    text("product_hash"),
    number("time_ms", null=False),
    PrimaryKeyConstraint("shop_id", "order_hash", "customer_id", "number"),
    Index("verdicts_by_customer", "shop_id", "customer_id", "time_ms"),
)

#: How many likes of wishes were held to be bought; of each wish the verdict with the greatest number holds.
wish_verdicts = Table(
    "wish_verdicts",
    metadata,
    text("shop_id", null=False),
    #: schemas.verdict.WishVerdict says of what.
    text("wish_hash", null=False),
    text("customer_id", null=False),
    Column("number", BigInteger, nullable=False, autoincrement=False),
    number("suspicious", null=False),
    #: Likes that counted then.
    number("likes", null=False),
    #: Visitors who turned out to be the customer, JSON.
    text("visitors", null=False),
    number("time_ms", null=False),
    PrimaryKeyConstraint("shop_id", "wish_hash", "customer_id", "number"),
    Index("wish_verdicts_by_customer", "shop_id", "customer_id", "time_ms"),
)
