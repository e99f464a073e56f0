"""Coupons issued, by campaign and hour, and who got one; a day is that of the trigger's time."""

from typing import Final

from streams.domain.aggregates.names import HOURS, part
from streams.domain.increments import Increments, add_to, member_of
from streams.domain.shop import ShopSettings, day_and_hour

ISSUED: Final = "coupons_issued"
#: Distinct customers who got any.
RECEIVERS: Final = "coupon_receivers"


def count_coupon(
    increments: Increments,
    shop_id: str,
    customer_id: str,
    campaign: str,
    time: int,
    settings: ShopSettings,
) -> None:
    """Add a coupon that ``campaign`` issued at ``time`` (ms). Nothing takes it back: it was issued."""
    day, hour = day_and_hour(time, settings.time_zone)
    fields = increments.fields(shop_id, day)
    add_to(fields, ISSUED, 1)
    add_to(fields, part(ISSUED, "campaign", campaign), 1)
    add_to(fields, part(ISSUED, "hour", HOURS[hour]), 1)
    member = member_of(customer_id)
    increments.see(shop_id, day, RECEIVERS, member)
    increments.see(shop_id, day, part(RECEIVERS, "campaign", campaign), member)
