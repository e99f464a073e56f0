"""What figures are read from: a state, a moment, the shop's settings; and what several of them need."""

from functools import cached_property
from typing import Any

from streams.domain.interests import Interests, settled, touches_of
from streams.domain.orders import Orders
from streams.domain.rfm import Rfm, rfm
from streams.domain.shop import ShopSettings, day_of
from streams.domain.state import CustomerState
from streams.domain.summary import Summary
from streams.domain.touches import Touch
from streams.domain.worth import Purchases, purchases_of


class Scene:
    """``state`` as it is, looked at ``at`` a moment (ms since 1970) by ``settings``; changes nothing.

    The state must not change while the scene is used: what it worked out is kept.
    """

    def __init__(self, state: CustomerState, at: int, settings: ShopSettings) -> None:
        self.state = state
        self.at = at
        self.settings = settings
        #: What was read of it, by the figure's name: many campaigns ask for the same (``read_figure``).
        self.readings: dict[str, Any] = {}

    def since(self, time: int) -> int:
        """How long ago ``time`` (ms) is; 0 of what is yet to come."""
        return max(self.at - time, 0)

    @property
    def is_erased(self) -> bool:
        """Whether what was before some moment is not known: sums over the whole life are at least so much."""
        return self.state.erased_at is not None

    @cached_property
    def orders(self) -> Orders:
        return self.state.orders or Orders(forgotten=0)

    @cached_property
    def purchases(self) -> Purchases:
        return purchases_of(self.state.orders, self.settings.time_zone, self.state.erased_at)

    @cached_property
    def today(self) -> int:
        """The day on the shop's clock, days since 1970; no earlier than that of the last payment."""
        today = day_of(self.at, self.settings.time_zone)
        days = self.purchases.days
        return max(today, days[-1].day) if days else today

    @cached_property
    def rfm(self) -> Rfm:
        return rfm(self.purchases, self.today, self.settings.rfm)

    @cached_property
    def interests(self) -> Summary:
        return settled(self.state.interests or Interests())

    @cached_property
    def touches(self) -> list[Touch]:
        """By their beginning."""
        interests = self.state.interests
        return [] if interests is None else touches_of(interests)
