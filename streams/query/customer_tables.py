"""The tables of who customers are and how they are served; docs/query.md says what is in each."""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table

from streams.query.columns import event, metadata, number, record, text

#: What customers said of themselves, every record of it; of one source and event id perhaps several.
profile_events = Table(
    "profile_events",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    *event(),
    *record(),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    Index("profile_events_by_customer", "shop_id", "customer_id"),
)

#: What that comes to, by the fold of the live state: of each field the last by event time.
profiles = Table(
    "profiles",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    #: YYYY-MM-DD
    text("birthday"),
    text("gender"),
    text("age_band"),
    text("income_band"),
    text("education"),
    text("region"),
    #: JSON, in order.
    text("tags", null=False),
    #: JSON: by channel, whether it was agreed to, where that was said.
    text("consents", null=False),
    #: The earliest ``joined_membership``.
    number("joined_ms"),
    number("changed_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id"),
)

#: What customers asked and complained of, and what was answered: every record, as profile_events.
service_events = Table(
    "service_events",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    *event(),
    *record(),
    PrimaryKeyConstraint("topic", "partition", "offset"),
    Index("service_events_by_customer", "shop_id", "customer_id"),
)

cases = Table(
    "cases",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    text("case_id", null=False),
    text("topic"),
    text("order_id"),
    #: Whether there was a complaint, 1 or 0.
    Column("complaint", Integer, nullable=False),
    #: The earliest inquiry or complaint; NULL: none is known, and the case does not count.
    number("opened_ms"),
    #: The first reply at or after that.
    number("replied_ms"),
    #: The last one, perhaps before the opening.
    number("resolved_ms"),
    number("changed_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "case_id"),
    Index("cases_by_time", "shop_id", "opened_ms"),
)

surveys = Table(
    "surveys",
    metadata,
    text("shop_id", null=False),
    text("customer_id", null=False),
    #: Empty where the answer names none.
    text("case_id", null=False),
    #: Of the last answer.
    Column("score", Integer, nullable=False),
    text("order_id"),
    number("answered_ms", null=False),
    PrimaryKeyConstraint("shop_id", "customer_id", "case_id"),
    Index("surveys_by_time", "shop_id", "answered_ms"),
)
