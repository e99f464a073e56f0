"""What only a cluster does: slots that move, nodes that differ, a part that is down."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from redis.exceptions import ClusterDownError, ClusterError, TryAgainError

from schemas.journal import GENESIS
from streams.engine.commit import Commit, Position
from streams.local.ports import pick
from streams.local.redis import ClusterMember, RedisProcess
from streams.local.redis_cluster import RedisCluster
from streams.state.connection import connect
from streams.state.redis_store import NotSuitable, RedisStore, Refused
from streams.state.scanning import scan
from streams.state.slots import slot_of
from tests.state.deployment import PARTITIONS, Deployment, port_of
from tests.state.machine import Content, Owner, commit_of
from tests.waiting import wait_for

START = Position(0, GENESIS)


@pytest.fixture
def store(cluster: Deployment, prefix: str) -> Iterator[RedisStore]:
    store = RedisStore(cluster.url, prefix)
    store.load_scripts()
    for number in PARTITIONS:
        store.claim(number, 1, "a")
    yield store
    store.close()


def commits(at: dict[int, Position], customer: str) -> list[tuple[int, int, Position, Commit]]:
    """One commit for each partition, which writes this customer's state and timer."""
    content = Content({f"shop/{customer}": b"state"}, {f"shop/{customer}": 7}, [b"row"], 1, 0, True)
    return [
        (number, 1, position, commit_of(Owner(number, 1, "a", position), content))
        for number, position in at.items()
    ]


def run(store: RedisStore, at: dict[int, Position], customer: str = "anna") -> dict[int, Position]:
    """Commit to these partitions in one call; where they stand then."""
    batch = commits(at, customer)
    assert store.commit(batch) == [7] * len(batch)
    return {number: commit.position for number, _, _, commit in batch}


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
        self.source.execute_command("MIGRATE", "127.0.0.1", port, "", 0, 5_000, "KEYS", *keys)

    def end(self) -> None:
        self._own(self.target)

    def undo(self) -> None:
        """Everything back to where it came from."""
        self.source, self.target = self.target, self.source
        self.begin()
        if keys := self.keys():
            self.carry(keys)
        self._own(self.target)

    def _own(self, owner: "redis.Redis") -> None:
        for server in sorted(self._servers, key=lambda one: one is not owner):
            self._set(server, "NODE", _id(owner))

    def _set(self, server: "redis.Redis", *state: str) -> None:
        server.execute_command("CLUSTER SETSLOT", self.slot, *state)


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
        if keys := move.keys():
            move.carry(keys)
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
        move.carry(move.keys())
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
        move.carry(move.keys())
        assert store.stored(0).position == at[0]
        assert store.claim(0, 2, "b").position == at[0]
        assert [entry.seq for entry in store.outbox(0, 0, 10)] == [1]


def test_a_partition_in_two_places_takes_no_commit_until_it_is_in_one(
    cluster: Deployment, prefix: str, store: RedisStore
) -> None:
    at = run(store, {0: START})
    impatient = RedisStore(cluster.url, prefix, timeout=0.5)
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


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_node_that_died_is_a_doubt_for_its_partitions_and_comes_back(tmp_path: Path) -> None:
    """Its commits end in doubt at once, the others' when the rest has noticed; all go on with it."""
    with RedisCluster(tmp_path, node_timeout_ms=3_000) as started:
        store = RedisStore(started.url, "x:")
        store.load_scripts()
        for number in PARTITIONS:
            store.claim(number, 1, "a")
        at = run(store, dict.fromkeys(PARTITIONS, START))
        # {0} is in the last third of the slots.
        node = started.nodes[2]
        node.kill9()
        with pytest.raises(redis.ConnectionError):
            store.commit(commits({0: at[0]}, "berta"))

        def noticed() -> bool:
            try:
                store.stored(1)
            except ClusterDownError:
                return True
            return False

        wait_for(noticed, 120, "the cluster to notice")
        with pytest.raises(redis.RedisError):
            store.check_server()
        with pytest.raises(ClusterDownError):
            store.claim(1, 2, "b")
        node.start()
        started.wait_whole()
        store.check_server()
        assert {number: store.stored(number).position for number in PARTITIONS} == at
        run(store, at, "berta")
        store.close()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_promoted_replica_is_found_by_whoever_connects_anew(tmp_path: Path) -> None:
    with RedisCluster(tmp_path / "cluster", node_timeout_ms=3_000) as started:
        primary = started.nodes[2]
        replica = _replica(tmp_path / "replica", primary)
        try:
            before = RedisStore(started.url, "x:")
            before.load_scripts()
            _require_suitable_replicas(before, replica)
            before.claim(0, 1, "a")
            at = run(before, {0: START})
            with _client(primary) as client:
                assert client.wait(1, 60_000) == 1
            primary.kill9()
            with pytest.raises(redis.ConnectionError):
                before.commit(commits(at, "berta"))

            def promoted() -> bool:
                try:
                    RedisStore(started.url, "x:").check_server()
                except redis.RedisError:
                    return False
                return True

            wait_for(promoted, 120, "the replica's promotion")
            after = RedisStore(started.url, "x:")
            assert after.claim(0, 2, "b").position == at[0]
            (zombie,) = before.commit(commits(at, "berta"))
            assert isinstance(zombie, Refused)
            assert zombie.reason == "epoch"
            before.close()
            after.close()
        finally:
            replica.stop()


def _replica(folder: Path, primary: RedisProcess) -> RedisProcess:
    """A started replica of a cluster's node, which has all that its primary has."""
    port, bus = pick(2)
    replica = RedisProcess(folder, port, ClusterMember(bus, 3_000))
    replica.start()
    with _client(primary) as source, _client(replica) as client:
        identity = _id(source)
        assert primary.member is not None
        client.execute_command("CLUSTER MEET", "127.0.0.1", primary.port, primary.member.port)
        wait_for(
            lambda: identity in str(client.execute_command("CLUSTER NODES")), 60, "the meeting"
        )
        client.execute_command("CLUSTER REPLICATE", identity)
        wait_for(lambda: client.info()["master_link_status"] == "up", 60, "the first copy")
    return replica


def _require_suitable_replicas(store: RedisStore, replica: RedisProcess) -> None:
    """The replica counts as one, and must be suitable like its primary."""

    def refused() -> bool:
        try:
            store.check_server()
        except NotSuitable as refusal:
            return f"replica 127.0.0.1:{replica.port} has maxmemory-policy" in str(refusal)
        return False

    with _client(replica) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        wait_for(refused, 60, "the cluster to count on the replica")
        client.config_set("maxmemory-policy", "noeviction")
    store.check_server()


def _client(node: RedisProcess) -> "redis.Redis":
    return redis.Redis(port=node.port, socket_timeout=60.0)
