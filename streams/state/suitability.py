"""Whether a Redis may be trusted with what the engine tells it."""

from contextlib import suppress
from typing import Any

import redis
from redis.exceptions import BusyLoadingError, ClusterDownError, ResponseError

from streams.state.cluster import Cluster
from streams.state.connection import Client
from streams.state.errors import NotSuitable
from streams.state.slots import Node

MINIMUM_REDIS = (7, 0)


def check_server(client: Client) -> None:
    """Raises NotSuitable unless every node keeps what it is told (appendonly, noeviction, version).

    Raises BusyLoadingError while one still reads its files, ClusterDownError while its cluster is down,
    and redis.ConnectionError when a node is out of reach, but for a replica: who cannot be reached is
    not promoted.
    """
    if not isinstance(client, Cluster):
        info = _info(client)
        if int(info.get("cluster_enabled", 0)):
            raise NotSuitable(
                "REDIS_URL names one server, and it is a node of a Redis Cluster: write "
                "redis+cluster:// instead of redis:// (docs/operations.md)"
            )
        _check_node(info, "Redis")
        return
    for node in _primaries(client):
        name = "Redis " + _name(node)
        _check_node(_info(node), name)
        state = node.execute_command("CLUSTER INFO")["cluster_state"]
        if state != "ok":
            raise ClusterDownError(f"{name} says that the cluster is in state {state}")
    for node in client.replicas():
        with suppress(redis.ConnectionError, redis.TimeoutError):
            _check_node(_info(node), "the replica " + _name(node))


def _primaries(client: Cluster) -> list[Node]:
    try:
        return client.primaries()
    except ResponseError as error:
        if "cluster support disabled" in str(error):
            raise NotSuitable(
                "REDIS_URL names a Redis Cluster, and the server is none: write redis:// instead of "
                "redis+cluster:// (docs/operations.md)"
            ) from error
        raise


def _info(node: Node) -> dict[str, Any]:
    info: dict[str, Any] = node.execute_command("INFO")
    return info


def _check_node(info: dict[str, Any], name: str) -> None:
    if int(info.get("loading", 0)):
        # It answers INFO all the same, and says that appendonly is off while it reads that file.
        raise BusyLoadingError(f"{name} is still reading its files")
    version = str(info.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2]) < MINIMUM_REDIS:
        raise NotSuitable(f"{name} is version {version}, too old: 7.0 or later is needed")
    policy = info.get("maxmemory_policy")
    if policy != "noeviction":
        raise NotSuitable(
            f"{name} has maxmemory-policy {policy}: states could vanish; "
            "run CONFIG SET maxmemory-policy noeviction"
        )
    if not int(info.get("aof_enabled", 0)):
        raise NotSuitable(f"{name} has appendonly off: run CONFIG SET appendonly yes")


def _name(node: Node) -> str:
    options = node.connection_pool.connection_kwargs
    return f"{options['host']}:{options['port']}"
