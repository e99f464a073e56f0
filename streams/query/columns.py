"""Columns that many tables of the query store have, and the metadata that all of its tables are in."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, String

metadata = MetaData()

#: Text that compares by bytes in both stores, so that rows and pages have one order.
TEXT = String().with_variant(String(collation="C"), "postgresql")


def text(name: str, *, null: bool = True) -> Column[str]:
    return Column(name, TEXT, nullable=null)


def number(name: str, *, null: bool = True) -> Column[int]:
    return Column(name, BigInteger, nullable=null)


def order_key() -> tuple[Column[str], Column[str], Column[str]]:
    return (
        text("shop_id", null=False),
        text("customer_id", null=False),
        text("order_id", null=False),
    )


def record() -> tuple[Column[str], Column[int], Column[int]]:
    """Where a record lies in Kafka."""
    return (
        text("topic", null=False),
        Column("partition", Integer, nullable=False),
        number("offset", null=False),
    )


def event() -> tuple[Column[int], Column[str], Column[str], Column[str]]:
    """What a record says: its time, who says it, and the event's data as JSON."""
    return (
        number("time_ms", null=False),
        text("source", null=False),
        text("event_id", null=False),
        text("data", null=False),
    )
