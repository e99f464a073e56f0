"""Every customer of a shop once: from a real Redis, one server or a cluster, through a file."""

from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from streams.local.redis_cluster import RedisCluster
from streams.segments.members import Member, member
from streams.segments.recalibration import changes, recalibrated
from streams.segments.spool import Measure, Spool
from streams.settings import Settings
from streams.state.connection import connect
from streams.state.population import population, watermarks
from tests.domain.events import DAY, START
from tests.segments.people import SHOP, customer, put, set_clock


def fill(client: Any, settings: Settings, count: int) -> set[str]:
    names = {f"c{number}/龙*" for number in range(count)}
    for name in names:
        put(client, settings, customer(name, []))
        put(client, settings, customer(name, [], "shop2"))
    return names


def test_a_shop_s_customers_are_read_and_nobody_else_s(settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis_url) as client:
        # More than one round trip, in every partition.
        names = fill(client, settings, 1_100)
        put(client, settings.model_copy(update={"redis_prefix": "x" + settings.redis_prefix}),
            customer("stranger", []))  # fmt: skip
        read = [state.customer_id for state in population(client, settings, "shop")]
        assert set(read) == names
        assert list(population(client, settings, "sho*")) == []


@pytest.mark.long
def test_a_cluster_s_too(redis_cluster: RedisCluster, settings: Settings) -> None:
    first = redis_cluster.nodes[0].port
    with redis.RedisCluster(host="127.0.0.1", port=first) as writer:
        names = fill(writer, settings, 60)
        set_clock(writer, settings, 3, START)
    with connect(redis_cluster.url) as client:
        assert {state.customer_id for state in population(client, settings, "shop")} == names
        assert watermarks(client, settings)[3] == START


people = st.lists(
    st.tuples(
        st.sampled_from("abcdefghij"),
        st.lists(
            st.tuples(st.integers(0, 400), st.none() | st.integers(0, 10**6)), max_size=6
        ),
    ),
    max_size=30,
)  # fmt: skip


def judged(name: str, orders: list[tuple[int, int | None]]) -> Member:
    return member(customer(name, orders), SHOP, START + 400 * DAY)


@given(people)
def test_who_is_met_twice_is_there_once_as_met_last(
    drawn: list[tuple[str, list[tuple[int, int | None]]]],
) -> None:
    met = [judged(name, orders) for name, orders in drawn]
    wanted = {one.customer_id: one for one in met}
    with Spool() as spool:
        spool.add(met)
        assert list(spool) == [wanted[name] for name in sorted(wanted)]
        assert len(spool) == len(wanted)
        scored = [one.rfm for one in wanted.values() if one.rfm.scored]
        measures: tuple[Measure, ...] = ("recency_days", "orders")
        for measure in measures:
            known = sorted(getattr(one, measure) for one in scored)
            assert [v for v, n in spool.counted(measure) for _ in range(n)] == known
        amounts = sorted(
            one.amount for one in scored if one.m is not None and one.amount is not None
        )
        assert [v for v, n in spool.counted("amount") for _ in range(n)] == amounts


@given(people)
def test_what_would_change_is_counted(
    drawn: list[tuple[str, list[tuple[int, int | None]]]],
) -> None:
    some = {name: judged(name, orders) for name, orders in drawn}
    found = changes(some.values(), SHOP.rfm)
    # By the thresholds in force nobody changes.
    assert (found.r, found.f, found.m, found.segment) == (0, 0, 0, 0)
    assert found.before == found.after
    assert found.customers == len(some)
    with Spool() as spool:
        spool.add(some.values())
        if min(spool.known("recency_days"), spool.known("orders"), spool.known("amount")) < 5:
            return
        new = recalibrated(spool)
        told = changes(spool, new)
    again = [
        (one, judged_by(one.customer_id, dict(drawn)[one.customer_id], new))
        for one in some.values()
    ]
    assert told.segment == sum(a.segment != b.segment for a, b in again)
    assert told.m == sum(a.rfm.m != b.rfm.m for a, b in again)


def judged_by(name: str, orders: list[tuple[int, int | None]], new: object) -> Member:
    shop = type(SHOP)(SHOP.shop_id, SHOP.time_zone, SHOP.currency, new)  # type: ignore[arg-type]
    return member(customer(name, orders), shop, START + 400 * DAY)
