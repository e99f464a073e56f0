"""The simulator: a pure generator of records for a seed, in publishing order."""

import heapq
import random
from collections.abc import Iterator
from typing import Final

import msgspec

from producers.simulator.calibration import (
    SAMPLE_FIGURES,
    SAMPLE_MS,
    Behaviour,
    Fulfilment,
    ShopHours,
)
from producers.simulator.events import EventMaker, Process
from producers.simulator.mischief import Mischief
from producers.simulator.orders import OrderDesk
from producers.simulator.people import make_people
from producers.simulator.visits import Storefront
from producers.source import Record
from schemas.cart import CartEvent
from schemas.catalogue import CARTS, CLICKS, ORDERS, REVIEWS
from schemas.click import ClickEvent
from schemas.decoding import CustomerEvent
from schemas.order import OrderEvent
from schemas.review import ReviewEvent

_TOPICS: Final[dict[type, str]] = {
    ClickEvent: CLICKS,
    CartEvent: CARTS,
    OrderEvent: ORDERS,
    ReviewEvent: REVIEWS,
}
#: Records that one customer makes in nine days, with what the sample does not have: searches,
#: regrets, the life of orders, reviews (found by counting; tests/producers/test_simulator.py).
RECORDS_PER_CUSTOMER: Final = 1.13 * SAMPLE_FIGURES["events_per_customer"]
#: Share of their time that the sample's customers are in the shop: a visit is 10 minutes long, and
#: 44,900 s pass from one to the next.
_VISITING: Final = 0.0134
_RECORDS_A_SECOND: Final = RECORDS_PER_CUSTOMER / (SAMPLE_MS / 1000)


class Simulator:
    """``customers`` people in one shop from ``start_ms`` to ``until_ms`` (ms since 1970).

    The same arguments give the same bytes in the same order. ``activity`` multiplies how often the
    sample's customers come, ``by_hour`` False makes all hours alike. Ids of events and orders have
    the seed and ``start_ms`` in them, so a later run in the same stack is no repetition; customers
    are the same people in every run of a seed. A Feed (producers.source).
    """

    def __init__(
        self,
        seed: int,
        customers: int,
        start_ms: int,
        *,
        until_ms: int = 0,
        shop_id: str = "simulated",
        activity: float = 1.0,
        by_hour: bool = True,
        behaviour: Behaviour | None = None,
        fulfilment: Fulfilment | None = None,
        mischief: Mischief | None = None,
    ) -> None:
        self.name = "simulator"
        self.seed = seed
        self.customers = customers
        self.start_ms = start_ms
        self.until_ms = until_ms or start_ms + SAMPLE_MS
        self.total: int | None = None
        self.activity = activity
        self._shop_id = shop_id
        self._by_hour = by_hour
        self._behaviour = behaviour or Behaviour()
        self._fulfilment = fulfilment or Fulfilment()
        self._mischief = mischief or Mischief()

    def records(self) -> Iterator[Record]:
        """All records by ``at_ms``, good ones and planted ones."""
        return self._mischief.plant(self._good(), self.until_ms, self.seed)

    def _good(self) -> Iterator[Record]:
        encode = msgspec.json.Encoder().encode
        for at_ms, event in self._steps():
            yield Record(at_ms, _TOPICS[type(event)], event.subject.encode(), encode(event))

    def _steps(self) -> Iterator[tuple[int, CustomerEvent]]:
        """The next step of any process, again and again."""
        draw = random.Random(f"simulator {self.seed}")  # noqa: S311  # no cryptography
        agenda: list[tuple[int, int, CustomerEvent, Process]] = []
        started = 0

        def proceed(process: Process) -> None:
            nonlocal started
            step = next(process, None)
            if step is not None and step[0] < self.until_ms:
                started += 1
                heapq.heappush(agenda, (step[0], started, step[1], process))

        maker = EventMaker(self._shop_id, f"{self.start_ms:x}-{self.seed}")
        desk = OrderDesk(maker, self._fulfilment, draw)
        hours = ShopHours(flat=not self._by_hour)
        storefront = Storefront(maker, desk, self._behaviour, hours, draw, proceed)
        for person in make_people(self.customers, self._behaviour, self.activity, draw):
            proceed(storefront.customer(person, self.start_ms, self.until_ms))
        while agenda:
            at_ms, _, event, process = heapq.heappop(agenda)
            yield at_ms, event
            proceed(process)


def customers_for(events_a_second: float, factor: float) -> int:
    """How many of the sample's customers make ``events_a_second`` of wall time at ``factor``."""
    return max(1, round(events_a_second / (_RECORDS_A_SECOND * factor)))


def activity_for(events_a_second: float, factor: float, customers: int) -> float:
    """How much more active than the sample's ``customers`` must be to make ``events_a_second``.

    About: it is pauses that get shorter, not visits. Raises ValueError when there are too few.
    """
    times = events_a_second / (_RECORDS_A_SECOND * factor * customers)
    most = 0.5 / _VISITING
    if times > most:
        raise ValueError(
            f"{customers} customers make at most {events_a_second * most / times:.0f} events a "
            f"second at factor {factor:g}: ask for fewer events or more customers"
        )
    return times / (1 - times * _VISITING)
