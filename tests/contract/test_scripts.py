"""The scripts: all or nothing, and only for whoever stands where Redis stands.

On a real Redis, on a real Redis Cluster, and on the Redis in memory that tests/simulation uses instead.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from schemas.clock import WALL
from schemas.journal import GENESIS, ClockState
from streams.domain.state import new_state
from streams.engine.commit import Commit, OutRow, Position, Stamp
from streams.engine.process import PartitionProcessor
from streams.state.codec import CODEC_VERSION, encode
from streams.state.redis_store import Held, RedisStore, Refused
from tests.simulation.memory_redis import MemoryClient, MemoryRedis, MemoryStore

EPOCH = 7
START = Position(0, GENESIS)
STAMP = Stamp(EPOCH, ClockState(WALL, 1, 0, 1.0, 1), 1, {}, "build", CODEC_VERSION, "config", "1")


#: A redis.Redis, or what stands in for one.
Client = Any


@pytest.fixture(params=["redis", "cluster", "memory"])
def client(request: pytest.FixtureRequest) -> Client:
    if request.param == "memory":
        return MemoryClient(MemoryRedis())
    if request.param == "cluster":
        port = request.getfixturevalue("redis_cluster").nodes[0].port
        return redis.RedisCluster(host="127.0.0.1", port=port)
    return redis.Redis.from_url(request.getfixturevalue("redis_url"))


@pytest.fixture
def store(client: Client, request: pytest.FixtureRequest) -> Iterator[RedisStore]:
    prefix = request.getfixturevalue("prefix")
    if isinstance(client, MemoryClient):
        store: RedisStore = MemoryStore(client, prefix)
    elif isinstance(client, redis.RedisCluster):
        store = RedisStore(request.getfixturevalue("redis_cluster").url, prefix)
    else:
        store = RedisStore(request.getfixturevalue("redis_url"), prefix)
    store.load_scripts()
    store.claim(0, EPOCH, "member")
    yield store
    store.close()


def commit_of(position: Position, *customers: str, rows: int = 1, due: int | None = None) -> Commit:
    """A commit by hand: as the processor makes them, but for its states."""
    commit = _PROCESSOR.stand(position).finish(STAMP)
    for customer in customers:
        commit.states[f"shop/{customer}"] = encode(new_state("shop", customer))
        commit.timers[f"shop/{customer}"] = due
    commit.rows.extend(OutRow("t", 0, b"k", b"v", 1, "") for _ in range(rows))
    commit.vector["topic"] = position.seq + 10
    commit.counts["topic", "applied"] = 3
    return commit


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


def run(store: RedisStore, position: Position, commit: Commit, epoch: int = EPOCH) -> object:
    return store.commit([(0, epoch, position, commit)])[0]


def everywhere(client: Client) -> dict[str, Any]:
    """redis-py asks some of a cluster's commands of one node only, unless told otherwise."""
    cluster = isinstance(client, redis.RedisCluster)
    return {"target_nodes": redis.RedisCluster.PRIMARIES} if cluster else {}


def everything(client: Client, prefix: str) -> dict[bytes, bytes]:
    return {key: client.dump(key) for key in client.scan_iter(match=f"{prefix}*")}


def test_a_commit_writes_everything_it_says(store: RedisStore) -> None:
    commit = commit_of(START, "anna", "berta", due=5_000)
    assert run(store, START, commit) == 5_000
    stored = store.stored(0)
    assert stored.position == commit.position
    assert stored.vector == {"topic": 10}
    assert stored.next_due == 5_000
    assert store.counts(0) == {("topic", "applied"): 3}
    assert store.load_states({0: ["shop/anna", "shop/none"]})[0].keys() == {"shop/anna"}
    (entry,) = store.outbox(0, 0, 10)
    assert (entry.seq, entry.row, len(entry.rows)) == (1, commit.row, 1)
    assert store.due(0, 5_000, 1) == [("shop/anna", 5_000)]


def test_a_commit_removes_states_and_their_timers(store: RedisStore) -> None:
    first = commit_of(START, "anna", "berta", "carla", due=5_000)
    run(store, START, first)
    second = commit_of(first.position, "carla", due=7_000)
    second.expired = ["shop/anna", "shop/berta"]
    second.timers |= dict.fromkeys(second.expired)
    assert run(store, first.position, second) == 7_000
    names = ["shop/anna", "shop/berta", "shop/carla"]
    assert store.load_states({0: names})[0].keys() == {"shop/carla"}
    assert store.due(0, 9_000, 9) == [("shop/carla", 7_000)]
    # Refused, it removes nothing.
    third = commit_of(first.position)
    third.expired = ["shop/carla"]
    assert isinstance(run(store, first.position, third), Refused)
    assert store.load_states({0: names})[0].keys() == {"shop/carla"}


def test_more_states_than_one_mset_takes(store: RedisStore) -> None:
    names = [f"c{number}" for number in range(2_500)]
    run(store, START, commit_of(START, *names))
    assert len(store.load_states({0: [f"shop/{name}" for name in names]})[0]) == 2_500


@pytest.mark.parametrize(
    ("seq", "same_chain", "epoch", "reason"),
    [
        pytest.param(0, False, EPOCH, "sequence", id="behind"),
        pytest.param(2, True, EPOCH, "sequence", id="ahead"),
        pytest.param(1, False, EPOCH, "sequence", id="another lineage at the same seq"),
        pytest.param(1, True, EPOCH - 1, "epoch", id="an owner of the past"),
        pytest.param(1, True, EPOCH + 1, "epoch", id="an owner without a claim"),
    ],
)
def test_who_stands_elsewhere_is_refused_and_nothing_is_written(
    store: RedisStore,
    client: Client,
    prefix: str,
    seq: int,
    same_chain: bool,
    epoch: int,
    reason: str,
) -> None:
    first = commit_of(START, "anna")
    run(store, START, first)
    before = everything(client, prefix)
    position = Position(seq, first.position.chain if same_chain else bytes(range(16)))
    result = run(store, position, commit_of(position, "berta"), epoch)
    assert isinstance(result, Refused)
    assert result.reason == reason
    assert everything(client, prefix) == before


def test_an_older_writer_of_states_is_refused(store: RedisStore, client: Client) -> None:
    client.hset(store.keys(0).meta, "codec_min", CODEC_VERSION + 1)
    result = run(store, START, commit_of(START, "anna"))
    assert isinstance(result, Refused)
    assert result.reason == "codec"


def test_a_malformed_commit_writes_nothing(store: RedisStore, client: Client, prefix: str) -> None:
    commit = commit_of(START, "anna")
    commit.timers["shop/anna"] = "soon"  # type: ignore[assignment]
    before = everything(client, prefix)
    assert isinstance(run(store, START, commit), Refused)
    assert everything(client, prefix) == before


def test_scripts_that_redis_forgot_are_loaded_and_run(store: RedisStore, client: Client) -> None:
    client.script_flush()
    assert not isinstance(run(store, START, commit_of(START, "anna")), Refused)
    client.script_flush()
    store.trim_many([(0, EPOCH, 1)])
    assert store.stored(0).trimmed == 1


def test_claims_only_rise(store: RedisStore) -> None:
    assert store.claim(0, EPOCH, "member").position == START
    with pytest.raises(Held, match=r"claim of generation 7 \(other\) refused, HELD 7 member"):
        store.claim(0, EPOCH, "other")
    with pytest.raises(Held):
        store.claim(0, EPOCH - 1, "member")
    store.claim(0, EPOCH + 1, "other")


def test_trimming_is_for_the_owner_and_only_rises(store: RedisStore) -> None:
    first = commit_of(START, "anna")
    run(store, START, first)
    run(store, first.position, commit_of(first.position, "anna"))
    assert store.trim(0, EPOCH - 1, 1) == -1
    assert store.trim(0, EPOCH, 1) == 1
    assert [entry.seq for entry in store.outbox(0, 0, 10)] == [2]
    assert store.trim(0, EPOCH, 0) == 0
    assert store.stored(0).trimmed == 1


def test_a_full_redis_refuses_whole_and_lets_its_owner_free_it(
    store: RedisStore, client: Client, prefix: str
) -> None:
    run(store, START, first := commit_of(START, "anna"))
    before = everything(client, prefix)
    held = client.config_get("maxmemory")["maxmemory"]
    client.config_set("maxmemory", 1, **everywhere(client))
    try:
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            run(store, first.position, commit_of(first.position, "berta"))
        store.claim(0, EPOCH, "member")
        assert store.trim(0, EPOCH, 1) == 1
    finally:
        client.config_set("maxmemory", held, **everywhere(client))
    after = everything(client, prefix)
    changed = {key for key in before if after.get(key) != before[key]}
    assert changed == {store.keys(0).meta.encode(), store.keys(0).out.encode()}
