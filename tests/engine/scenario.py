"""A small shop day whose triggers are known beforehand, from decision 0002 alone."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.catalogue import DECISIONS
from tests.engine.harness import Bench, TestClock, ids, moment, run_cli

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z, the start of harness.moment
HALF_HOUR = 1_800


def trigger_id(campaign: str, customer: str, occasion: str) -> str:
    text = "\x1f".join((campaign, "shop", customer, occasion))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass
class ShopDay:
    """``customers`` each view, leave a cart, pay one order and write one bad review."""

    bench: Bench
    customers: int = 60
    #: Every so manyth customer withdraws all channels, if ``withdraw`` is called; 0: nobody does.
    withdrawing: int = 0

    def __post_init__(self) -> None:
        self.clock = TestClock(self.bench, START_MS, START_MS + 86_400_000)
        self.expected: list[str] = []
        #: Trigger ids of what is refused for want of a channel.
        self.refused: list[str] = []

    def names(self) -> Iterator[tuple[int, str]]:
        return ((number, f"c{number:03d}") for number in range(self.customers))

    def withdraw(self) -> None:
        """No channel is left of some customers. Wait until it is processed: profiles are folded last."""
        for number, name in self.names():
            if self._withdraws(number):
                self.bench.send(
                    "shop.profiles", name,
                    {"action": "consent", "consent": {"app_push": False, "sms": False, "chat": False}},
                    id=f"{name}-consent", time=moment(0),
                )  # fmt: skip
        self.bench.flush()

    def _withdraws(self, number: int) -> bool:
        return self.withdrawing > 0 and number % self.withdrawing == 0

    def _expect(self, number: int, campaign: str, name: str, occasion: str) -> None:
        ids = self.refused if self._withdraws(number) else self.expected
        ids.append(trigger_id(campaign, name, occasion))

    def morning(self) -> None:
        """Views, carts and orders."""
        for number, name in self.names():
            at = number * 10
            for view in range(3):
                self.bench.send(
                    "shop.clicks", name, {"action": "view", "sku": f"s{view}"},
                    id=f"{name}-v{view}", time=moment(at + view),
                )  # fmt: skip
            self.bench.send(
                "shop.carts", name, {"action": "add", "sku": "s1"},
                id=f"{name}-cart", time=moment(at + 5),
            )  # fmt: skip
            self.bench.send(
                "shop.orders", name,
                {"order_id": f"o-{name}", "status": "paid", "lines": [{"sku": "s9"}], "amount_paid": 990},
                id=f"{name}-order", time=moment(at + 6),
            )  # fmt: skip
            since = START_MS + (at + 5) * 1_000
            self._expect(number, "abandoned-cart", name, f"s1;;1;{since}")
            self._expect(number, "second-order", name, "first")
        self.bench.flush()
        self.clock.tick(START_MS + self.customers * 10_000)

    def evening(self) -> None:
        """Reviews, and the end of the day, when the last carts are abandoned."""
        for number, name in self.names():
            self.bench.send(
                "shop.reviews", name,
                {"action": "posted", "order_id": f"o-{name}", "sku": "s9", "rating": 1},
                id=f"{name}-review", time=moment(self.customers * 10 + HALF_HOUR + number),
            )  # fmt: skip
            self._expect(number, "bad-review", name, f"o-{name}/s9")
        self.bench.flush()
        self.clock.tick(START_MS + (self.customers * 20 + HALF_HOUR) * 1_000)
        self.clock.close(START_MS + 80_000_000)

    def assert_exactly_once(self) -> None:
        """Each event counted once, each trigger issued once, the journal whole."""
        bench = self.bench
        total = sum(bench.published.values())
        assert bench.processed() == total
        assert bench.counted("applied") == total
        assert ids(bench.triggers()) == sorted(self.expected)
        refused = [event["data"] for event in bench.read(DECISIONS)]
        assert sorted(one["trigger_id"] for one in refused) == sorted(self.refused)
        assert len({one["decision_id"] for one in refused}) == len(refused)
        counted = sum(
            part.count for rows in bench.journal().values() for row in rows for part in row.slices
        )
        assert counted == total
        verified = run_cli(bench.settings, "verify", "--json")
        assert verified.returncode == 0, verified.stdout + verified.stderr
