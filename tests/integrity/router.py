"""Buyers' and products' states of a shop, with a way between them that is late, repeats and reorders."""

import heapq
import random
from collections.abc import Iterable, Iterator

from schemas.click import ClickEvent
from schemas.order import OrderEvent
from schemas.review import ReviewEvent
from schemas.settings import Brushing
from streams.domain.fold import CustomerEvent
from streams.domain.integrity.buyer import (
    BuyerIntegrity,
    see_order,
    see_review,
    see_view,
    take_shared,
)
from streams.domain.integrity.messages import OrderOfProduct, Shared
from streams.domain.integrity.product import ProductIntegrity, fold_order_of_product
from streams.domain.integrity.verdicts import Verdict, review_verdicts
from streams.domain.order import BRUSHED
from streams.domain.orders import Orders, fold_order, order_hash
from streams.domain.shop import ShopSettings
from tests.integrity.shop import HOUR, Happening

SHOP = ShopSettings("made-up", "Asia/Shanghai", "CNY")
Told = OrderOfProduct | Shared


class Buyer:
    """One buyer's part of a state, as far as brushing touches it."""

    def __init__(self) -> None:
        self.integrity = BuyerIntegrity()
        self.orders = Orders(forgotten=0)
        self.order_ids: set[str] = set()
        self.verdicts: list[Verdict] = []

    def brushed(self) -> set[str]:
        """Ids of the orders that are held to be brushed now, as the orders themselves have it."""
        open_ = {order.order_id for order in self.orders.open if order.seen & BRUSHED}
        past = {
            self.orders.past[at : at + 8]
            for at in range(0, len(self.orders.past), 35)
            if self.orders.past[at + 8] & BRUSHED
        }
        return open_ | {each for each in self.order_ids if order_hash(each) in past}


class Shops:
    """All states of one shop. What they tell each other waits up to ``latest_ms``, one in five twice.

    ``brushing`` None: nobody is judged.
    """

    def __init__(self, seed: int, brushing: Brushing | None, latest_ms: int = 6 * HOUR) -> None:
        self.buyers: dict[str, Buyer] = {}
        self.products: dict[str, ProductIntegrity] = {}
        self.brushing = brushing
        self._random = random.Random(seed)
        self._latest = latest_ms
        self._under_way: list[tuple[int, int, Told]] = []
        self._number = 0

    def run(self, happenings: Iterable[Happening]) -> None:
        """Fold all of it, each event once, and deliver all that comes of it."""
        now = 0
        for time, customer, event in happenings:
            # States hear of things as they come in, which need not be when they happened.
            now = max(now, time)
            self._deliver(now)
            self._fold(now, customer, event, time)
        self._deliver(None)

    def brushed(self) -> set[str]:
        return {order_id for buyer in self.buyers.values() for order_id in buyer.brushed()}

    def _fold(self, now: int, customer: str, event: CustomerEvent, time: int) -> None:
        buyer = self.buyers.setdefault(customer, Buyer())
        touched = False
        if isinstance(event, ClickEvent):
            if event.data.action == "view" and event.data.sku:
                data = event.data
                touched = see_view(buyer.integrity, event.data.sku, time, data.dwell_ms)
        elif isinstance(event, OrderEvent):
            buyer.order_ids.add(event.data.order_id)
            touched = fold_order(buyer.orders, event.data, time, SHOP) is not None
            key = order_hash(event.data.order_id)
            told = see_order(buyer.integrity, key, event.data, customer, time, SHOP.time_zone)
            self._send(now, told)
        elif isinstance(event, ReviewEvent):
            key = order_hash(event.data.order_id)
            touched = see_review(buyer.integrity, key, event.data, time)
        if touched:
            self._judge(buyer)

    def _judge(self, buyer: Buyer) -> None:
        if self.brushing is not None:
            buyer.verdicts += review_verdicts(buyer.integrity, buyer.orders, self.brushing)

    def _send(self, now: int, told: Iterable[Told]) -> None:
        for one in told:
            for _ in range(2 if self._random.random() < 0.2 else 1):
                self._number += 1
                arrives = now + self._random.randrange(self._latest + 1)
                heapq.heappush(self._under_way, (arrives, self._number, one))

    def _arrived(self, now: int | None) -> Iterator[tuple[int, Told]]:
        while self._under_way and (now is None or self._under_way[0][0] <= now):
            arrives, _, told = heapq.heappop(self._under_way)
            yield arrives, told

    def _deliver(self, now: int | None) -> None:
        for arrives, told in self._arrived(now):
            if isinstance(told, OrderOfProduct):
                product = self.products.setdefault(told.sku, ProductIntegrity())
                self._send(arrives, fold_order_of_product(product, told))
            else:
                buyer = self.buyers[told.customer_id]
                if take_shared(buyer.integrity, order_hash(told.order_id), told):
                    self._judge(buyer)
