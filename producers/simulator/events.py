"""Makes the simulator's events: ids, envelope, time."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypedDict

from schemas.cart import Cart, CartEvent
from schemas.click import Click, ClickEvent
from schemas.decoding import CustomerEvent
from schemas.order import Order, OrderEvent
from schemas.review import Review, ReviewEvent

SOURCE: Final = "simulator"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: What a customer or an order does next, and when (ms since 1970); times never go back.
Step = tuple[int, CustomerEvent]
Process = Iterator[Step]


class EventMaker:
    """Numbers and dates the events of one run. ``run`` makes their ids unlike those of any other."""

    def __init__(self, shop_id: str, run: str) -> None:
        self.shop_id = shop_id
        self._run = run
        self._number = 0

    def new_id(self, kind: str) -> str:
        """An id that no other event, session or order of any run has."""
        self._number += 1
        return f"{kind}{self._number}-{self._run}"

    def click(self, customer_id: str, at_ms: int, data: Click) -> Step:
        """A click as a step."""
        return at_ms, ClickEvent(**self._envelope(customer_id, at_ms), data=data)

    def cart(self, customer_id: str, at_ms: int, data: Cart) -> Step:
        """A change of the cart as a step."""
        return at_ms, CartEvent(**self._envelope(customer_id, at_ms), data=data)

    def order(self, customer_id: str, at_ms: int, data: Order) -> Step:
        """A status of an order as a step."""
        return at_ms, OrderEvent(**self._envelope(customer_id, at_ms), data=data)

    def review(self, customer_id: str, at_ms: int, data: Review) -> Step:
        """A review as a step."""
        return at_ms, ReviewEvent(**self._envelope(customer_id, at_ms), data=data)

    def _envelope(self, customer_id: str, at_ms: int) -> "_Fields":
        return {
            "specversion": "1.0",
            "id": self.new_id("e"),
            "source": SOURCE,
            "subject": customer_id,
            "time": _EPOCH + timedelta(milliseconds=at_ms),
        }


class _Fields(TypedDict):
    """Of schemas.envelope.Envelope."""

    specversion: Literal["1.0"]
    id: str
    source: str
    subject: str
    time: datetime


def delay_ms(median_s: float, sigma: float, draw: random.Random) -> int:
    """A lognormal delay, at least 1 ms, so that no two steps share a time."""
    return max(1, int(median_s * draw.lognormvariate(0, sigma) * 1000))
