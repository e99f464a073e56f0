"""Which node of a Redis Cluster has which slot, and a client of each node."""

from collections.abc import Mapping, Sequence
from typing import Any

import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AskError, ClusterDownError, ClusterError

Address = tuple[str, int]
Key = str | bytes
#: A redis.Redis of one node, typed loosely: redis-py leaves its execute_command untyped.
Node = Any


class Slots:
    """What was last heard of the cluster; connects when first asked."""

    def __init__(self, seeds: Sequence[Mapping[str, Any]]) -> None:
        """``seeds``: options of redis.ConnectionPool for some nodes; others get the first one's."""
        self._seeds: list[Address] = [(seed["host"], seed["port"]) for seed in seeds]
        self._options = dict(seeds[0])
        self._clients: dict[Address, redis.Redis] = {}
        #: By slot; None: nobody serves it. Empty: to be read before the next command.
        self._owners: list[Address | None] = []
        self._replicas: list[Address] = []

    def primaries(self) -> list[Node]:
        """The nodes that have slots."""
        return [self._client(one) for one in dict.fromkeys(self._owners) if one is not None]

    def replicas(self) -> list[Node]:
        """The replicas that the cluster counts on."""
        return [self._client(one) for one in dict.fromkeys(self._replicas)]

    def node_of(self, key: Key) -> Node:
        """The node that has the slot of ``key``. Raises redis.RedisError."""
        if not self._owners:
            self.learn()
        slot = slot_of(key)
        owner = self._owners[slot]
        if owner is None:
            raise ClusterDownError(f"slot {slot} is served by no node")
        return self._client(owner)

    def named(self, redirection: AskError, key: Key) -> Node:
        """The node that MOVED or ASK names."""
        return self._client(self._named(redirection, key))

    def moved(self, redirection: AskError, key: Key) -> None:
        """Take MOVED's word for who has the slot."""
        self._owners[redirection.slot_id] = self._named(redirection, key)

    def forget(self) -> None:
        """Ask anew before the next command."""
        self._owners = []

    def learn(self) -> None:
        """Ask the first node that answers. Raises redis.RedisError when none does."""
        lost: Exception = ClusterError("a cluster without a node")
        for address in dict.fromkeys([*self._clients, *self._seeds]):
            node: Node = self._client(address)
            try:
                shards = node.execute_command("CLUSTER SLOTS")
            except (redis.ConnectionError, redis.TimeoutError) as error:
                lost = error
                continue
            self._owners = [None] * REDIS_CLUSTER_HASH_SLOTS
            self._replicas = []
            for first, last, primary, *replicas in shards:
                owner = _address(primary, address[0])
                self._owners[first : last + 1] = [owner] * (last + 1 - first)
                self._replicas += [_address(replica, address[0]) for replica in replicas]
            return
        raise lost

    def require_settled(self, key: str, node: Node) -> None:
        """Raises ClusterError unless ``node`` has the slot of ``key`` and is not about to give it away."""
        slot = slot_of(key)
        nodes: dict[str, dict[str, Any]] = node.execute_command("CLUSTER NODES")
        itself = next(one for one in nodes.values() if "myself" in one["flags"])
        has = any(int(part[0]) <= slot <= int(part[-1]) for part in itself["slots"])
        if not has or any(int(one["slot"]) == slot for one in itself["migrations"]):
            raise ClusterError(
                f"slot {slot}, which has {key}, moved between nodes meanwhile, so keys may have been "
                "missed: run this again when the cluster's slots stay where they are"
            )

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def _client(self, address: Address) -> "redis.Redis":
        client = self._clients.get(address)
        if client is None:
            options = {**self._options, "host": address[0], "port": address[1]}
            client = redis.Redis.from_pool(redis.ConnectionPool(**options))
            self._clients[address] = client
        return client

    def _named(self, redirection: AskError, key: Key) -> Address:
        # Without a host it is another port of the host that was asked.
        host = redirection.host or self.node_of(key).connection_pool.connection_kwargs["host"]
        return str(host), int(redirection.port)


def slot_of(key: Key) -> int:
    return int(key_slot(key.encode() if isinstance(key, str) else key))


def _address(node: Sequence[Any], asked: str) -> Address:
    """A node as CLUSTER SLOTS names it; one that does not know its host has that of the one asked."""
    host = node[0]
    return (host.decode() if isinstance(host, bytes) else host) or asked, int(node[1])
