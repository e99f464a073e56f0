"""Customers who tell each other what they must, as partitions do through shop.exchange, without Kafka."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import msgspec

from schemas.exchange import Exchange, ExchangeEvent
from streams.domain.exchange import fold_event, key_of, kind_of
from streams.domain.facts import Fact, Forward
from streams.domain.fold import CustomerEvent
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from tests.domain.events import SHOP, Timed


def as_of(subject: str, made: Timed) -> Timed:
    """The same event, of another customer."""
    return msgspec.structs.replace(made[0], subject=subject), made[1]


class Network:
    """``receive`` folds an event; ``deliver`` hands on what was told, one fact at a time."""

    def __init__(self, shop: ShopSettings = SHOP) -> None:
        self._shop = shop
        self.states: dict[str, CustomerState] = {}
        #: Told and not delivered: who tells it, and what at what time.
        self.told: list[tuple[str, ExchangeEvent, int]] = []
        self.kinds: Counter[str] = Counter()
        self._number = 0

    def receive(self, event: CustomerEvent | ExchangeEvent, time: int) -> bool:
        """Whether it was none that was known."""
        key = key_of(event)
        state = self.states.setdefault(key, new_state("shop", event.subject, kind_of(event)))
        facts = fold_event(state, event, time, self._shop)
        self.heard(facts or ())
        for fact in facts or ():
            if isinstance(fact, Forward):
                self.told.append((key, self._envelope(fact), fact.time))
                self.kinds[str(type(fact.body).__struct_config__.tag)] += 1
        return facts is not None

    def heard(self, facts: tuple[Fact, ...]) -> None:
        """For tests of what campaigns would hear."""

    def deliver(self, at: int = 0) -> None:
        # What one partition tells another stays in its order: here every key is a partition of its own.
        sender, subject = self.told[at][0], self.told[at][1].subject
        at = next(
            n for n, told in enumerate(self.told) if (told[0], told[1].subject) == (sender, subject)
        )
        # As bytes, as Kafka has it.
        _, event, time = self.told.pop(at)
        read = msgspec.json.decode(msgspec.json.encode(event), type=ExchangeEvent)
        self.receive(read, time)

    def settle(self, shuffler: random.Random | None = None, most: int = 5_000) -> None:
        """Deliver until nobody is told anything more."""
        for _ in range(most):
            if not self.told:
                return
            self.deliver(shuffler.randrange(len(self.told)) if shuffler else 0)
        raise AssertionError(f"{most} facts were told and there is no end: {self.kinds}")

    def of(self, customer: str) -> CustomerState:
        return self.states[f"shop/{customer}"]

    def _envelope(self, fact: Forward) -> ExchangeEvent:
        self._number += 1
        return ExchangeEvent(
            specversion="1.0",
            id=f"0-{self._number}-0",
            source="shop.exchange",
            subject=fact.key,
            time=datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=fact.time),
            data=Exchange(shop_id="shop", body=fact.body),
        )
