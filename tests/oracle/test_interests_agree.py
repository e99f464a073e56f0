"""A customer's interests: the domain shows what the oracle expects, in any order and with repeats."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from tests.oracle.decoding import decoded
from tests.oracle.described import described_interests
from tests.oracle.events import CARTS, CLICKS, ORDERS, Published, distinct
from tests.oracle.interests import interests

START = datetime(2026, 3, 1, tzinfo=UTC)
TYPES = {CLICKS: "shop.click.v1", CARTS: "shop.cart.v1", ORDERS: "shop.order.v1"}
SHOP = ShopSettings("s")
Entry = tuple[str, int, dict[str, Any]]

#: Within a session, days apart, and periods apart: minutes. With two sources and sessions these make no
#: more than the 16 touches that are kept.
MINUTES = st.sampled_from([0, 1, 2, 29, 30, 31, 1_440, 20_160, 60_000, 250_000])
SKUS = st.sampled_from(["A", "B", "C"])
CATEGORIES = st.sampled_from(["tea", "cups", "茶"])
PRICES = st.sampled_from([0, 7, 1_990, 99_999, 10**12])

clicks: st.SearchStrategy[Entry] = st.builds(
    lambda at, action, said: (CLICKS, at, {"action": action, **said}),
    MINUTES,
    st.sampled_from(["view", "view", "search", "favorite", "unfavorite", "share", "ask", "game_play"]),
    st.fixed_dictionaries(
        {},
        optional={
            "sku": SKUS, "category": CATEGORIES, "price": PRICES,
            "dwell_ms": st.sampled_from([0, 20_000, 60_001]),
            "keyword": st.sampled_from(["jade", " jade", "tea set", " "]), "page": st.just("home"),
            "session_id": st.sampled_from(["s1", "s2"]),
            "traffic_source": st.sampled_from(["search", "live"]),
            "channel": st.sampled_from(["app", "web", "store"]),
            "region": st.sampled_from(["CN-33", "CN-31"]),
            "device_hash": st.sampled_from(["d1", "d2"]),
            "shared_by": st.sampled_from(["c", "friend", "aunt"]),
        },
    ),
)  # fmt: skip
carts: st.SearchStrategy[Entry] = st.builds(
    lambda at, action, sku, said: (CARTS, at, {"action": action, "sku": sku, **said}),
    MINUTES, st.sampled_from(["add", "add", "remove"]), SKUS,
    st.fixed_dictionaries(
        {}, optional={"category": CATEGORIES, "unit_price": PRICES, "channel": st.just("miniapp")}
    ),
)  # fmt: skip
lines = st.fixed_dictionaries(
    {"sku": SKUS}, optional={"category": CATEGORIES, "unit_price": PRICES}
)
orders: st.SearchStrategy[Entry] = st.builds(
    lambda at, order_id, status, goods, said: (
        ORDERS, at, {"order_id": order_id, "status": status, "lines": goods, **said},
    ),
    MINUTES, st.sampled_from(["o1", "o2"]), st.sampled_from(["placed", "paid", "received"]),
    st.lists(lines, max_size=3),
    st.fixed_dictionaries({}, optional={"region": st.sampled_from(["CN-33", "CN-31"])}),
)  # fmt: skip
ENTRIES = st.lists(st.one_of(clicks, clicks, clicks, carts, orders), min_size=1, max_size=24)


def _published(number: int, entry: Entry) -> Published:
    topic, minute, data = entry
    value = {
        "specversion": "1.0", "type": TYPES[topic], "id": f"{number * 7 % 10}-{number}",
        "source": "test", "subject": "c", "time": (START + timedelta(minutes=minute)).isoformat(),
        "data": {"shop_id": "s", **data},
    }  # fmt: skip
    return Published(topic, "c", value)


def _folded(published: list[Published]) -> CustomerState:
    state = new_state("s", "c")
    for item in decoded(published):
        fold(state, item.event, item.time_ms, SHOP)
    return state


@settings(max_examples=300, deadline=None, phases=set(Phase) - {Phase.explain})
@given(ENTRIES, st.integers(0, 200), st.randoms(use_true_random=False))
def test_in_any_order_with_duplicates(
    entries: list[Entry], days: int, shuffler: random.Random
) -> None:
    published = [_published(number, entry) for number, entry in enumerate(entries)]
    # Of two events with one natural key and different contents the first to arrive counts.
    events, _ = distinct(published)
    kept = {event.id for event in events}
    published = [one for one in published if one.value["id"] in kept]
    now = max(event.time for event in events) + days * 86_400_000
    expected = interests(events, "c", now)
    shuffled = published + published[: len(published) // 2]
    shuffler.shuffle(shuffled)
    assert described_interests(_folded(published), now) == expected
    assert described_interests(_folded(shuffled), now) == expected
