"""Precision, recall and false-positive rate over seeded shops, of all orders and of each kind."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from schemas.settings import Brushing, Liking
from tests.integrity.brushing import CROWD, KINDS
from tests.integrity.like_router import LikingShop
from tests.integrity.liking import FAKE
from tests.integrity.router import Shops
from tests.integrity.story import shop_with_brushing, shop_with_likes


class Measured(NamedTuple):
    """How many of each kind there were, and how many of them were held to be fraud."""

    all: Counter[str]
    found: Counter[str]
    fraud: frozenset[str]
    #: Kinds of fraud that are measured beside, and in no sum.
    beside: frozenset[str] = frozenset()

    @property
    def truly(self) -> int:
        return sum(self.all[kind] for kind in self.fraud)

    @property
    def hits(self) -> int:
        return sum(self.found[kind] for kind in self.fraud)

    @property
    def honest(self) -> int:
        return sum(count for kind, count in self.all.items() if self._is_honest(kind))

    @property
    def alarms(self) -> int:
        return sum(count for kind, count in self.found.items() if self._is_honest(kind))

    @property
    def precision(self) -> float:
        return self.hits / (self.hits + self.alarms)

    @property
    def recall(self) -> float:
        return self.hits / self.truly

    def share(self, kind: str) -> float:
        """Of a kind of fraud the recall, of an honest kind the false-positive rate."""
        return self.found[kind] / self.all[kind]

    def _is_honest(self, kind: str) -> bool:
        return kind not in self.fraud and kind not in self.beside


def brushing_of(seed: int, orders: int, crowd: int) -> tuple[Counter[str], Counter[str]]:
    """Kinds of one shop's orders, and of those held to be brushed when all is known."""
    shop = shop_with_brushing(seed, orders, crowd=crowd)
    shops = Shops(seed, Brushing())
    shops.run(shop.happenings)
    found = Counter(shop.orders[order_id] for order_id in shops.brushed())
    return Counter(shop.orders.values()), found


def measure_brushing(seeds: Iterable[int], orders: int, crowd: int = 0) -> Measured:
    """Over one shop a seed, of about ``orders`` orders each."""
    every, found = Counter[str](), Counter[str]()
    for seed in seeds:
        one, of_it = brushing_of(seed, orders, crowd)
        every += one
        found += of_it
    return Measured(every, found, frozenset(KINDS), frozenset({CROWD}))


def likes_of(seed: int, likes: int) -> tuple[Counter[str], Counter[str]]:
    """Kinds of one shop's likes, and of those held to be bought when all is known."""
    shop = shop_with_likes(seed, likes)
    judged = LikingShop(seed, Liking())
    judged.run(shop.happenings)
    held = Counter(kind for like, kind in shop.likes.items() if judged.is_held(*like))
    return Counter(shop.likes.values()), held


def measure_likes(seeds: Iterable[int], likes: int) -> Measured:
    """Over one shop a seed, of about ``likes`` likes each."""
    every, found = Counter[str](), Counter[str]()
    for seed in seeds:
        one, of_it = likes_of(seed, likes)
        every += one
        found += of_it
    return Measured(every, found, frozenset(FAKE))
