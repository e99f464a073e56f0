"""What is placed and paid: on the day of the event, and money on the day of the payment.

A fact of an order says by how much its gross and net amounts have changed, so a cancellation, a refund or
an amount told late corrects the day on which the order was paid, by the exact amount that it was counted
with. Who placed or paid is never un-counted.
"""

from typing import Final

from schemas.order import Order
from streams.domain.aggregates.names import HOURS, part
from streams.domain.facts import OrderAdvanced, OrderPaid
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
        _who(increments, PAYERS, customer_id, data, day)
    elif fact.status == "placed":
        day, _ = day_and_hour(time, zone)
        fields = increments.fields(shop_id, day)
        add_to(fields, "placed_orders", 1)
        if not data.lines:
            add_to(fields, "placed_without_lines", 1)
        _who(increments, PLACERS, customer_id, data, day)
    money = fact.money
    if money is None:
        return
    day, hour = day_and_hour(money.paid_at, zone)
    # The day that was the shop's when it was paid, also where its clock is another one today.
    fields = increments.fields(shop_id, money.paid_day or day)
    for name, amount in (
        ("paid_amount", money.gross),
        ("net_amount", money.net),
        ("paid_unknown", money.unknown),
        (part("paid_amount", "hour", HOURS[hour]), money.gross),
    ):
        if amount:
            add_to(fields, name, amount)


def _who(increments: Increments, figure: str, customer_id: str, data: Order, day: int) -> None:
    member = member_of(customer_id)
    shop_id = data.shop_id
    increments.see(shop_id, day, figure, member)
    for dimension, value in (
        ("source", data.traffic_source),
        ("channel", data.channel),
        ("region", data.region),
    ):
        if value is not None:
            increments.see(shop_id, day, part(figure, dimension, value), member)
    # Not a set: its order differs from process to process, and the journal has a digest of what is added.
    for category in dict.fromkeys(line.category for line in data.lines if line.category):
        increments.see(shop_id, day, part(figure, "category", category), member)
