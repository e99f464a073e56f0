"""A Redis Cluster of a few servers on this machine, each with an append-only file of its own."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import redis

from streams.local.errors import StartError
from streams.local.ports import pick
from streams.local.redis import ClusterMember, RedisProcess

SLOTS = 16_384
#: A node waits two seconds after its start before it calls the cluster whole; the rest is slack.
_FORM_SECONDS = 60.0
_POLL_SECONDS = 0.05
#: Free ports are drawn, not reserved: another process may take one before its server listens.
_ATTEMPTS = 3


class RedisCluster:
    """``nodes`` primaries without replicas, the slots in equal ranges; from nothing in some 3 s.

    As a context manager it starts on entry and stops on exit. Its files are in ``folder``.
    """

    def __init__(self, folder: Path, nodes: int = 3, node_timeout_ms: int = 15_000) -> None:
        self._folder = folder
        self._count = nodes
        self._timeout_ms = node_timeout_ms
        self.nodes: list[RedisProcess] = []

    @property
    def url(self) -> str:
        """As REDIS_URL."""
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def start(self) -> Self:
        """Blocks until every node says that all slots are served. Raises LocalStackError."""
        for attempt in range(1, _ATTEMPTS + 1):
            ports = pick(2 * self._count)
            self.nodes = [
                RedisProcess(self._folder / f"{port}", port, ClusterMember(bus, self._timeout_ms))
                for port, bus in zip(ports[::2], ports[1::2], strict=True)
            ]
            try:
                for node in self.nodes:
                    node.start()
                self._form()
            except StartError:
                self.stop()
                if attempt == _ATTEMPTS:
                    raise
            except BaseException:
                self.stop()
                raise
            else:
                break
        return self

    def stop(self) -> None:
        """Ends all nodes; their data stays."""
        for node in self.nodes:
            node.stop()

    def wait_whole(self) -> None:
        """Blocks until every node knows all others and all slots are served. Raises StartError."""
        deadline = time.monotonic() + _FORM_SECONDS
        while not all(self._is_whole(node) for node in self.nodes):
            if time.monotonic() > deadline:
                raise StartError(f"the Redis Cluster in {self._folder} did not come together.")
            time.sleep(_POLL_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _form(self) -> None:
        """What `redis-cli --cluster create` does, without its questions and pauses."""
        bounds = [SLOTS * at // self._count for at in range(self._count + 1)]
        first = self.nodes[0]
        for number, (node, (begin, end)) in enumerate(
            zip(self.nodes, pairwise(bounds), strict=True), start=1
        ):
            self._ask(node, "CLUSTER ADDSLOTSRANGE", begin, end - 1)
            # Two nodes with one epoch would settle by themselves whose slots count, in their time.
            self._ask(node, "CLUSTER SET-CONFIG-EPOCH", number)
        for node in self.nodes[1:]:
            member = first.member
            assert member is not None
            self._ask(node, "CLUSTER MEET", "127.0.0.1", first.port, member.port)
        self.wait_whole()

    def _is_whole(self, node: RedisProcess) -> bool:
        info: dict[str, str] = self._ask(node, "CLUSTER INFO")
        found = (info["cluster_state"], int(info["cluster_size"]), int(info["cluster_slots_ok"]))
        return found == ("ok", self._count, SLOTS)

    @staticmethod
    def _ask(node: RedisProcess, *command: Any) -> Any:
        with redis.Redis(port=node.port, socket_timeout=10.0) as client:
            #: Untyped in redis-py.
            execute: Any = client.execute_command
            return execute(*command)
