"""A made-up shop over some weeks: what its customers do, and which of their orders were brushed.

Events are those of the contract. Nothing in this file, honest.py, brushing.py or liking.py reads the
detector: rates and delays are those of a shop and of how brushing is described in public (see
docs/integrity.md), in the generator's own numbers.
"""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from schemas.click import Click, ClickEvent
from schemas.envelope import Line
from schemas.order import Order, OrderEvent
from schemas.review import Review, ReviewEvent
from schemas.wish import Wish, WishEvent
from streams.domain.fold import CustomerEvent

SHOP_ID = "made-up"
#: 2026-03-02T00:00:00Z, a Monday.
OPENED = 1_772_409_600_000
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


class Happening(NamedTuple):
    """An event, when it happened (ms) and the customer whose state it belongs to."""

    time: int
    customer: str
    event: CustomerEvent


class Person(NamedTuple):
    """A customer with the phone and the address that orders come from, as hashes."""

    customer: str
    device: str
    address: str


class Shop:
    """What happened in one shop. ``orders`` and ``likes`` say which kind each one truly is."""

    def __init__(self, seed: int, weeks: int) -> None:
        self.random = random.Random(seed)
        self.closes = OPENED + weeks * 7 * DAY
        self.happenings: list[Happening] = []
        #: order id -> kind
        self.orders: dict[str, str] = {}
        #: (wish id, liker) -> kind
        self.likes: dict[tuple[str, str], str] = {}
        #: Popular products first: a few sell most.
        self.products = [f"sku-{number:03}" for number in range(80)]
        self._popularity = [1 / (rank + 4) for rank in range(len(self.products))]
        self._numbers: dict[str, int] = {}

    def name(self, prefix: str) -> str:
        """A name that nothing else has."""
        number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return f"{prefix}-{number:05}"

    def person(
        self, prefix: str, *, device: str | None = None, address: str | None = None
    ) -> Person:
        return Person(
            self.name(prefix), device or self.name("device"), address or self.name("address")
        )

    def product(self) -> str:
        """A product as customers choose them."""
        return self.random.choices(self.products, self._popularity)[0]

    def moment(self) -> int:
        """Some time while the shop is open, mostly in the day."""
        day = self.random.randrange((self.closes - OPENED) // DAY)
        hour = self.random.choices(range(24), [1] * 7 + [4] * 10 + [7] * 6 + [3])[0]
        return OPENED + day * DAY + hour * HOUR + self.random.randrange(HOUR)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def between(self, low: float, high: float) -> int:
        return round(self.random.uniform(low, high))

    def view(self, person: Person, sku: str, time: int, seconds: float, **data: Any) -> None:
        self._click(
            person, time, action="view", sku=sku, dwell_ms=round(seconds * 1000),
            device_hash=person.device, **data,
        )  # fmt: skip

    def _click(self, person: Person, time: int, **data: Any) -> None:
        body = Click(shop_id=SHOP_ID, **data)
        envelope = self._envelope(person.customer, time)
        self.happenings.append(Happening(time, person.customer, ClickEvent(data=body, **envelope)))

    def order(
        self,
        kind: str,
        person: Person,
        skus: Iterable[str],
        time: int,
        *,
        receives_after: float,
    ) -> tuple[str, int]:
        """An order placed at ``time``, paid in a minute, received so many days after it.

        Returns its id and when it is received (ms).
        """
        order_id = self.name("order")
        self.orders[order_id] = kind
        lines = [Line(sku=sku, unit_price=self.between(1_000, 20_000)) for sku in skus]
        paid = time + self.between(5 * SECOND, 90 * SECOND)
        received = paid + round(receives_after * DAY)
        amount = sum(line.unit_price or 0 for line in lines)
        said: list[tuple[int, dict[str, Any]]] = [
            (time, {"status": "placed", "lines": lines}),
            (paid, {"status": "paid", "lines": lines, "amount_paid": amount}),
            (paid + (received - paid) // 3, {"status": "shipped"}),
            (received, {"status": "received"}),
        ]
        for moment, data in said:
            if data["status"] in ("placed", "paid"):
                data |= {"device_hash": person.device, "address_hash": person.address}
            self.tell_order(person, order_id, moment, **data)
        return order_id, received

    def tell_order(self, person: Person, order_id: str, time: int, **data: Any) -> None:
        body = Order(shop_id=SHOP_ID, order_id=order_id, **data)
        envelope = self._envelope(person.customer, time)
        self.happenings.append(Happening(time, person.customer, OrderEvent(data=body, **envelope)))

    def review(
        self, person: Person, order_id: str, sku: str, time: int, rating: int, text: str | None
    ) -> None:
        body = Review(
            shop_id=SHOP_ID, action="posted", order_id=order_id, sku=sku, rating=rating, text=text
        )
        envelope = self._envelope(person.customer, time)
        self.happenings.append(Happening(time, person.customer, ReviewEvent(data=body, **envelope)))

    def wish(self, owner: Person, wish_id: str, time: int) -> None:
        body = Wish(shop_id=SHOP_ID, action="made", wish_id=wish_id, device_hash=owner.device)
        envelope = self._envelope(owner.customer, time)
        self.happenings.append(Happening(time, owner.customer, WishEvent(data=body, **envelope)))

    def like(self, kind: str, liker: Person, owner: Person, wish_id: str, time: int) -> None:
        self.likes.setdefault((wish_id, liker.customer), kind)
        body = Wish(
            shop_id=SHOP_ID, action="liked", wish_id=wish_id, liker_id=liker.customer,
            device_hash=liker.device,
        )  # fmt: skip
        envelope = self._envelope(owner.customer, time)
        self.happenings.append(Happening(time, owner.customer, WishEvent(data=body, **envelope)))

    def _envelope(self, customer: str, time: int) -> dict[str, Any]:
        moment = datetime.fromtimestamp(time // 1000, UTC) + timedelta(milliseconds=time % 1000)
        return {
            "specversion": "1.0", "id": self.name("event"), "source": "made-up",
            "subject": customer, "time": moment,
        }  # fmt: skip
