"""What the query store says of one customer: plain data, needs none of the store's packages."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Response:
    """What followed an offer: the order that redeemed its code, else the first one paid in its time."""

    redeemed_in: str | None = None
    ordered: str | None = None


@dataclass(frozen=True, slots=True)
class LateRefunds:
    """What refunds that came after their orders had left the live state take from its figures: of how many
    orders, how many of these count no more at all, and their amounts (minor units).
    """

    orders: int = 0
    lost_orders: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """``names``: product names by sku. ``channels``: those of the customer's orders, the most used
    first. ``responses``: by trigger id, of those offers that the store has. ``late``: late refunds.
    """

    names: dict[str, str] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)
    responses: dict[str, Response] = field(default_factory=dict)
    late: LateRefunds = LateRefunds()
