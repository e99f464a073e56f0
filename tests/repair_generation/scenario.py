"""Events on both sides of a switch: what began in one generation goes on in the next.

Customers are of four kinds, by number % 4. All leave a cart that is due long after the switch; BOUGHT
pay for it in time, in the next generation. PAID_LATER place their first order in one generation and
pay it in the other; REGULAR pay another one there, which must not count as the first again.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.state.aggregates import RedisAggregates
from streams.state.codec import decode
from streams.state.days import read_places
from tests.engine.harness import Bench, TestClock
from tests.waiting import wait_for

CUSTOMERS = 40
KINDS = 4
ABANDONED, BOUGHT, PAID_LATER, REGULAR = range(KINDS)
HOUR = 3_600
#: 3 views, an early and a late cart, an order.
EVENTS_BEFORE = 6 * CUSTOMERS
#: Early carts, and the first orders of all but PAID_LATER.
TRIGGERS_BEFORE = CUSTOMERS + 3 * CUSTOMERS // KINDS
#: With bad reviews, all first orders, and the late carts of all but BOUGHT.
TRIGGERS = 3 * CUSTOMERS + 3 * CUSTOMERS // KINDS


class Story:
    """The same events whenever it is told; ``now``: seconds since 1970."""

    def __init__(self, now: int) -> None:
        self.now = now

    def names(self) -> Iterator[tuple[int, str]]:
        return ((number % KINDS, f"c{number:03d}") for number in range(CUSTOMERS))

    def before(self, bench: Bench) -> None:
        """The first half. A late cart is not due before two hours and a half from ``now``."""
        for kind, name in self.names():
            for view in range(3):
                self._send(
                    bench, "clicks", name, f"v{view}", -4 * HOUR + view,
                    {"action": "view", "sku": f"s{view}"},
                )  # fmt: skip
            early = {"action": "add", "sku": "early"}
            self._send(bench, "carts", name, "early", -3 * HOUR, early)
            late = {"action": "add", "sku": "late", "quantity": 2}
            self._send(bench, "carts", name, "late", 2 * HOUR, late)
            status = "placed" if kind == PAID_LATER else "paid"
            self._order(bench, name, "first", status, -3 * HOUR + 60)
        bench.flush()

    def after(self, bench: Bench, *kinds: int) -> int:
        """The second half, of these kinds of customers; returns the events."""
        sent = sum(bench.published.values())
        for kind, name in self.names():
            if kind not in kinds:
                continue
            if kind == BOUGHT:
                self._order(bench, name, "second", "paid", 2 * HOUR + 600, sku="late")
            if kind == PAID_LATER:
                self._order(bench, name, "first", "paid", 60)
            if kind == REGULAR:
                self._order(bench, name, "third", "paid", 60)
            review = {"action": "posted", "order_id": f"first-{name}", "sku": "s9", "rating": 1}
            self._send(bench, "reviews", name, "review", 120, review)
        bench.flush()
        return sum(bench.published.values()) - sent

    def end(self, bench: Bench) -> None:
        """Time goes on to four hours from ``now``, by a tool's clock."""
        clock = TestClock(bench, self.now * 1000, (self.now + 20 * HOUR) * 1000)
        clock.tick((self.now + 4 * HOUR) * 1000)
        clock.close((self.now + 4 * HOUR) * 1000)

    def _order(
        self, bench: Bench, name: str, order: str, status: str, at: int, sku: str = "s9"
    ) -> None:
        self._send(
            bench, "orders", name, f"{order}-{status}", at,
            {"order_id": f"{order}-{name}", "status": status, "lines": [{"sku": sku}],
             "amount_paid": 990},
        )  # fmt: skip

    def _send(
        self, bench: Bench, topic: str, name: str, event: str, at: int, data: dict[str, object]
    ) -> None:
        time = datetime.fromtimestamp(self.now + at, UTC).isoformat()
        bench.send(f"shop.{topic}", name, data, id=f"{name}-{event}", time=time)


def states(bench: Bench) -> dict[str, dict[str, object]]:
    """What is known of each customer, by state key, with what lies in Redis of them as it is."""
    return {key: _figures(value) for key, (value, _) in stored(bench).items()}


def _figures(value: bytes) -> dict[str, object]:
    state = decode(value)
    entries = [state.seen[at : at + 12].hex() for at in range(0, len(state.seen), 12)]
    return {
        **describe(state, ShopSettings(state.shop_id)),
        # In the order of arrival, which is not the same from run to run.
        "coupons": sorted((c.trigger_id, c.issued_at, c.valid_until) for c in state.coupons),
        "seen": sorted(entries),
        "waiting": msgspec.to_builtins(state.cart.waiting if state.cart else None),
    }


def stored(bench: Bench) -> dict[str, tuple[bytes, float | None]]:
    """State key -> bytes and due time in Redis; asserts that each is in the partition of its customer."""
    found: dict[str, tuple[bytes, float | None]] = {}
    for number in range(bench.settings.partitions):
        keys = bench.store.keys(number)
        dues = dict(bench.redis.zrange(keys.timers, 0, -1, withscores=True))
        for key in bench.redis.scan_iter(match=f"{keys.state_base}*", count=1_000):
            name = key.decode().removeprefix(keys.state_base)
            assert name not in found, f"{name} is in two partitions"
            found[name] = (bench.redis.get(key), dues.pop(name.encode(), None))
        assert not dues, f"timers without a state: {dues}"
    return found


def figures(bench: Bench) -> dict[str, object]:
    """Sums and distinct customers of every shop and day, over all partitions."""
    read = RedisAggregates(bench.redis, bench.settings)
    found: dict[str, object] = {}
    for number in range(bench.settings.partitions):
        for shop_id, day in read_places(bench.redis, bench.store.keys(number)):
            days = range(day, day + 1)
            names = read.names(shop_id, days)
            distinct = read.distinct(shop_id, days, names)
            found[f"{shop_id}/{day}"] = (read.counts(shop_id, days), distinct)
    assert found
    return found


def wait_counted(bench: Bench, outcome: str, count: int) -> None:
    wait_for(lambda: bench.counted(outcome) >= count, 300, f"{count} records {outcome}")


def wait_triggers(count: int, *benches: Bench) -> None:
    wait_for(
        lambda: sum(len(bench.triggers()) for bench in benches) >= count, 300, f"{count} triggers"
    )
