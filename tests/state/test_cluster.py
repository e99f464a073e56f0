"""What only a cluster does: slots that move, nodes that differ, a part that is down."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from redis.exceptions import ClusterDownError, ClusterError, TryAgainError

from streams.state.connection import connect
from streams.state.redis_store import NotSuitable, RedisStore, Refused
from streams.state.scanning import scan
from streams.state.slots import slot_of
from tests.state.batches import START, commits, run
from tests.state.deployment import PARTITIONS, Deployment, port_of
from tests.waiting import wait_for


@pytest.fixture
def store(cluster: Deployment, prefix: str) -> Iterator[RedisStore]:
    store = RedisStore(cluster.url, prefix)
    store.load_scripts()
    for number in PARTITIONS:
        store.claim(number, 1, "a")
    yield store
    store.close()


class Move:
    """The slot of a partition on its way from its node to the next one, key by key."""

    def __init__(self, cluster: Deployment, partition: int) -> None:
        self.slot = slot_of(f"{{{partition}}}")
        self.source = cluster.server_of(partition)
        servers = list(cluster.servers)
        self.target = servers[(servers.index(self.source) + 1) % len(servers)]
        self._servers = servers

    def begin(self) -> None:
        self._set(self.target, "IMPORTING", _id(self.source))
        self._set(self.source, "MIGRATING", _id(self.target))

    def keys(self) -> list[bytes]:
        return list(self.source.execute_command("CLUSTER GETKEYSINSLOT", self.slot, 1_000))

    def carry(self, keys: list[bytes]) -> None:
        port = port_of(self.target)
        self.source.execute_command("MIGRATE", "127.0.0.1", port, "", 0, 60_000, "KEYS", *keys)

    def carry_all(self) -> None:
        """However many there are: other tests' partitions share the slot."""
        while keys := self.keys():
            self.carry(keys)

    def end(self) -> None:
        self._own(self.target)

    def undo(self) -> None:
        """Everything back to where it came from."""
        self.source, self.target = self.target, self.source
        self.begin()
        self.carry_all()
        self._own(self.target)

    def _own(self, owner: "redis.Redis") -> None:
        for server in sorted(self._servers, key=lambda one: one is not owner):
            self._set(server, "NODE", _id(owner))
        # A node that has not heard of this owner's epoch could take the slot back under the same one, and
        # then each would send the clients to the other.
        wait_for(lambda: len({_epoch(server) for server in self._servers}) == 1, 60, "one epoch")

    def _set(self, server: "redis.Redis", *state: str) -> None:
        server.execute_command("CLUSTER SETSLOT", self.slot, *state)


def _epoch(server: "redis.Redis") -> int:
    info: Any = server.execute_command("CLUSTER INFO")
    return int(info["cluster_current_epoch"])


def _id(server: "redis.Redis") -> str:
    found = server.execute_command("CLUSTER MYID")
    return found.decode() if isinstance(found, bytes) else str(found)


@contextmanager
def moving(cluster: Deployment, partition: int) -> Iterator[Move]:
    """A begun move, which is ended and undone afterwards."""
    move = Move(cluster, partition)
    move.begin()
    try:
        yield move
    finally:
        move.carry_all()
        move.end()
        move.undo()


def test_one_call_reaches_all_nodes_and_each_partition_its_own(
    cluster: Deployment, store: RedisStore
) -> None:
    at = run(store, dict.fromkeys(PARTITIONS, START))
    for number in PARTITIONS:
        assert store.stored(number).position == at[number]
        on_node = cluster.server_of(number).keys(f"{store.keys(number).base}*")
        assert len(on_node) == 4
    store.trim_many([(number, 1, 1) for number in PARTITIONS])
    assert [store.stored(number).trimmed for number in PARTITIONS] == [1, 1, 1]


def test_fields_of_several_nodes_come_in_one_pipeline(
    cluster: Deployment, store: RedisStore
) -> None:
    """HMGET names its node by its key, in a transaction and outside of one."""
    at = run(store, dict.fromkeys(PARTITIONS, START))
    metas = {number: store.keys(number).meta for number in PARTITIONS}
    with connect(cluster.url) as client:
        with client.pipeline(transaction=False) as pipe:
            for meta in metas.values():
                pipe.hmget(meta, "seq", "nothing")
            found = pipe.execute()
        assert found == [[b"%d" % at[number].seq, None] for number in PARTITIONS]
        with client.pipeline(transaction=True) as pipe:
            pipe.hmget(metas[0], "seq")
            assert pipe.execute() == [[b"%d" % at[0].seq]]


def test_one_refusal_leaves_the_other_nodes_commits_alone(store: RedisStore) -> None:
    batch = commits(dict.fromkeys(PARTITIONS, START), "anna")
    batch[1] = (batch[1][0], 2, *batch[1][2:])
    first, second, third = store.commit(batch)
    assert (first, third) == (7, 7)
    assert isinstance(second, Refused)
    assert second.reason == "epoch"


def test_a_slot_that_has_moved_is_followed_by_everything(
    cluster: Deployment, store: RedisStore
) -> None:
    at = run(store, dict.fromkeys(PARTITIONS, START))
    with moving(cluster, 0) as move:
        move.carry_all()
        move.end()
        # The new owner does not know the scripts either.
        move.target.script_flush()
        at = run(store, at, "berta")
        store.trim_many([(number, 1, 1) for number in PARTITIONS])
        assert store.stored(0).position == at[0]
        assert store.stored(0).trimmed == 1
        assert store.claim(0, 2, "b").position == at[0]
    # And back again.
    assert store.claim(0, 3, "a").position == at[0]


def test_keys_that_have_gone_ahead_are_asked_for_where_they_are(
    cluster: Deployment, store: RedisStore
) -> None:
    at = run(store, {0: START})
    with moving(cluster, 0) as move:
        move.carry_all()
        assert store.stored(0).position == at[0]
        assert store.claim(0, 2, "b").position == at[0]
        assert [entry.seq for entry in store.outbox(0, 0, 10)] == [1]


def test_a_partition_in_two_places_takes_no_commit_until_it_is_in_one(
    cluster: Deployment, prefix: str, store: RedisStore
) -> None:
    at = run(store, {0: START})
    # Of an answer too: one that is late on a busy machine would be another error.
    impatient = RedisStore(cluster.url, prefix, timeout=2.0)
    with moving(cluster, 0) as move:
        move.carry([store.keys(0).meta.encode()])
        with pytest.raises(TryAgainError):
            impatient.commit(commits(at, "anna"))
        assert impatient.stored(0).position == at[0]
    assert run(store, at)[0] == store.stored(0).position
    impatient.close()


def test_a_walk_over_a_slot_on_the_move_does_not_pass_for_a_whole_one(
    cluster: Deployment, store: RedisStore
) -> None:
    run(store, {0: START})
    base = store.keys(0).base
    with connect(cluster.url) as client, moving(cluster, 0) as move:
        with pytest.raises(ClusterError, match="moved between nodes"):
            list(scan(client, base))
        move.carry([store.keys(0).state("shop/anna").encode()])
        with pytest.raises(ClusterError, match="moved between nodes"):
            store.wipe(0)
        # A wipe that was cut short leaves no position, so nobody takes the rest for a partition.
        assert not store.stored(0).exists
    assert store.wipe(0) > 0
    with connect(cluster.url) as client:
        assert list(scan(client, base)) == []


def test_a_cluster_that_is_down_is_a_doubt(cluster: Deployment, store: RedisStore) -> None:
    at = run(store, dict.fromkeys(PARTITIONS, START))
    server, slot = cluster.server_of(1), slot_of("{1}")
    before = {number: cluster.read(store.keys(number)) for number in (0, 3)}
    server.execute_command("CLUSTER DELSLOTS", slot)
    try:
        with pytest.raises(ClusterDownError):
            store.commit(commits({1: at[1]}, "berta"))
        with pytest.raises(ClusterDownError):
            store.claim(1, 2, "b")
        with pytest.raises(ClusterDownError):
            store.stored(1)
        with pytest.raises(ClusterDownError):
            store.check_server()
    finally:
        server.execute_command("CLUSTER ADDSLOTS", slot)
    wait_for(
        lambda: all(
            one.execute_command("CLUSTER INFO")["cluster_state"] == "ok" for one in cluster.servers
        ),
        60,
        "a whole cluster",
    )
    store.check_server()
    assert {number: cluster.read(store.keys(number)) for number in (0, 3)} == before
    run(store, at, "berta")


@pytest.mark.parametrize(
    ("setting", "bad", "good"),
    [("maxmemory-policy", "allkeys-lru", "noeviction"), ("appendonly", "no", "yes")],
)
def test_every_node_must_be_suitable(
    cluster: Deployment, store: RedisStore, setting: str, bad: str, good: str
) -> None:
    store.check_server()
    last = cluster.servers[-1]
    last.config_set(setting, bad)
    try:
        with pytest.raises(NotSuitable, match=rf"Redis 127\.0\.0\.1:{port_of(last)} has {setting}"):
            store.check_server()
    finally:
        last.config_set(setting, good)


def test_a_url_of_the_wrong_kind_names_the_right_one(cluster: Deployment, redis_url: str) -> None:
    node = f"redis://127.0.0.1:{port_of(cluster.servers[0])}"
    with pytest.raises(NotSuitable, match=r"write redis\+cluster:// instead"):
        RedisStore(node, "x:").check_server()
    single = redis_url.replace("redis://", "redis+cluster://")
    with pytest.raises(NotSuitable, match="write redis:// instead"):
        RedisStore(single, "x:").check_server()
