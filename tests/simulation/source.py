"""Upstream: events of a few customers: some twice, late, bad, in transactions, which may hide the clock."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from confluent_kafka import KafkaException

from schemas.catalogue import CLOCK
from schemas.clock import Tick, encode_clock
from schemas.partitioner import partition_of
from tests.oracle.events import (
    CARTS,
    CLICKS,
    ORDERS,
    PROFILES,
    REVIEWS,
    SERVICE,
    WISHES,
    Published,
)
from tests.simulation.frail import JUDGING, OUTGROWN, SOUND, UNFOLDABLE, UNTIMELY
from tests.simulation.memory_kafka import MemoryKafka, Place
from tests.simulation.passing import PASSING

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
TYPES = {
    CLICKS: "shop.click.v1", CARTS: "shop.cart.v1", ORDERS: "shop.order.v1",
    REVIEWS: "shop.review.v1", SERVICE: "shop.service.v1", WISHES: "shop.wish.v1",
    PROFILES: "shop.profile.v1",
}  # fmt: skip
#: An event this late is still in time: less than the lateness of the watermark.
IN_TIME_MS = 4_000
#: Customers whose events may come late; what fires for them depends on when.
LATE = "late"
#: Visitors who are handed over, and the customers they turn out to be, by number.
VISITOR, HOME = f"{LATE}visitor", f"{LATE}home"
PAIRS = 2
_NAME = "upstream"


class Source:
    """``send`` publishes one event or a mistake; what was good is in ``good``, by its bytes."""

    def __init__(
        self,
        rng: Random,
        kafka: MemoryKafka,
        partitions: int,
        *,
        frail: bool = False,
        judged: bool = False,
    ) -> None:
        """``frail``: also of shops at which the fold and the campaigns raise; ``judged``: visitors and who
        they turn out to be pay orders, at a shop that judges them.
        """
        self._rng = rng
        self._kafka = kafka
        self._partitions = partitions
        self._customers = [f"c{number}" for number in range(6)] + [f"{LATE}{n}" for n in range(2)]
        self._customers += [f"{kind}{n}" for kind in (VISITOR, HOME) for n in range(PAIRS)]
        self._sent: list[tuple[str, bytes, bytes]] = []
        self._number = 0
        self._shops = (
            [SOUND] * 16 + [UNFOLDABLE, UNTIMELY, OUTGROWN, OUTGROWN] if frail else [SOUND]
        )
        self._epoch = -1
        self._judged = judged
        #: Of visitors and who they turn out to be.
        self.paired_shop = JUDGING if judged else SOUND
        self.good: dict[bytes, Published] = {}
        #: Where nothing can be sent for now.
        self.closed: set[Place] = set()

    def send(self) -> None:
        draw = self._rng.random()
        if draw < 0.12 and self._sent:
            topic, key, value = self._rng.choice(self._sent)
        else:
            topic, key, value = self._event()
            if draw > 0.95:
                value = value[: len(value) // 2]
        place = (topic, partition_of(key, self._partitions))
        if place in self.closed:
            return
        if self._epoch >= 0:
            self._in_transaction(lambda: self._kafka.produce(_NAME, self._epoch, place, key, value))
        else:
            self._kafka.append(place, key, value)
            if value in self.good and not key.startswith(PASSING.encode()):
                # One of a transaction that is aborted never was, so nobody sends it again.
                self._sent.append((topic, key, value))

    def send_of(self, customer: str, time: int) -> None:
        """Publish an event of ``time`` (ms), as a tool does that replays somebody's day."""
        topic, key, value = self._encoded(customer, SOUND, time)
        place = (topic, partition_of(key, self._partitions))
        if place not in self.closed:
            self._kafka.append(place, key, value)
            self._sent.append((topic, key, value))

    def begin(self) -> None:
        self.end(commit=True)
        self._epoch = self._kafka.init(_NAME)
        if self._rng.random() < 0.5:
            # Whoever writes it in between: it hides what others write behind it until it has ended.
            number = self._rng.randrange(self._partitions)
            record = encode_clock(Tick(number, 0, "nobody", 0, {}))
            place = (CLOCK, number)
            self._kafka.produce(_NAME, self._epoch, place, None, record)

    def end(self, commit: bool) -> None:
        if self._epoch >= 0:
            self._in_transaction(lambda: self._kafka.end(_NAME, self._epoch, commit))
        self._epoch = -1

    def _in_transaction(self, call: Callable[[], None]) -> None:
        try:
            call()
        except KafkaException:
            self._epoch = -1  # it took too long and was aborted

    @property
    def in_transaction(self) -> bool:
        return self._epoch >= 0

    def _event(self) -> tuple[str, bytes, bytes]:
        rng = self._rng
        customer = rng.choice(self._customers)
        if rng.random() < 0.15:
            customer = f"{PASSING}{self._number // 40}"
        late = rng.randint(0, 7_200_000) if customer.startswith(LATE) and rng.random() < 0.4 else 0
        time = self._kafka.now - rng.randint(0, IN_TIME_MS) - late
        if customer.startswith((VISITOR, HOME)):
            shop = self.paired_shop
        else:
            shop = SOUND if customer.startswith(PASSING) else rng.choice(self._shops)
        return self._encoded(customer, shop, time)

    def _encoded(self, customer: str, shop: str, time: int) -> tuple[str, bytes, bytes]:
        self._number += 1
        topic, data = self._data(customer)
        value = {
            "specversion": "1.0", "type": TYPES[topic], "id": f"e{self._number}",
            "source": "test", "subject": customer, "data": {"shop_id": shop, **data},
            "time": (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time)).isoformat(),
        }  # fmt: skip
        encoded = json.dumps(value).encode()
        self.good[encoded] = Published(topic, customer, value)
        return topic, customer.encode(), encoded

    def _data(self, customer: str) -> tuple[str, dict[str, Any]]:
        rng = self._rng
        if customer.startswith(PASSING) and rng.random() < 0.1:
            return CARTS, {"action": "add", "sku": "A"}
        if customer.startswith(PASSING):
            return CLICKS, {"action": "view"}
        if customer.startswith(VISITOR) and rng.random() < 0.15:
            home = customer.replace(VISITOR, HOME)
            return PROFILES, {"action": "alias", "alias_of": home}
        if self._judged and customer.startswith((VISITOR, HOME)) and rng.random() < 0.2:
            # Brushed as soon as there are two, until one looks at it: often only of both together.
            order = {"order_id": f"p{self._number}", "status": "paid", "lines": [{"sku": "A"}]}
            phone = {"device_hash": rng.choice(("p1", "p2"))}
            return ORDERS, {**order, **phone, "amount_paid": 500}
        if customer.startswith(HOME):
            looked = self._judged and rng.random() < 0.1
            return CLICKS, {"action": "view", **({"sku": "A"} if looked else {})}
        if customer.startswith(VISITOR):
            sku = {"sku": rng.choice(("A", "B"))}
            return rng.choice(((CLICKS, {"action": "view"}), (CARTS, {"action": "add", **sku})))
        topic = rng.choice(
            (CLICKS, CARTS, CARTS, CARTS, ORDERS, REVIEWS, SERVICE, WISHES, PROFILES)
        )
        sku = rng.choice(("A", "B", "C"))
        order = f"o{rng.randint(1, 6)}"
        if topic == CLICKS:
            return topic, {"action": "view", "sku": sku}
        if topic == CARTS:
            action = rng.choice(("add", "add", "add", "remove", "clear"))
            return topic, {"action": action, **({} if action == "clear" else {"sku": sku})}
        if topic == ORDERS:
            status = rng.choice(("placed", "paid", "paid", "cancelled"))
            lines = {} if status == "cancelled" else {"lines": [{"sku": sku}], "amount_paid": 990}
            return topic, {"order_id": order, "status": status, **lines}
        if topic == SERVICE:
            action = rng.choice(("inquiry", "replied", "complaint", "resolved"))
            return topic, {"action": action, "case_id": f"k{rng.randint(1, 6)}"}
        if topic == WISHES:
            action = rng.choice(("made", "liked", "liked", "unliked", "granted"))
            return topic, {"action": action, "wish_id": f"w{rng.randint(1, 6)}", "liker_id": sku}
        if topic == PROFILES:
            return topic, {"action": "updated", "region": sku}
        rating = rng.randint(1, 5)
        return topic, {"action": "posted", "order_id": order, "sku": sku, "rating": rating}
