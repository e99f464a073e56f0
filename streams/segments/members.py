"""What a customer of a shop is worth, as a row."""

from typing import NamedTuple

from streams.domain.lifecycle import Stage, stage
from streams.domain.membership import tier
from streams.domain.rfm import Rfm, rfm
from streams.domain.shop import ShopSettings, day_of
from streams.domain.state import CustomerState
from streams.domain.worth import purchases_of


class Member(NamedTuple):
    """One customer. None stands for what is not known; amounts are minor units."""

    customer_id: str
    rfm: Rfm
    lifecycle: Stage | None
    tier: str | None
    #: Paid orders neither cancelled nor refunded, of the whole life, and what they come to.
    net_orders: int | None
    net_amount: int | None

    @property
    def segment(self) -> str:
        """The segment; ``unscored``: no order that counts; ``unknown``: it hangs on what is not known."""
        if self.rfm.scored is False:
            return "unscored"
        return self.rfm.segment or "unknown"


def member(state: CustomerState, shop: ShopSettings, as_of: int) -> Member:
    """The customer of ``state`` on the shop's day of ``as_of`` (ms).

    An order of a day after it, which came while customers were read, is of that day: 0 days ago.
    """
    purchases = purchases_of(state.orders, shop.time_zone, state.erased_at)
    today = day_of(as_of, shop.time_zone)
    if purchases.days:
        today = max(today, purchases.days[-1].day)
    totals = None if state.orders is None else state.orders.totals
    # Nothing is known of an erased customer's life until then.
    unknown = state.erased_at is not None
    amount = 0 if totals is None else totals.net_amount
    missing = totals is not None and totals.unknown_amount > 0
    return Member(
        state.customer_id,
        rfm(purchases, today, shop.rfm),
        stage(purchases, today),
        tier(purchases, today, shop.tiers),
        None if unknown else purchases.net_orders,
        None if unknown or missing else amount,
    )
