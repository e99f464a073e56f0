"""The tables of what customers wish for; docs/query.md says what is in each."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table

from streams.query.columns import event, metadata, number, record, text

#: What became of wishes and what was said of them, every record; of one source and event id perhaps several.
wish_events = Table(
    "wish_events",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    *event(),
    *record(),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    Index("wish_events_by_customer", "shop_id", "customer_id"),
)

#: Likes and what was taken back of them, every record: a wish may have very many.
like_events = Table(
    "like_events",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    *event(),
    *record(),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    Index("like_events_by_customer", "shop_id", "customer_id"),
)

wishes = Table(
    "wishes",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    text("wish_id", null=False),
    #: Of the earliest ``made``; NULL: none is known, and the wish counts nowhere.
    number("made_ms"),
    text("sku"),
    #: withdrawn, granted or declined: the last of them; NULL: nothing yet.
    text("decision"),
    number("decided_ms"),
    Column("comments", Integer, nullable=False),
    Column("stories", Integer, nullable=False),
    #: Likes that the worker holds to be bought, of the newest verdict on the wish; 0 without one.
    number("suspicious", null=False),
    number("changed_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "wish_id"),
    Index("wishes_by_time", "shop_id", "made_ms"),
)

#: What was wished for beyond the product, of the earliest ``made``.
wish_attributes = Table(
    "wish_attributes",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    text("wish_id", null=False),
    text("name", null=False),
    text("value", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "wish_id", "name"),
)

#: Each liker's last word on a wish.
wish_likes = Table(
    "wish_likes",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    text("wish_id", null=False),
    #: The owner's own id, of anybody else the hash of theirs (streams.query.likers).
    text("liker_id", null=False),
    #: 1: they like it; 0: they took it back.
    Column("liked", Integer, nullable=False),
    number("time_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "wish_id", "liker_id"),
)
