"""Who brought whom, asked as the command asks it, against the events; and of states in a real Redis."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from streams.cli.main import app
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings, day_of_date
from streams.domain.state import CustomerState, new_state
from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.model import Asked, Row
from streams.reports.period import Period
from streams.reports.registry import REPORTS
from streams.settings import Settings
from streams.state.days import Place, StoredDay, load_days
from streams.state.keys import PartitionKeys
from tests.oracle.decoding import decoded
from tests.oracle.events import CLICKS, ORDERS, PROFILES, Published
from tests.reports.traffic_histories import FIRST, ZONE, told
from tests.segments.people import put

LAST = FIRST.replace(day=2)
_customers = st.sampled_from("abcd")
_hours = st.sampled_from([-1, 1, 2, 25, 26, 49])
_clicks = st.builds(
    lambda at, who, data: told(CLICKS, at, who, **data),
    _hours, _customers,
    st.one_of(
        st.fixed_dictionaries({"action": st.just("view"), "shared_by": _customers}),
        st.just({"action": "share", "sku": "p"}),
    ),
)  # fmt: skip
_orders = st.builds(
    # Of one order only the first payment to be folded counts.
    lambda at, who: told(ORDERS, at, who, order_id=f"at {at}", status="paid"),
    _hours, _customers,
)  # fmt: skip


def states_of(events: Sequence[Published]) -> list[CustomerState]:
    shop, found = ShopSettings("s", ZONE), dict[str, CustomerState]()
    for item in decoded(events):
        state = found.setdefault(item.event.subject, new_state("s", item.event.subject))
        fold(state, item.event, item.time_ms, shop)
    return list(found.values())


def rows(
    store: Database, states: Sequence[CustomerState], limit: int = 20, compare: Any = None
) -> list[Row]:
    asked = Asked(
        "s", Period(FIRST, LAST, ZONE), "customer", limit=limit, states=lambda: iter(states)
    )
    with store.reading() as connection:
        return [line.row for line in answer(connection, REPORTS["sharing"], asked, compare).lines]


def numbers(row: Row) -> tuple[Any, ...]:
    return tuple(row.values[name].number for name in ("brought", "brought_buyers", "shares_ever"))


def hour_of(event: Published) -> float:
    """Hours after FIRST began on the shop's clock, which was 16:00 UTC of the day before."""
    day, clock = event.value["time"].split("T")
    days = {"2026-02-28": -16, "2026-03-01": 8, "2026-03-02": 32}[day]
    return days + int(clock[:2])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(st.one_of(_clicks, _clicks, _orders), max_size=14),
    shuffler=st.randoms(use_true_random=False),
)
def test_who_brought_whom_is_what_the_events_tell(
    store: Database, events: list[Published], shuffler: random.Random
) -> None:
    firsts: dict[str, dict[str, float]] = {}
    for event in events:
        sharer = event.value["data"].get("shared_by")
        if sharer is not None and sharer != event.key:
            own = firsts.setdefault(event.key, {})
            own[sharer] = min(hour_of(event), own.get(sharer, 1e9))
    brought: dict[str, set[str]] = {}
    buyers: dict[str, set[str]] = {}
    for customer, own in firsts.items():
        for hour, sharer in sorted((hour, sharer) for sharer, hour in own.items())[:2]:
            if 0 <= hour < 48:
                brought.setdefault(sharer, set()).add(customer)
                paid = [hour_of(e) for e in events if e.topic == ORDERS and e.key == customer]
                if any(at // 24 >= hour // 24 for at in paid):
                    buyers.setdefault(sharer, set()).add(customer)
    shares = {
        who: sum(e.key == who and e.value["data"].get("action") == "share" for e in events)
        for who in "abcd"
    }
    again = [*events, *events[: len(events) // 2]]
    shuffler.shuffle(again)
    states = states_of(again)
    # A walk may meet a state twice.
    whole, *parts = rows(store, [*states, *states[:2]])
    assert {row.key: numbers(row) for row in parts} == {
        who: (len(brought.get(who, ())), len(buyers.get(who, ())), shares[who])
        for who in "abcd"
        if who in brought or shares[who]
    }
    everybody = set().union(*brought.values())
    assert numbers(whole)[:2] == (len(everybody), len(set().union(*buyers.values())))
    assert numbers(whole)[2] == sum(shares.values())
    _, *one = rows(store, states, limit=1)
    if len(parts) > 1:
        assert [row.kind for row in one] == ["part", "others"]
        hidden = [row.key or "" for row in parts[1:]]
        assert numbers(one[1])[0] == len(set().union(*(brought.get(who, set()) for who in hidden)))


def came(who: str, by: str, at: float = 1) -> Published:
    return told(CLICKS, at, who, action="view", shared_by=by)


def test_an_erased_sharer_has_no_name_and_an_erased_customer_bought_nothing(
    store: Database,
) -> None:
    events = [
        came("a", "gone"), came("b", "gone"), came("b", "d"), came("c", "d"),
        told(CLICKS, 1, "gone", action="share"), told(ORDERS, 2, "c", order_id="o", status="paid"),
    ]  # fmt: skip
    named = {row.key: numbers(row) for row in rows(store, states_of(events))[1:]}
    assert named == {"gone": (2, 0, 1), "d": (2, 1, 0)}
    erased = [told(PROFILES, 5, who, action="erase") for who in ("gone", "c")]
    found = rows(store, states_of([*events, *erased]))
    assert [(row.kind, row.key, numbers(row)) for row in found] == [
        ("whole", None, (2, 0, 0)), ("part", "d", (1, 0, 0)), ("part", None, (2, 0, 0)),
    ]  # fmt: skip
    before = rows(store, states_of([*events, *erased]), compare="previous")
    assert [(row.kind, row.key) for row in before] == [
        ("whole", None), ("part", "d"), ("part", None), ("others", None),
    ]  # fmt: skip


def test_without_states_it_is_not_known(store: Database) -> None:
    asked = Asked("s", Period(FIRST, LAST, ZONE), "customer")
    with store.reading() as connection:
        (line,) = answer(connection, REPORTS["sharing"], asked).lines
    assert line.row.values["brought"].why == "the customers' states were not read"


@pytest.fixture
def huitou(
    store: Database, redis_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    monkeypatch.setenv("HUITOU_QUERY_STORE", str(store.url))
    monkeypatch.setenv("HUITOU_TOPIC_PREFIX", "elsewhere.")
    monkeypatch.setenv("HUITOU_REDIS_PREFIX", prefix)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("REDIS_URL", redis_url)

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(app, ["report", *arguments])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


def test_the_command_walks_over_the_states_in_redis(
    huitou: Callable[..., Any], redis_url: str
) -> None:
    client, stack = redis.Redis.from_url(redis_url), Settings()
    shared = told(CLICKS, 1, "d", action="share")
    other = told(CLICKS, 1, "x", action="view", shared_by="d", shop_id="other")
    for state in states_of([came("a", "d"), came("b", "d", 26), came("c", "a", 49), shared]):
        put(client, stack, state)
    stranger = new_state("other", "x")
    fold(stranger, decoded([other])[0].event, 1_772_300_000_000, ShopSettings("other"))
    put(client, stack, stranger)
    visited = Place("s", day_of_date(FIRST)), StoredDay({"visits": 3})
    load_days(client, PartitionKeys(stack.redis_prefix, 0), {"s": 0}, [visited])
    client.close()
    said = huitou(
        "sharing", "--shop", "s", "--from", str(FIRST), "--to", str(LAST), "--by", "customer",
        "--time-zone", ZONE, "--currency", "CNY", "--json",
    )  # fmt: skip
    names = ("brought", "brought_buyers", "shares_ever")
    found = [
        (row["row"], row["key"], *(row["figures"][name] for name in names)) for row in said["rows"]
    ]
    assert found == [("whole", None, 2, 0, 1), ("part", "d", 2, 0, 1)]
    assert said["rows"][1]["why"]["shared_visits"].startswith("counted without names")
