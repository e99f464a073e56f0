"""Aggregates are the same in memory, in Redis, in a Redis Cluster and in the simulation's Redis."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.clock import WALL
from schemas.journal import GENESIS, ClockState
from streams.domain.aggregated import (
    EXACT_MEMBERS,
    MAX_FIELDS,
    MAX_SETS,
    MAX_SUM,
    Aggregates,
    AggregatesInMemory,
    Coverage,
    PartitionAggregates,
)
from streams.domain.aggregates.names import CLOSED
from streams.domain.increments import Increments, member_of
from streams.engine.commit import Position, Stamp
from streams.engine.process import PartitionProcessor
from streams.state.aggregates import RedisAggregates
from streams.state.codec import CODEC_VERSION
from streams.state.connection import connect
from streams.state.days import Place, increments_of, read_days, read_places
from streams.state.increments import pack_increments
from streams.state.redis_store import RedisStore, Refused
from streams.state.script import Script
from tests.simulation.memory_redis import MemoryClient, MemoryRedis, MemoryStore

PARTITIONS = 2
START = Position(0, GENESIS)
DAY_MS = 86_400_000
DAYS = range(500, 600)
TODAY = 511


class Writer:
    """Commits increments one after another, each by the store of the implementation under test."""

    def __init__(self, store: RedisStore | None) -> None:
        self.store = store
        self.memory = [PartitionAggregates() for _ in range(PARTITIONS)]
        self._positions = [START] * PARTITIONS
        if store is not None:
            store.load_scripts()
            for number in range(PARTITIONS):
                store.claim(number, 1, "member")

    def commit(self, number: int, increments: Increments, watermark: int = TODAY * DAY_MS) -> Any:
        self.memory[number].apply(increments)
        if self.store is None:
            return None
        position = self._positions[number]
        stamp = Stamp(
            1, ClockState(WALL, 1, 0, 1.0, watermark), 1, {}, "b", CODEC_VERSION, "c", "1"
        )
        commit = _PROCESSOR.stand(position).finish(stamp)
        commit.increments, commit.added = increments, pack_increments(increments)
        result = self.store.commit([(number, 1, position, commit)])[0]
        if not isinstance(result, Refused):
            self._positions[number] = commit.position
        return result


_PROCESSOR = PartitionProcessor(
    0,
    None,
    None,
    triggers_topic="triggers",
    verdicts_topic="verdicts",
    decisions_topic="decisions",
    deadletters_topic="dead",  # type: ignore[arg-type]
    exchange_topic="exchange",
    partitions=1,
)


@dataclass
class _ReaderSettings:
    redis_prefix: str
    partitions: int = PARTITIONS


@dataclass
class Deployed:
    """One implementation, and a client that looks behind it."""

    writer: Writer
    read: Aggregates
    client: Any
    prefix: str


@pytest.fixture(params=["in memory", "redis", "cluster", "simulation"])
def deployed(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    prefix = request.getfixturevalue("prefix")
    if request.param == "in memory":
        writer = Writer(None)
        read = AggregatesInMemory(writer.memory, TODAY * DAY_MS)
        yield Deployed(writer, read, None, prefix)
        return
    client: Any
    if request.param == "simulation":
        client = MemoryClient(MemoryRedis())
        store: RedisStore = MemoryStore(client, prefix)
    else:
        cluster = request.param == "cluster"
        url = (
            request.getfixturevalue("redis_cluster").url
            if cluster
            else request.getfixturevalue("redis_url")
        )
        client, store = connect(url), RedisStore(url, prefix)
    read = RedisAggregates(client, _ReaderSettings(prefix))
    yield Deployed(Writer(store), read, client, prefix)
    store.close()
    client.close()


def added(*changes: tuple[str, int, str, int], seen: Sequence[str] = ()) -> Increments:
    """Sums of these (shop, day, field, amount), each customer ``seen`` in a set of each field."""
    made = Increments()
    for shop, day, field, amount in changes:
        made.add(shop, day, field, amount)
        for customer in seen:
            made.see(shop, day, field, member_of(customer))
    return made


def test_partitions_and_commits_add_up(deployed: Deployed) -> None:
    commit, read = deployed.writer.commit, deployed.read
    commit(0, added(("shop", 510, "x", 5), ("shop", 511, "x", 1), seen=["anna", "berta"]))
    commit(0, added(("shop", 510, "x", -7), ("shop", 510, "y", 1), seen=["anna"]))
    commit(1, added(("shop", 510, "x", 10), ("other", 510, "x", 3), seen=["carl"]))
    assert read.counts("shop", DAYS) == {510: {"x": 8, "y": 1}, 511: {"x": 1}}
    assert read.counts("other", DAYS) == {510: {"x": 3}}
    assert read.counts("nobody's", DAYS) == {}
    assert read.names("shop", DAYS) == ["x", "y"]
    found = read.distinct("shop", DAYS, ["x", "y", "none"])
    assert {name: one.number for name, one in found.items()} == {"x": 3, "y": 1, "none": 0}
    assert all(one.exact and one.error == 0.0 for one in found.values())
    daily = read.distinct_by_day("shop", range(509, 512), ["x"])
    assert [daily[day]["x"].number for day in range(509, 512)] == [0, 3, 2]
    assert read.coverage("shop", DAYS) == Coverage(TODAY * DAY_MS, TODAY - 400, None)


def test_many_members_are_estimated_with_an_error(deployed: Deployed) -> None:
    """Over the bound in one partition only, and read together with what is exact."""
    names = [f"c{number}" for number in range(3_000)]
    for first in range(0, 2_000, 300):
        deployed.writer.commit(
            0, added(("shop", 510, "x", 1), seen=names[first : min(first + 300, 2_000)])
        )
    deployed.writer.commit(1, added(("shop", 511, "x", 1), seen=names[2_900:]))
    deployed.writer.commit(
        1, added(("shop", 510, "x", 1), seen=names[2_000 : 2_000 + EXACT_MEMBERS])
    )
    expected = AggregatesInMemory(deployed.writer.memory)
    days = range(510, 512)
    found = deployed.read.distinct("shop", days, ["x"])["x"]
    assert found == expected.distinct("shop", days, ["x"])["x"]
    assert not found.exact
    assert found.number == pytest.approx(2_100 + EXACT_MEMBERS, rel=4 * found.error)
    daily = deployed.read.distinct_by_day("shop", days, ["x"])
    assert daily == expected.distinct_by_day("shop", days, ["x"])
    assert daily[511]["x"].exact


def test_the_bounds_hold_and_are_told(deployed: Deployed) -> None:
    first, later = Increments(), Increments()
    for number in range(MAX_FIELDS):
        first.add("shop", 510, f"f|x|{number}", 1)
    for number in range(MAX_SETS):
        first.see("shop", 510, f"s|x|{number}", member_of("anna"))
    first.add("shop", 511, "x", MAX_SUM)
    deployed.writer.commit(0, first)
    assert deployed.read.coverage("shop", DAYS).cut == frozenset()
    later.add("shop", 510, "f|x|0", 1)
    later.add("shop", 510, "o|x|one more", 1)
    later.see("shop", 510, "s|x|0", member_of("berta"))
    later.see("shop", 510, "o|x|one more", member_of("anna"))
    later.add("shop", 511, "x", 1)
    for always in ("whole", "whole|hour|08"):
        later.add("shop", 510, always, 1)
        later.see("shop", 510, always, member_of("anna"))
    deployed.writer.commit(0, later)
    read = deployed.read
    counts = read.counts("shop", DAYS)
    assert (len(counts[510]), counts[510]["f|x|0"], counts[511]["x"]) == (
        MAX_FIELDS + 2,
        2,
        MAX_SUM,
    )
    assert len(read.names("shop", DAYS)) == MAX_SETS + 2
    assert read.distinct("shop", DAYS, ["s|x|0", "o|x|one more"])["s|x|0"].number == 2
    assert read.coverage("shop", DAYS).cut == {510, 511}


def test_what_is_older_is_dropped_and_stays_so(deployed: Deployed) -> None:
    commit, read = deployed.writer.commit, deployed.read
    commit(0, added(*[("shop", day, "x", 1) for day in (110, 111, 510)], seen=["anna"]))
    commit(1, added(("shop", 111, "x", 1), ("other", 110, "x", 1), seen=["carl"]))
    assert read.counts("shop", range(100, 120)) == {110: {"x": 1}, 111: {"x": 2}}
    # The newest day of one partition drops of all what it has dropped itself.
    commit(0, added(("shop", 511, "x", 1), ("shop", 110, "x", 4)))
    commit(0, added(("shop", 110, "x", 1), ("shop", 111, "x", 2), seen=["berta"]))
    assert read.counts("shop", range(100, 120)) == {111: {"x": 4}}
    assert read.distinct("shop", range(100, 120), ["x"])["x"].number == 3
    assert read.coverage("shop", range(100, 120)).kept_from == 111
    assert read.counts("other", range(100, 120)) == {110: {"x": 1}}
    if deployed.client is not None and deployed.writer.store is not None:
        keys = deployed.writer.store.keys(0)
        places = [Place("shop", day) for day in (111, 510, 511)]
        assert read_places(deployed.client, keys) == places
        (dropped,) = read_days(deployed.client, keys, [Place("shop", 110)]).days
        assert not dropped


def test_a_place_is_made_again_from_what_was_read(deployed: Deployed) -> None:
    """As a snapshot and another generation carry it."""
    if deployed.client is None:
        return
    store, commit = deployed.writer.store, deployed.writer.commit
    assert store is not None
    crowd = [f"c{number}" for number in range(EXACT_MEMBERS + 1)]
    commit(0, added(("shop", 510, "x", 5), ("shop", 510, "y", 1), seen=["anna"]))
    commit(0, added(("shop", 510, "y", 1), seen=crowd))
    place = Place("shop", 510)
    (day,) = read_days(deployed.client, store.keys(0), [place]).days
    commit(1, increments_of(place, day))
    (again,) = read_days(deployed.client, store.keys(1), [place]).days
    assert again == day
    commit(1, added(("shop", 510, "y", 1), seen=["anna"]))
    (more,) = read_days(deployed.client, store.keys(1), [place]).days
    assert more.sums == {"x": 5, "y": 3}


@pytest.mark.parametrize("spoil", ["key", "fields", "text"])
def test_a_malformed_increment_writes_nothing(deployed: Deployed, spoil: str) -> None:
    store = deployed.writer.store
    if store is None:
        return
    increments = added(("shop", 510, "x", 1), seen=["anna"])
    position = START
    stamp = Stamp(1, ClockState(WALL, 1, 0, 1.0, 0), 1, {}, "b", CODEC_VERSION, "c", "1")
    commit = _PROCESSOR.stand(position).finish(stamp)
    packed = pack_increments(increments)
    commit.added = {
        "key": packed._replace(keys=packed.keys[:-1]),
        "fields": packed._replace(keys=[*packed.keys, "set:shop/510/z"]),
        "text": packed._replace(data=b"", keys=packed.keys),
    }[spoil]
    commit.states["shop/anna"] = b"state"
    result = store.commit([(0, 1, position, commit)])[0]
    assert isinstance(result, Refused)
    assert store.stored(0).exists is False
    assert read_places(deployed.client, store.keys(0)) == []


def test_a_foreign_value_in_the_place_of_a_set_is_refused(redis_url: str, prefix: str) -> None:
    client = redis.Redis.from_url(redis_url)
    store = RedisStore(redis_url, prefix)
    client.set(store.keys(0).set("shop", 510, "x"), "text")
    writer = Writer(store)
    assert isinstance(writer.commit(0, added(("shop", 510, "x", 1), seen=["anna"])), Refused)
    assert not client.exists(store.keys(0).sums("shop", 510))
    store.close()


_commits = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(["shop", "other"]),
            st.integers(510, 512),
            st.sampled_from("xy"),
            st.integers(-3, 3),
            st.sampled_from([0, 1, 5, EXACT_MEMBERS, EXACT_MEMBERS + 1]),
        ),
        max_size=6,
    ),
    max_size=5,
)


@settings(
    max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(commits=_commits, number=st.integers(0, 10**9))
def test_redis_makes_of_commits_what_memory_does(
    redis_url: str, prefix: str, commits: list[list[Any]], number: int
) -> None:
    """Any commits, in the real script, in the simulation's and in memory."""
    name = f"{prefix}{number}:"
    server = MemoryRedis()
    pairs: list[tuple[RedisStore, Any]] = [
        (RedisStore(redis_url, name), connect(redis_url)),
        (MemoryStore(MemoryClient(server), name), MemoryClient(server)),
    ]
    for key in pairs[0][1].scan_iter(match=f"{name}*"):
        pairs[0][1].delete(key)
    writers = [Writer(store) for store, _ in pairs]
    for changes in commits:
        increments = [Increments(), Increments()]
        for partition, shop, day, field, amount, crowd in changes:
            increments[partition].add(shop, day, field, amount)
            for customer in range(crowd):
                increments[partition].see(shop, day, field, member_of(str(customer)))
        for writer in writers:
            for partition in (0, 1):
                writer.commit(partition, increments[partition])
    expected = AggregatesInMemory(writers[0].memory)
    for store, client in pairs:
        read = RedisAggregates(client, _ReaderSettings(name))
        for shop in ("shop", "other"):
            assert _all(read, shop) == _all(expected, shop)
        store.close()
        client.close()


def _all(read: Aggregates, shop: str) -> object:
    days = range(510, 513)
    asked: list[Callable[[], object]] = [
        lambda: read.counts(shop, days),
        lambda: read.names(shop, days),
        lambda: read.distinct(shop, days, ["x", "y"]),
        lambda: read.distinct_by_day(shop, days, ["x", "y"]),
    ]
    return [one() for one in asked]


def test_a_stack_that_is_older_than_its_aggregates_says_since_when(
    redis_url: str, prefix: str
) -> None:
    client, store = redis.Redis.from_url(redis_url), RedisStore(redis_url, prefix)
    writer, read = Writer(store), RedisAggregates(client, _ReaderSettings(prefix))
    assert read.coverage("shop", DAYS) == Coverage(None, 0, None)
    writer.commit(0, added(("shop", 510, "x", 1)), 5)
    writer.commit(1, added(("shop", 510, "x", 1)), 9)
    assert read.coverage("shop", DAYS) == Coverage(5, 110, None)
    # As a build without aggregates leaves it.
    client.hdel(store.keys(0).meta, "aggregated_from", "aggregated_since")
    assert read.coverage("shop", DAYS) == Coverage(5, 110, 5)
    writer.commit(0, added(("shop", 510, "x", 1)), 7)
    writer.commit(0, added(("shop", 510, "x", 1)), 8)
    assert read.coverage("shop", DAYS) == Coverage(8, 110, 7)
    store.close()
    client.close()


def test_the_script_s_bounds_and_dimensions_are_those_of_the_domain() -> None:
    text = Script("aggregates").text
    (bounds,) = re.findall(r"local EXACT_MEMBERS, MAX_FIELDS, MAX_SETS, MAX_SUM = ([\d, ]+)", text)
    wanted = [EXACT_MEMBERS, MAX_FIELDS, MAX_SETS, MAX_SUM]
    assert [int(each) for each in bounds.split(",")] == wanted
    (closed,) = re.findall(r"local CLOSED = \{([^}]*)\}", text)
    assert set(re.findall(r"(\w+) = true", closed)) == CLOSED
