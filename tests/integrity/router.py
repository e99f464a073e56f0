"""All states of a shop, folded as the worker does; the way between them is late, repeats and reorders."""

import heapq
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from schemas.exchange import Exchange, ExchangeEvent
from schemas.settings import Brushing, Liking
from streams.domain.exchange import fold_event, key_of
from streams.domain.facts import Fact, Forward, WishReached
from streams.domain.fold import CustomerEvent
from streams.domain.names import name_hash
from streams.domain.order import BRUSHED
from streams.domain.orders import PAST_BYTES, Orders, order_hash
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from streams.domain.wishes import SUSPICIOUS, Wishes, likers_of
from tests.integrity.shop import HOUR, SHOP_ID, Happening

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def settings_of(brushing: Brushing | None, liking: Liking | None = None) -> ShopSettings:
    return ShopSettings(SHOP_ID, "Asia/Shanghai", "CNY", brushing=brushing, liking=liking)


class Shops:
    """What states tell each other waits up to ``latest_ms``, one in five twice.

    ``brushing`` None: no order is judged; ``liking`` None: no like is.
    """

    def __init__(
        self,
        seed: int,
        brushing: Brushing | None,
        liking: Liking | None = None,
        latest_ms: int = 6 * HOUR,
    ) -> None:
        self.states: dict[str, CustomerState] = {}
        #: (hash of the wish, hash of the liker) of likes as they were held when last known.
        self._held: dict[tuple[bytes, bytes], bool] = {}
        #: Wish id -> what was told of likers who count, in the order in which it was.
        self.reached: dict[str, list[WishReached]] = {}
        self._settings = settings_of(brushing, liking)
        self._random = random.Random(seed)
        self._latest = latest_ms
        self._order_ids: dict[bytes, str] = {}
        self._under_way: list[tuple[int, int, ExchangeEvent, int]] = []
        self._number = 0

    def run(self, happenings: Iterable[Happening]) -> None:
        """Fold all of it, each event once, and deliver all that comes of it."""
        now = 0
        for time, _, event in happenings:
            # States hear of things as they come in, which need not be when they happened.
            now = max(now, time)
            self._deliver(now)
            order_id = getattr(event.data, "order_id", None)
            if order_id:
                self._order_ids[order_hash(order_id)] = order_id
            self._fold(now, event, time)
        self._deliver(None)

    def customer(self, customer_id: str) -> CustomerState:
        return self.states[f"{SHOP_ID}/{customer_id}"]

    def brushed(self) -> set[str]:
        """Ids of all orders that are held to be brushed now, as the orders themselves have it."""
        return {
            self._order_ids[key]
            for state in self.states.values()
            if state.orders is not None
            for key in brushed_of(state.orders)
        }

    def is_held(self, wish_id: str, liker_id: str) -> bool:
        """Whether a like is held to be bought, or was when its liker left the owner's state."""
        return self._held[name_hash(wish_id), name_hash(liker_id)]

    def _fold(self, now: int, event: CustomerEvent | ExchangeEvent, time: int) -> None:
        key = key_of(event)
        state = self.states.get(key)
        if state is None:
            kind = key.split(":")[0] if ":" in key else ""
            state = self.states[key] = new_state(SHOP_ID, event.subject, kind)
        facts = fold_event(state, event, time, self._settings) or ()
        self._note(state.wishes, facts)
        self._send(now, facts)

    def _note(self, wishes: Wishes | None, facts: Iterable[Fact]) -> None:
        for wish in wishes.wishes if wishes is not None else ():
            for liker in likers_of(wish):
                self._held[wish.key, liker.key] = liker.flags & SUSPICIOUS > 0
        for fact in facts:
            if isinstance(fact, WishReached):
                self.reached.setdefault(fact.wish_id, []).append(fact)

    def _send(self, now: int, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, Forward):
                for _ in range(2 if self._random.random() < 0.2 else 1):
                    self._number += 1
                    arrives = now + self._random.randrange(self._latest + 1)
                    event = self._event(fact)
                    heapq.heappush(self._under_way, (arrives, self._number, event, fact.time))

    def _event(self, fact: Forward) -> ExchangeEvent:
        return ExchangeEvent(
            specversion="1.0",
            id=f"0-{self._number}-0",
            source="shop.exchange",
            subject=fact.key,
            time=_EPOCH + timedelta(milliseconds=fact.time),
            data=Exchange(shop_id=SHOP_ID, body=fact.body),
        )

    def _deliver(self, now: int | None) -> None:
        while self._under_way and (now is None or self._under_way[0][0] <= now):
            arrives, _, event, time = heapq.heappop(self._under_way)
            self._fold(arrives, event, time)


def brushed_of(orders: Orders) -> set[bytes]:
    """Hashes of the orders that are held to be brushed."""
    past = range(0, len(orders.past), PAST_BYTES)
    return {order_hash(order.order_id) for order in orders.open if order.seen & BRUSHED} | {
        orders.past[at : at + 8] for at in past if orders.past[at + 8] & BRUSHED
    }
