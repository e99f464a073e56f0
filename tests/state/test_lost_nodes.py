"""A cluster's node dies: its partitions are in doubt, and go on where Redis goes on with them."""

from pathlib import Path

import pytest
import redis
from redis.exceptions import ClusterDownError

from streams.local.ports import pick
from streams.local.redis import ClusterMember, RedisProcess
from streams.local.redis_cluster import RedisCluster
from streams.state.redis_store import NotSuitable, RedisStore, Refused
from tests.state.batches import START, commits, run
from tests.state.deployment import PARTITIONS
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_a_node_that_died_is_a_doubt_for_its_partitions_and_comes_back(tmp_path: Path) -> None:
    """Its commits end in doubt at once, the others' when the rest has noticed; all go on with it."""
    with RedisCluster(tmp_path, node_timeout_ms=3_000) as started:
        store = RedisStore(started.url, "x:")
        store.load_scripts()
        # {0} is in the last third of the slots.
        node = started.nodes[2]
        with _client(node) as client:
            # By default a busy disk lets it confirm what a killed process has not written: another test's.
            client.config_set("appendfsync", "always")
        for number in PARTITIONS:
            store.claim(number, 1, "a")
        at = run(store, dict.fromkeys(PARTITIONS, START))
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
        identity = str(source.execute_command("CLUSTER MYID"), "ascii")
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
