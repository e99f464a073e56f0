"""REDIS_URL as a client: one server, or the nodes of a Redis Cluster.

redis://[user:password@]host:port/db             one server, rediss:// over TLS
redis+cluster://[user:password@]host:port,...    a cluster, by any of its nodes; rediss+cluster:// over TLS

Clients answer bytes and never retry: a script whose answer was lost may have run.
"""

from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.retry import Retry

from streams.state.cluster import Cluster
from streams.state.slots import Node

Client = redis.Redis | Cluster

#: Untyped in redis-py.
_parse_url: Any = parse_url
_CLUSTER_SCHEMES = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
_DEFAULT_PORT = 6379


def connect(url: str, timeout: float = 5.0) -> Client:
    """A client of ``url``; connects at its first command and waits ``timeout`` seconds for an answer.

    Raises ValueError for a URL that is none of the forms above.
    """
    options: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
    }
    if url.partition("://")[0] not in _CLUSTER_SCHEMES:
        return redis.Redis.from_url(url, **options)
    return Cluster([{**options, **seed} for seed in _seeds(url)], patience=timeout)


def every_node(client: Client) -> list[Node]:
    """The server, or all primaries of the cluster as they are now. Raises redis.RedisError."""
    return client.primaries() if isinstance(client, Cluster) else [client]


def _seeds(url: str) -> list[dict[str, Any]]:
    """The connection options of each node that a cluster's URL names."""
    parts = urlsplit(url)
    scheme = _CLUSTER_SCHEMES[parts.scheme]
    credentials, at, hosts = parts.netloc.rpartition("@")
    seeds = []
    for host in hosts.split(","):
        seed: dict[str, Any] = _parse_url(
            f"{scheme}://{credentials}{at}{host}{parts.path}?{parts.query}"
        )
        if "host" not in seed:
            raise ValueError(f"{parts.scheme}:// needs host:port[,host:port...], not {hosts!r}")
        if seed.pop("db", 0):
            raise ValueError(f"a Redis Cluster has no database but 0, and {parts.path} names one")
        seeds.append({"port": _DEFAULT_PORT, **seed})
    return seeds
