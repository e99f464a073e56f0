"""What the customers of one arm did: the treated, who were issued an offer, or the held-out, who would
have been.

A customer counts once, from the first decision of the campaign for them: later ones depend on what the first
did. The outcome is of the window that begins with that decision, and counts once the window has closed, so
that both arms are as old as each other.
"""

from typing import Final, Literal, Self

import msgspec

from streams.campaigns.measure.sums import Sums

Metric = Literal["conversion", "revenue", "margin"]
METRICS: Final[tuple[Metric, ...]] = ("conversion", "revenue", "margin")


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one customer did within the window. Money is in minor units; None is not known.

    ``revenue`` is net: paid, less what was refunded, of the orders of the window. A discount has lowered
    what was paid, so it is in there already. ``goods_cost`` is what the goods that were kept cost the shop.
    ``offer_cost`` is what the offer cost beside the lower price: a gift, shipping, points.
    """

    converted: bool
    revenue: int | None = 0
    goods_cost: int | None = 0
    offer_cost: int | None = 0

    @property
    def margin(self) -> int | None:
        """What the customer left the shop after coupon and unit cost; None where any part is not known."""
        if self.revenue is None or self.goods_cost is None or self.offer_cost is None:
            return None
        return self.revenue - self.goods_cost - self.offer_cost

    def value(self, metric: Metric) -> int | None:
        """The customer's figure: 0 or 1 for conversion, else minor units."""
        if metric == "conversion":
            return int(self.converted)
        return self.revenue if metric == "revenue" else self.margin


class Arm(msgspec.Struct, frozen=True):
    """The sums of an arm, one a metric. Where a customer's figure is not known, that sum lacks them:
    its count is below ``customers``, and no figure may be made of it."""

    customers: int = 0
    conversion: Sums = Sums()
    revenue: Sums = Sums()
    margin: Sums = Sums()

    def add(self, outcome: Outcome) -> Self:
        """With one more customer."""
        return self._with(1, outcome)

    def remove(self, outcome: Outcome) -> Self:
        """Without a customer who was added with ``outcome``: who is erased, or judged anew."""
        return self._with(-1, outcome)

    def merge(self, other: Self) -> Self:
        """Both arms' customers, who must be different ones: of two partitions, say."""
        return type(self)(
            self.customers + other.customers,
            *(self.sums(metric).merge(other.sums(metric)) for metric in METRICS),
        )

    def sums(self, metric: Metric) -> Sums:
        """What is kept of ``metric``."""
        sums: Sums = getattr(self, metric)
        return sums

    def unknown(self, metric: Metric) -> int:
        """How many customers' figure is not known."""
        return self.customers - self.sums(metric).count

    def _with(self, sign: int, outcome: Outcome) -> Self:
        changed = []
        for metric in METRICS:
            sums, value = self.sums(metric), outcome.value(metric)
            if value is not None:
                sums = sums.add(value) if sign > 0 else sums.remove(value)
            changed.append(sums)
        return type(self)(self.customers + sign, *changed)
