"""Visitors who turn out to be customers of the other partition, and what must be known of each at the end."""

import random
from typing import Any

import msgspec

from schemas.catalogue import EXCHANGE, TOPICS
from schemas.decoding import CustomerEvent
from schemas.partitioner import partition_of
from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.state.codec import decode
from tests.domain.events import (
    MINUTE,
    START,
    Timed,
    cart,
    click,
    fold_all,
    order,
    profile,
    review,
    service,
    wish,
)
from tests.domain.network import as_of
from tests.engine.harness import Bench
from tests.waiting import wait_for

SHOP = ShopSettings("shop")
PAIRS = 12
#: Seconds that anything may take on a machine with much else to do.
PATIENCE = 180.0
_TOPIC_OF = {topic.event: name for name, topic in TOPICS.items() if topic.event is not None}


class Pair:
    """A visitor and the customer they are, whose partitions differ; ``sent`` names both."""

    def __init__(self, number: int, partitions: int, start: int = START) -> None:
        self.visitor, self.customer = named_pair(number, partitions)
        at = start + number * MINUTE
        mine = [
            click(f"c1-{number}", at + 1, session_id="desk"),
            order(f"c2-{number}", at + 2, f"o{number}", "paid", "b", amount_paid=1990),
            review(f"c3-{number}", at + 3, "posted", f"o{number}", "b", rating=4),
            profile(f"c4-{number}", at + 4, "updated", region="CN-33"),
        ]
        before = [
            click(f"v1-{number}", at, session_id="phone", dwell_ms=500),
            cart(f"v2-{number}", at + 5, "add", "a", quantity=2),
            cart(f"v3-{number}", at + 6, "add", "b"),
            order(f"v4-{number}", at + 1, f"o{number}", "placed", "b"),
            wish(f"v5-{number}", at + 7, "made", f"w{number}", sku="a"),
            service(f"v6-{number}", at + 8, "inquiry", f"k{number}"),
        ]
        after = [
            click(f"v7-{number}", at + 20, session_id="phone"),
            cart(f"v8-{number}", at + 21, "remove", "a"),
        ]
        alias_at = at + 10
        said, _ = as_of(self.visitor, profile(f"alias-{number}", alias_at, "updated"))
        named = msgspec.structs.replace(said.data, action="alias", alias_of=self.customer)
        alias = (msgspec.structs.replace(said, data=named), alias_at)
        self.before = [as_of(self.visitor, made) for made in before] + [
            as_of(self.customer, made) for made in mine
        ]
        self.after = [alias, alias, *(as_of(self.visitor, made) for made in after)]
        of_one = [*mine, *before, *after, profile(f"alias-{number}", alias_at, "updated")]
        self.expected = _figures(fold_all(of_one, shop=SHOP))


def named_pair(number: int, partitions: int) -> tuple[str, str]:
    """A visitor and a customer whose partitions differ; the names, and which it is, go by ``number``."""
    home = number % partitions
    return (
        _named(f"cookie{number}-", (home + 1) % partitions, partitions),
        _named(f"customer{number}-", home, partitions),
    )


def _named(stem: str, home: int, partitions: int) -> str:
    return next(
        name
        for number in range(10_000)
        if partition_of((name := f"{stem}{number}").encode(), partitions) == home
    )


def _figures(state: CustomerState) -> dict[str, Any]:
    """All that is shown but names, what is told of arrival, and what fires when."""
    shown = describe(state, SHOP)
    for name in ("customer_id", "coupons", "duplicates", "identity", "timers"):
        del shown[name]
    return shown


def pairs(bench: Bench) -> list[Pair]:
    return [Pair(number, bench.settings.partitions) for number in range(PAIRS)]


def send(bench: Bench, made: list[Timed], shuffler: random.Random | None = None) -> None:
    """``shuffler``: in any order."""
    order_of = list(made)
    if shuffler is not None:
        shuffler.shuffle(order_of)
    for event, _ in order_of:
        send_one(bench, event)
    bench.flush()


def send_one(bench: Bench, event: CustomerEvent) -> None:
    topic = _TOPIC_OF[type(event)]
    bench.send_raw(topic, event.subject.encode(), msgspec.json.encode(event))


def told(bench: Bench) -> list[dict[str, Any]]:
    """All that a reader finds in shop.exchange."""
    return bench.read(EXCHANGE)  # type: ignore[return-value]


def state_of(bench: Bench, customer: str) -> CustomerState | None:
    number = partition_of(customer.encode(), bench.settings.partitions)
    found = bench.redis.get(bench.store.keys(number).state(f"shop/{customer}"))
    return None if found is None else decode(found)


def wait_all_processed(bench: Bench) -> None:
    """Every event, and every fact that one partition told another."""
    bench.wait_processed(PATIENCE)
    wait_for(lambda: is_level(bench), PATIENCE, "all that was told to be folded")


def is_level(bench: Bench) -> bool:
    """Whether all that was committed is published, and all that was told is folded."""
    name = bench.prefix + EXCHANGE
    folded = [
        sum(n for (topic, _), n in bench.store.counts(number).items() if topic == name)
        for number in range(bench.settings.partitions)
    ]
    return bench.is_published() and sum(folded) == len(told(bench))


def assert_handed_over(bench: Bench, made: list[Pair]) -> None:
    """Each customer has all of it once, each visitor is a mark, and each was sent whole once."""
    for pair in made:
        state = state_of(bench, pair.customer)
        assert state is not None, pair.customer
        assert _figures(state) == pair.expected, pair.customer
        mark = state_of(bench, pair.visitor)
        assert mark is not None
        assert mark.identity is not None
        assert (mark.identity.moved_to, mark.first_seen) == (pair.customer, None)
    sent = [fact["data"]["body"]["visitor"] for fact in told(bench) if _is_visitor(fact)]
    assert sorted(sent) == sorted(pair.visitor for pair in made)
    names = [(fact["source"], fact["id"]) for fact in told(bench)]
    assert len(set(names)) == len(names)


def _is_visitor(fact: dict[str, Any]) -> bool:
    return bool(fact["data"]["body"]["type"] == "visitor")
