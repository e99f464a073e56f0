"""Seeded customers whose events come repeated, late and out of order, yet have one right outcome.

A coupon for a cart is a function of the events only while all that bears on it is there before its
timer fires. So what changes a cart comes at most ``JITTER_MS`` late, which is less than the
watermark's lateness; what comes hours late are clicks, reviews, profiles, and the one and only cart
event of a customer, which a clock far beyond it must not swallow.

What follows an erase must come after it, and what precedes it must not be told twice: whether a
repeat is one can no longer be known then. So those customers' events come on time, and once. Those of
visitors who are handed over too: what they come to is the same in any order, but whether a repeat is counted
as one where they were known first depends on whether they were there still.
"""

import heapq
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from tests.faults.contact import GONE, HOME, VISITOR, Contact

#: How much older than its publication an event may be that bears on a cart.
JITTER_MS = 240_000
#: Repeats follow within this, well inside of the 128 events a customer's memory holds.
REPEAT_MS = 300_000
HOUR_MS = 3_600_000

REPEATED = 0.05
#: Of the repeats: under another id, so that only what the event says shows it.
RENAMED = 0.3
LATE = 0.02
SKUS = [f"sku-{number}" for number in range(8)]
SIZES: list[dict[str, str]] = [{}, {}, {"size": "M"}, {"size": "L", "colour": "red"}]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TYPES = {
    "shop.clicks": "shop.click.v1",
    "shop.carts": "shop.cart.v1",
    "shop.orders": "shop.order.v1",
    "shop.reviews": "shop.review.v1",
    "shop.service": "shop.service.v1",
    "shop.wishes": "shop.wish.v1",
    "shop.profiles": "shop.profile.v1",
}


class Sent(NamedTuple):
    """A record to publish; ``topic`` without prefix."""

    topic: str
    key: str
    value: bytes


class Shopping:
    """``customers`` regular ones, and now and then a new one whose only cart event is hours late."""

    def __init__(self, seed: int, customers: int) -> None:
        self._random = random.Random(seed)
        self._customers = customers
        self._contact = Contact(self._random)
        self._number = 0
        #: What is still to come of a customer's order, by customer.
        self._steps: dict[str, list[dict[str, Any]]] = {}
        #: Repeats by when they are due: (ms, number, record).
        self._repeats: list[tuple[int, int, Sent]] = []

    def at(self, now_ms: int) -> Iterator[Sent]:
        """The next event, published at ``now_ms``, after the repeats that are due by then."""
        while self._repeats and self._repeats[0][0] <= now_ms:
            yield heapq.heappop(self._repeats)[2]
        self._number += 1
        topic, customer, data = self._next()
        plain = customer.startswith((GONE, VISITOR, HOME))
        time = now_ms if plain else self._time(topic, customer, now_ms)
        sent = self.event(topic, customer, f"e{self._number:09d}", time, data)
        once = plain and data["action"] not in ("erase", "alias")
        if not once and self._random.random() < REPEATED:
            again = sent
            if topic != "shop.clicks" and self._random.random() < RENAMED:
                again = self.event(topic, customer, f"x{self._number:09d}", time, data)
            due = now_ms + self._random.randrange(1, REPEAT_MS)
            heapq.heappush(self._repeats, (due, self._number, again))
        yield sent

    def _time(self, topic: str, customer: str, now_ms: int) -> int:
        time = now_ms
        if self._random.random() < 0.2:
            time -= self._random.randrange(JITTER_MS)
        late = topic in ("shop.clicks", "shop.reviews", "shop.profiles")
        if customer.startswith("late-") or (late and self._random.random() < LATE):
            time = now_ms - self._random.randrange(HOUR_MS, 20 * HOUR_MS)
        return time

    @staticmethod
    def event(topic: str, customer: str, event_id: str, time: int, data: Mapping[str, Any]) -> Sent:
        """``time``: of the event, ms since 1970."""
        value = {
            "specversion": "1.0", "type": _TYPES[topic], "id": event_id, "source": "faults",
            "subject": customer, "data": {"shop_id": "shop", **data},
            "time": (_EPOCH + timedelta(milliseconds=time)).isoformat(timespec="milliseconds"),
        }  # fmt: skip
        return Sent(topic, customer, msgspec.json.encode(value))

    def _next(self) -> tuple[str, str, dict[str, Any]]:
        draw = self._random
        kind = draw.random()
        if kind < 0.01:
            return "shop.carts", f"late-{self._number}", {"action": "add", "sku": draw.choice(SKUS)}
        customer = f"c{draw.randrange(self._customers):05d}"
        if kind < 0.50:
            action = draw.choice(["view", "view", "view", "favorite", "search"])
            return "shop.clicks", customer, {"action": action, "sku": draw.choice(SKUS)}
        if kind < 0.70:
            return "shop.carts", customer, self._cart()
        if kind < 0.83:
            return "shop.orders", customer, self._order(customer)
        if kind > 0.90:
            return self._contact.next(customer, self._number)
        data = {"order_id": f"o{self._number}", "sku": draw.choice(SKUS)}
        if draw.random() < 0.1:
            return "shop.reviews", customer, {**data, "action": "appended"}
        return "shop.reviews", customer, {**data, "action": "posted", "rating": draw.randint(1, 5)}

    def _cart(self) -> dict[str, Any]:
        action = self._random.choices(["add", "remove", "set", "clear"], [75, 12, 10, 3])[0]
        if action == "clear":
            return {"action": action}
        return {
            "action": action,
            "sku": self._random.choice(SKUS),
            "quantity": self._random.randint(1, 3),
            "attributes": self._random.choice(SIZES),
        }

    def _order(self, customer: str) -> dict[str, Any]:
        steps = self._steps.get(customer)
        if not steps:
            steps = self._steps[customer] = self._life_of_an_order()
        return steps.pop(0)

    def _life_of_an_order(self) -> list[dict[str, Any]]:
        """Its events in order; the goods come with the first one."""
        draw = self._random
        order: dict[str, Any] = {"order_id": f"o{self._number}"}
        lines = [{"sku": sku} for sku in draw.sample(SKUS, draw.randint(1, 3))]
        amount = draw.randint(100, 99_900)
        paid: dict[str, Any] = {**order, "status": "paid", "amount_paid": amount}
        if draw.random() < 0.2:
            life = [{**paid, "lines": lines}]
        else:
            life = [{**order, "status": "placed", "lines": lines}, paid]
        end = draw.random()
        if end < 0.1:
            return [*life, {**order, "status": "cancelled"}]
        if end < 0.3:
            refund: dict[str, Any] = {**order, "refund_id": "r1"}
            part = {} if end < 0.15 else {"amount": draw.randint(1, amount)}
            return [
                *life,
                {**refund, "status": "refund_requested"},
                {**refund, "status": "refunded", **part},
            ]
        if end < 0.6:
            life += [{**order, "status": "shipped"}, {**order, "status": "received"}]
        return life
