"""Precision, recall and false-positive rate over seeded shops, of all orders and of each kind."""

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from schemas.settings import Brushing, Liking
from tests.integrity.brushing import CROWD, KINDS
from tests.integrity.liking import FAKE
from tests.integrity.router import Shops
from tests.integrity.story import shop_with_brushing, shop_with_likes

#: Orders and likes of a shop: enough that one campaign more or less leaves the rate of fraud at 2 %.
ORDERS = 6_000
LIKES = 9_000
#: Of ORDERS, how many more a hired crowd makes.
CROWD_ORDERS = 20
_Counted = tuple[Counter[str], Counter[str]]


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


def brushing_of(seed: int, orders: int) -> _Counted:
    """Kinds of one shop's orders, and of those held to be brushed when all is known."""
    shop = shop_with_brushing(seed, orders, crowd=CROWD_ORDERS)
    shops = Shops(seed, Brushing())
    shops.run(shop.happenings)
    found = Counter(shop.orders[order_id] for order_id in shops.brushed())
    return Counter(shop.orders.values()), found


def likes_of(seed: int, likes: int) -> _Counted:
    """Kinds of one shop's likes, and of those held to be bought when all is known."""
    shop = shop_with_likes(seed, likes)
    judged = Shops(seed, None, Liking())
    judged.run(shop.happenings)
    held = Counter(kind for like, kind in shop.likes.items() if judged.is_held(*like))
    return Counter(shop.likes.values()), held


def measure_brushing(seeds: Iterable[int], orders: int, processes: int = 1) -> Measured:
    """Over one shop a seed, of about ``orders`` orders each."""
    every, found = _sums(partial(brushing_of, orders=orders), seeds, processes)
    return Measured(every, found, frozenset(KINDS), frozenset({CROWD}))


def measure_likes(seeds: Iterable[int], likes: int, processes: int = 1) -> Measured:
    """Over one shop a seed, of about ``likes`` likes each."""
    every, found = _sums(partial(likes_of, likes=likes), seeds, processes)
    return Measured(every, found, frozenset(FAKE))


def _sums(measure: Callable[[int], _Counted], seeds: Iterable[int], processes: int) -> _Counted:
    every, found = Counter[str](), Counter[str]()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for one, of_it in pool.imap(measure, seeds):
            every += one
            found += of_it
    return every, found


def as_json(measured: Measured) -> dict[str, Any]:
    """The sums, and each kind's count and share; shares of one, not per cent."""
    kinds = [*sorted(measured.fraud), *sorted(measured.beside), *_honest_kinds(measured)]
    return {
        "fraud": measured.truly,
        "honest": measured.honest,
        "rate": measured.truly / (measured.truly + measured.honest),
        "precision": measured.precision,
        "recall": measured.recall,
        "false_positive_rate": measured.alarms / measured.honest,
        "kinds": {
            kind: {
                "is": _sort_of(measured, kind),
                "count": measured.all[kind],
                "found": measured.found[kind],
                "share": measured.share(kind),
            }
            for kind in kinds
        },
    }


def as_table(name: str, measured: Measured) -> str:
    """The same for people."""
    said = as_json(measured)
    rows = [
        f"{kind:16} {of['is']:8} {of['count']:8,} {of['found']:8,}  {of['share']:8.2%}"
        for kind, of in said["kinds"].items()
    ]
    sums = (
        f"{name}: {said['fraud']:,} of {said['fraud'] + said['honest']:,} fraudulent "
        f"({said['rate']:.2%}); precision {said['precision']:.3f}, recall {said['recall']:.3f}, "
        f"false-positive rate {said['false_positive_rate']:.3%}"
    )
    heads = f"{'kind':16} {'is':8} {'count':>8} {'found':>8}  {'share':>8}"
    return "\n".join([sums, heads, *rows])


def _honest_kinds(measured: Measured) -> list[str]:
    return sorted(set(measured.all) - measured.fraud - measured.beside)


def _sort_of(measured: Measured, kind: str) -> str:
    if kind in measured.fraud:
        return "fraud"
    return "beside" if kind in measured.beside else "honest"
