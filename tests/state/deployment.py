"""A Redis or a Redis Cluster as a test looks at it, by redis-py's own clients: never by ours."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from redis.cluster import RedisCluster

from streams.state.keys import PartitionKeys
from tests.state.model import PartitionModel

#: On different nodes of a cluster of three whose slots are in equal ranges.
PARTITIONS = (0, 1, 3)


@dataclass
class Deployment:
    """``servers`` has a client for each server, ``observer`` one for the keys of all."""

    url: str
    #: Typed loosely: redis-py's two clients have no base in common.
    observer: Any
    servers: Sequence["redis.Redis"]

    def server_of(self, partition: int) -> "redis.Redis":
        if not isinstance(self.observer, RedisCluster):
            return self.servers[0]
        node = self.observer.get_node_from_key(f"{{{partition}}}")
        port = node.port
        return next(one for one in self.servers if port_of(one) == port)

    def forget_scripts(self) -> None:
        for server in self.servers:
            server.script_flush()

    @contextmanager
    def full(self, server: "redis.Redis") -> Iterator[None]:
        """The server has reached its maxmemory."""
        server.config_set("maxmemory", 1)
        try:
            yield
        finally:
            server.config_set("maxmemory", 0)

    def keys(self, keys: PartitionKeys) -> list[bytes]:
        return sorted(self.observer.scan_iter(match=f"{keys.base}*", count=1_000))

    def copy(self, keys: PartitionKeys) -> dict[bytes, bytes]:
        """All of a partition, to be put back later."""
        return {key: self.observer.dump(key) for key in self.keys(keys)}

    def put_back(self, keys: PartitionKeys, copy: dict[bytes, bytes]) -> None:
        """As a Redis that has lost what was written since."""
        for key in self.keys(keys):
            self.observer.delete(key)
        for key, value in copy.items():
            self.observer.restore(key, 0, value)

    def read(self, keys: PartitionKeys) -> PartitionModel:
        """What the partition holds; asserts that it has no other keys."""
        found = self.observer.eval(_READ, 1, keys.meta, f"{keys.base}*")
        held = {key.decode(): value for key, value in found}
        meta = _pairs(held.pop(keys.meta, []))
        model = PartitionModel(
            meta={name.decode(): value for name, value in meta},
            timers={
                member.decode(): float(score) for member, score in _pairs(held.pop(keys.timers, []))
            },
            # A stream stays when its last entry goes.
            out={
                int(number.split(b"-")[0]): (fields[1], fields[3], fields[5])
                for number, fields in held.pop(keys.out, [])
            },
        )
        for key, value in held.items():
            assert key.startswith(keys.state_base), f"{key} is none of a partition's keys"
            model.states[key.removeprefix(keys.state_base)] = value
        return model


#: All keys like ARGV[1] in one round trip; KEYS[1] names the node.
_READ = """
local readers = {hash = {'HGETALL'}, zset = {'ZRANGE', 0, -1, 'WITHSCORES'}, stream = {'XRANGE', '-', '+'}}
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local reader = readers[redis.call('TYPE', key).ok] or {'GET'}
  found[#found + 1] = {key, redis.call(reader[1], key, unpack(reader, 2))}
end
return found
"""


def _pairs(flat: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def port_of(server: "redis.Redis") -> int:
    return int(server.connection_pool.connection_kwargs["port"])


def one_server(url: str) -> Deployment:
    client = redis.Redis.from_url(url)
    return Deployment(url, client, [client])


def cluster(url: str, ports: Sequence[int]) -> Deployment:
    observer = RedisCluster(host="127.0.0.1", port=ports[0])
    servers = [redis.Redis(port=port) for port in ports]
    made = Deployment(url, observer, servers)
    assert len({port_of(made.server_of(number)) for number in PARTITIONS}) == len(ports)
    return made
