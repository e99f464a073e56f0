"""What is placed and paid: on the day of the event, and money on the day of the payment.

A fact of an order says by how much its gross and net amounts have changed, so a cancellation, a refund or
an amount told late corrects the day on which the order was paid, by the exact amount that it was counted
with. So does a verdict that an order is brushed: order and amounts go from that day and hour, and come back
with its reversal. Who placed or paid is never un-counted, nor what was placed.
"""

from typing import Final

import msgspec

from schemas.order import Order
from streams.domain.aggregates.names import HOURS, part, without
from streams.domain.facts import (
    MoneyChange,
    OrderAdvanced,
    OrderJudged,
    OrderPaid,
    OrderRecounted,
)
from streams.domain.increments import Increments, add_to, member_of
from streams.domain.shop import ShopSettings, day_and_hour

PLACERS: Final = "placers"
PAYERS: Final = "payers"


def count_order(
    increments: Increments,
    customer_id: str,
    data: Order,
    fact: OrderAdvanced | OrderPaid,
    time: int,
    settings: ShopSettings,
) -> None:
    """Add what one status of an order changes."""
    shop_id, zone = data.shop_id, settings.time_zone
    if isinstance(fact, OrderPaid):
        day, hour = day_and_hour(time, zone)
        fields = increments.fields(shop_id, day)
        add_to(fields, "paid_orders", 1)
        add_to(fields, part("paid_orders", "hour", HOURS[hour]), 1)
        if not data.lines:
            add_to(fields, "paid_without_lines", 1)
        _who(increments, PAYERS, "paid", customer_id, data, day)
    elif fact.status == "placed":
        day, _ = day_and_hour(time, zone)
        fields = increments.fields(shop_id, day)
        add_to(fields, "placed_orders", 1)
        if not data.lines:
            add_to(fields, "placed_without_lines", 1)
        _who(increments, PLACERS, "placed", customer_id, data, day)
    if fact.money is not None:
        _count_money(increments, shop_id, fact.money, zone)


def count_verdict(
    increments: Increments, shop_id: str, fact: OrderJudged, settings: ShopSettings
) -> None:
    """Take a brushed order from the day and hour of its payment, or put it back."""
    money = fact.money
    if not money.orders:
        return  # not known to be paid, so it was not counted
    if money.paid_hour < 0:
        money = msgspec.structs.replace(money, paid_hour=fact.hour)
    fields = _count_orders(increments, shop_id, money, settings.time_zone)
    add_to(fields, "brushed_orders", -money.orders)


def recount_order(
    increments: Increments, shop_id: str, fact: OrderRecounted, settings: ShopSettings
) -> None:
    """Correct what was counted of an order by two who are one now.

    A placement is of the day that the shop's clock gives it at the hand-over. Who placed or paid stays
    counted, under both names, and so does that an order came without lines.
    """
    zone = settings.time_zone
    if fact.money is not None:
        fields = _count_orders(increments, shop_id, fact.money, zone)
        if fact.brushed:
            add_to(fields, "brushed_orders", fact.brushed)
    if fact.placed_at is not None:
        day, _ = day_and_hour(fact.placed_at, zone)
        add_to(increments.fields(shop_id, day), "placed_orders", fact.placed_orders)


def _count_orders(
    increments: Increments, shop_id: str, money: MoneyChange, zone: str
) -> dict[str, int]:
    """``_count_money``, and its paid orders."""
    fields, hour = _count_money(increments, shop_id, money, zone)
    if money.orders:
        add_to(fields, "paid_orders", money.orders)
        add_to(fields, part("paid_orders", "hour", HOURS[hour]), money.orders)
    return fields


def _count_money(
    increments: Increments, shop_id: str, money: MoneyChange, zone: str
) -> tuple[dict[str, int], int]:
    """Add it to the day and hour that were the shop's at the payment, also where its clock is another one
    today; returns the day's sums, and the hour.
    """
    day, hour = day_and_hour(money.paid_at, zone)
    hour = hour if money.paid_hour < 0 else money.paid_hour
    fields = increments.fields(shop_id, money.paid_day or day)
    for name, amount in (
        ("paid_amount", money.gross),
        ("net_amount", money.net),
        ("paid_unknown", money.unknown),
        (part("paid_amount", "hour", HOURS[hour]), money.gross),
    ):
        if amount:
            add_to(fields, name, amount)
    return fields, hour


def _who(
    increments: Increments, figure: str, status: str, customer_id: str, data: Order, day: int
) -> None:
    member = member_of(customer_id)
    shop_id = data.shop_id
    fields = increments.fields(shop_id, day)
    increments.see(shop_id, day, figure, member)
    for dimension, value in (
        ("source", data.traffic_source),
        ("channel", data.channel),
        ("region", data.region),
    ):
        if value is not None:
            increments.see(shop_id, day, part(figure, dimension, value), member)
        else:
            # Whoever it was may be of any source, channel or region.
            add_to(fields, without(status, dimension), 1)
    # Not a set: its order differs from process to process, and the journal has a digest of what is added.
    for category in dict.fromkeys(line.category for line in data.lines if line.category):
        increments.see(shop_id, day, part(figure, "category", category), member)
