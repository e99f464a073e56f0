"""What the query store adds to a customer's portrait, in SQLite and in a real PostgreSQL."""

from typing import Any

import pytest
from sqlalchemy import insert

from streams.domain.orders import order_hash
from streams.query.connecting import Database
from streams.query.known import LateRefunds, Response
from streams.query.migrating import bring_up
from streams.query.portrait import late_refunds, order_channels, responses
from streams.query.tables import order_coupons, orders, triggers


@pytest.fixture
def filled(database: Database) -> Database:
    bring_up(database)
    with database.writing() as connection:
        connection.execute(insert(orders), [
            an_order("A1", paid_ms=150, channel="web"), an_order("A2", paid_ms=260, channel="app"),
            an_order("A3", paid_ms=None, channel="app"), an_order("A4", paid_ms=500, channel=None),
            an_order("B1", paid_ms=310, customer_id="other", channel="shop"),
            an_order("C1", paid_ms=310, shop_id="north", channel="shop"),
        ])  # fmt: skip
        connection.execute(
            insert(order_coupons),
            [
                {**KEY, "order_id": "A2", "code": "USED", "ordered_ms": 255},
                {
                    **KEY,
                    "customer_id": "other",
                    "order_id": "B1",
                    "code": "LENT",
                    "ordered_ms": 300,
                },
            ],
        )
        connection.execute(
            insert(triggers),
            [
                a_trigger("used", 200, "USED"), a_trigger("lent", 200, "LENT"),
                a_trigger("late", 270, "LATE"), a_trigger("task", 90, None),
            ],
        )  # fmt: skip
    return database


KEY = {"shop_id": "tea", "customer_id": "c1"}


def an_order(order_id: str, **more: Any) -> dict[str, Any]:
    times = {"status": "paid", "ordered_ms": 1, "changed_ms": 1}
    return {**KEY, "order_id": order_id, **times, **more}


def a_trigger(trigger_id: str, time_ms: int, code: str | None) -> dict[str, Any]:
    return {
        **KEY, "trigger_id": trigger_id, "time_ms": time_ms, "kind": "coupon_issued",
        "campaign": "second-order", "campaign_version": "1", "code": code, "data": "{}",
    }  # fmt: skip


def test_channels_are_the_customer_s_own_the_most_used_first(filled: Database) -> None:
    with filled.reading() as connection:
        assert order_channels(connection, "tea", "c1") == ["app", "web"]
        assert order_channels(connection, "tea", "nobody") == []


def test_an_offer_was_redeemed_or_followed_by_an_order_or_by_nothing(filled: Database) -> None:
    until = {"used": 300, "lent": 255, "late": 400, "task": 150, "unheard-of": 1_000}
    with filled.reading() as connection:
        found = responses(connection, "tea", "c1", until)
    assert found == {
        "used": Response("A2", "A2"),
        # Another customer's order redeemed it; this one paid nothing until 255.
        "lent": Response(None, None),
        # What was ordered after its end does not count.
        "late": Response(None, None),
        # Paid in the last millisecond of its time.
        "task": Response(None, "A1"),
    }
    with filled.reading() as connection:
        assert responses(connection, "tea", "c1", {}) == {}


def test_late_refunds_are_of_paid_orders_of_the_customer_and_who_they_were(
    filled: Database,
) -> None:
    with filled.writing() as connection:
        told = [
            an_order("L1", paid_ms=10, amount=500, net_amount=300),
            an_order("L2", paid_ms=10, amount=200, net_amount=0, status="refunded", customer_id="cookie"),
            an_order("L3", paid_ms=None, amount=70, net_amount=0, status="refunded"),
            an_order("L4", paid_ms=10, amount=900, net_amount=0, brushed=1),
            an_order("L5", paid_ms=10, amount=90, net_amount=0, customer_id="other"),
            an_order("L6", paid_ms=10, amount=None, net_amount=None, status="refunded"),
            an_order("L7", paid_ms=10, amount=80, net_amount=10),
        ]  # fmt: skip
        for row in told:
            connection.execute(insert(orders), [row])
    unmatched = [order_hash(f"L{number}").hex() for number in range(1, 7)]
    with filled.reading() as connection:
        found = late_refunds(connection, "tea", ["c1", "cookie"], unmatched)
        assert found == LateRefunds(orders=3, lost_orders=2, amount=200 + 200)
        assert late_refunds(connection, "tea", ["c1"], []) == LateRefunds()
