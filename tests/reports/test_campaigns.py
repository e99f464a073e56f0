"""Figures of campaigns that people can work out by hand."""

from typing import Any

from streams.query.connecting import Database
from streams.query.tables import sink_offsets
from tests.query.events import event
from tests.query.expected import DECISIONS, ORDERS, TRIGGERS
from tests.reports.asking import by_key, figures, rows
from tests.reports.histories import DAY, HOUR
from tests.reports.test_examples import asked_of


def issued(
    name: str,
    at: float,
    customer: str = "c1",
    campaign: str = "second-order",
    code: str = "",
    kind: str = "coupon_issued",
) -> Any:
    offer = {
        "kind": "amount", "value": 5, "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2026-01-01T00:00:00Z", "code": code or name.upper(),
    }  # fmt: skip
    return TRIGGERS, event(
        TRIGGERS, name, at, customer, trigger_id=name, customer_id=customer, campaign=campaign,
        campaign_version="1", kind=kind, offer=offer,
    )  # fmt: skip


def refused(name: str, at: float, reason: str, customer: str = "c3") -> Any:
    return DECISIONS, event(
        DECISIONS, name, at, customer, decision_id=name, trigger_id="t", customer_id=customer,
        campaign="second-order", campaign_version="1", reason=reason,
    )  # fmt: skip


def paid(order: str, at: float, amount: int | None, customer: str = "c1", *codes: str) -> Any:
    return ORDERS, event(
        ORDERS, f"e-{order}", at, customer, order_id=order, status="paid", amount_paid=amount,
        coupon_codes=list(codes),
    )  # fmt: skip


EVENTS = [
    issued("t1", HOUR),
    issued("t2", DAY, "c2"),
    issued("t3", DAY, "c1"),
    issued("t4", DAY, "c1", "bad-review"),
    # What becomes of a coupon later names its code again.
    issued("t1-again", DAY, code="T1", kind="coupon_reminded"),
    issued("t5", DAY, "c4", kind="message_requested"),
    refused("d1", HOUR, "consent"),
    refused("d2", DAY, "brushed"),
    refused("d3", DAY, "issued_before"),
    refused("d4", DAY, "rest"),
    refused("d5", DAY, "holdout", "c5"),
    # A coupon of the first day, used on two orders a month later; one of them came back.
    paid("o1", 30 * DAY, 300, "c1", "T1"),
    paid("o2", 31 * DAY, 200, "c1", "T1", "T4"),
    (ORDERS, event(ORDERS, "r", 32 * DAY, "c1", order_id="o2", status="refunded", refund_id="r1",
                   amount=50)),
    # Placed only, and with a code of nobody's.
    (ORDERS, event(ORDERS, "p", 30 * DAY, "c2", order_id="o3", status="placed", coupon_codes=["T2"])),
    paid("o4", 30 * DAY, 100, "c2", "MINE"),
]  # fmt: skip


def test_coupons_are_of_the_day_they_were_issued_and_so_is_what_was_paid(store: Database) -> None:
    found = rows(store, asked_of(store, EVENTS, "2026-01-01", "2026-01-02"), "campaigns")
    assert figures(found[0]) == {
        "candidates": 10, "issued": 5, "coupons": 4, "receivers": 3, "held_out": 1, "refused": 4,
        "refused_consent": 1, "refused_brushed": 1, "refused_before": 1, "refused_campaign_cap": 0,
        "refused_channel_cap": 0, "refused_rest": 1, "refused_quiet": 0, "refused_priority": 0,
        "refused_budget": 0, "redeemed": 2, "redemption_rate": 0.5,
        "redeemed_amount": 700, "redeemed_net_amount": 600,
    }  # fmt: skip
    campaigns = by_key(found)
    assert campaigns["bad-review"]["redeemed_amount"] == 200
    assert campaigns["second-order"]["redeemed_amount"] == 500
    assert campaigns["second-order"]["redemption_rate"] == round(1 / 3, 6)
    days = by_key(
        rows(store, asked_of(store, EVENTS, "2026-01-01", "2026-01-02"), "campaigns", "day")
    )
    assert [days[f"2026-01-0{n}"]["issued"] for n in (1, 2)] == [1, 4]
    assert [days[f"2026-01-0{n}"]["redeemed_net_amount"] for n in (1, 2)] == [450, 150]


def test_a_shop_whose_orders_name_no_coupons_does_not_redeem_none(store: Database) -> None:
    question = asked_of(store, EVENTS[:11], "2026-01-01", "2026-01-02")
    whole = rows(store, question, "campaigns")[0].values
    assert whole["issued"].number == 5
    for name in ("redeemed", "redemption_rate", "redeemed_amount", "redeemed_net_amount"):
        assert whole[name].number is None
        assert "no order of the shop names a coupon" in str(whole[name].why)


def test_without_the_topics_or_their_beginning_nothing_is_known(store: Database) -> None:
    question = asked_of(store, EVENTS, "2026-01-01", "2026-01-02")
    held = sink_offsets.c
    with store.writing() as connection:
        connection.execute(
            sink_offsets.update().where(held.topic == TRIGGERS).values(first_offset=3)
        )
    cut = rows(store, question, "campaigns")[0].values["issued"]
    assert (cut.number, cut.at_least) == (None, 5)
    assert "retention had cut shop.triggers" in str(cut.why)
    with store.writing() as connection:
        connection.execute(sink_offsets.delete().where(held.topic == TRIGGERS))
    none = rows(store, question, "campaigns")[0].values["issued"]
    assert none.why == "the store has no triggers yet: `huitou sink` fills it"
