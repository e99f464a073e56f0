"""A Redis Cluster as one client: a command goes to the node that has the slot of its key.

Plain connections to each node, and not redis-py's RedisCluster, whose pipelines take no scripts and
which repeats what failed. Here a command goes out again only where the server has said that it did not
run: MOVED, ASK, TRYAGAIN. Anything else, a lost connection above all, is raised.

One client a thread: a node's commands go over one connection in the order of the calls.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, Self, TypeVar

import redis
from redis.commands.core import CoreCommands
from redis.exceptions import AskError, ClusterDownError, MovedError, ResponseError, TryAgainError

from streams.state.slots import Key, Node, Slots

T = TypeVar("T")
#: A command, and what redis-py wants to know of its reply.
Command = tuple[tuple[Any, ...], dict[str, Any]]

#: Between two looks at a slot on the move.
_PAUSE_SECONDS = 0.02
#: Where the key stands that names the node; a command that is not here has none, or is not used.
_KEY_AT = {
    "EVAL": 3, "EVALSHA": 3, "EVAL_RO": 3,
    "DEL": 1, "GET": 1, "MGET": 1, "MSET": 1, "UNLINK": 1,
    "HDEL": 1, "HGET": 1, "HGETALL": 1, "HINCRBY": 1, "HMGET": 1, "HSET": 1,
    "XLEN": 1, "XRANGE": 1,
    "SADD": 1, "SET": 1,
    "ZADD": 1, "ZCARD": 1, "ZRANGE": 1, "ZRANGEBYSCORE": 1, "ZSCAN": 1, "ZSCORE": 1,
}  # fmt: skip


class Commands(CoreCommands):
    """redis-py's methods, as hgetall, over an ``execute_command`` of our own."""

    #: By this redis-py's annotations tell blocking clients from asynchronous ones.
    _is_async_client: Literal[False] = False
    #: For pub/sub, which is not used here.
    _event_dispatcher: Any = None


class Cluster(Commands):
    """Takes commands of one slot. What is asked of a node is asked of each of ``primaries``."""

    def __init__(self, seeds: Sequence[Mapping[str, Any]], patience: float) -> None:
        """``seeds``: options of redis.ConnectionPool for some nodes; others get the first one's.

        ``patience``: seconds that a command may wait for a slot that is being moved.
        """
        self._slots = Slots(seeds)
        self._patience = patience

    def primaries(self) -> list[Node]:
        """A redis.Redis of each node that has slots, as the cluster is now. Raises redis.RedisError."""
        self._slots.learn()
        return self._slots.primaries()

    def replicas(self) -> list[Node]:
        """A redis.Redis of each replica that the cluster counts on. Raises redis.RedisError."""
        self._slots.learn()
        return self._slots.replicas()

    def walk(self, key: str, pattern: str, step: int) -> Iterator[bytes]:
        """SCAN the node that has ``key`` for keys like ``pattern``, ``step`` looked at a round trip.

        Raises ClusterError at the end where the slot was on the move: keys may have been missed.
        """
        self._slots.learn()
        node = self._slots.node_of(key)
        yield from node.scan_iter(match=pattern, count=step)
        self._slots.require_settled(key, node)

    def execute_command(self, *command: Any, **options: Any) -> Any:
        """Run one command of one slot. Raises ValueError for a command that is none."""
        key = _key(command)
        with self._in_doubt():
            try:
                return self._slots.node_of(key).execute_command(*command, **options)
            except (AskError, TryAgainError) as error:
                return self._redirect(key, error, _single(command, options))

    def execute_many(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands of several slots, all nodes at the same time; errors stand among the replies."""
        with self._in_doubt():
            replies = self._exchange(commands)
            for at, (command, options) in enumerate(commands):
                if isinstance(replies[at], AskError | TryAgainError):
                    attempt = _single(command, options)
                    try:
                        replies[at] = self._redirect(_key(command), replies[at], attempt)
                    except ResponseError as error:
                        replies[at] = error
        return replies

    def execute_transaction(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands of one slot in MULTI and EXEC; raises the first one's error."""
        key = _key(commands[0][0])

        def attempt(node: Node, asking: bool) -> list[Any]:
            if asking:  # ASKING holds for one command: a transaction waits until its slot has moved
                node = self._slots.node_of(key)
            with node.pipeline(transaction=True) as pipe:
                for command, options in commands:
                    pipe.execute_command(*command, **options)
                replies: list[Any] = pipe.execute()
            return replies

        with self._in_doubt():
            try:
                return attempt(self._slots.node_of(key), False)
            except (AskError, TryAgainError) as error:
                return self._redirect(key, error, attempt)

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> "ClusterPipeline":
        """Several commands in one round trip a node; a transaction's are of one slot."""
        return ClusterPipeline(self, transaction)

    def close(self) -> None:
        self._slots.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Sending ------------------------------------------------------------------------------------

    def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Send every node its commands, then read every node's replies: they work side by side."""
        places: dict[Node, list[int]] = {}
        for at, (command, _) in enumerate(commands):
            places.setdefault(self._slots.node_of(_key(command)), []).append(at)
        replies: list[Any] = [None] * len(commands)
        open_connections: list[tuple[Node, Any]] = []
        try:
            for node, numbers in places.items():
                # As redis-py's own pipeline does it, cut in two between sending and reading.
                connection = node.connection_pool.get_connection()
                open_connections.append((node, connection))
                packed = connection.pack_commands([commands[at][0] for at in numbers])
                connection.send_packed_command(packed)
            for (node, connection), numbers in zip(open_connections, places.values(), strict=True):
                for at in numbers:
                    command, options = commands[at]
                    try:
                        replies[at] = node.parse_response(connection, command[0], **options)
                    except ResponseError as error:
                        replies[at] = error
        except BaseException:
            # What is still to come would be read as the answers to later commands.
            for _, connection in open_connections:
                connection.disconnect()
            raise
        finally:
            for node, connection in open_connections:
                node.connection_pool.release(connection)
        return replies

    def _redirect(
        self,
        key: Key,
        error: AskError | TryAgainError,
        attempt: Callable[[Node, bool], T],
    ) -> T:
        """Run what has not run, according to ``error``, at another node or a little later."""
        deadline = time.monotonic() + self._patience
        while True:
            asking = False
            if isinstance(error, MovedError):
                self._slots.moved(error, key)
                node = self._slots.node_of(key)
            elif isinstance(error, AskError):
                node, asking = self._slots.named(error, key), True
            else:
                node = self._slots.node_of(key)
            try:
                return attempt(node, asking)
            except (AskError, TryAgainError) as again:
                if time.monotonic() > deadline:
                    raise
                error = again
            time.sleep(_PAUSE_SECONDS)

    @contextmanager
    def _in_doubt(self) -> Iterator[None]:
        """After a failure the next command asks anew who has which slot."""
        try:
            yield
        except (redis.ConnectionError, redis.TimeoutError, ClusterDownError):
            self._slots.forget()
            raise


class ClusterPipeline(Commands):
    """Gathers commands; ``execute`` sends them. A client's pipeline, as far as this project uses it."""

    def __init__(self, cluster: Cluster, transaction: bool) -> None:
        self._run = cluster.execute_transaction if transaction else cluster.execute_many
        self._commands: list[Command] = []

    def execute_command(self, *command: Any, **options: Any) -> Self:
        self._commands.append((command, options))
        return self

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """The replies in the order of the commands. Raises redis.RedisError."""
        commands, self._commands = self._commands, []
        replies = self._run(commands) if commands else []
        if raise_on_error:
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        return replies

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._commands = []


def _single(command: tuple[Any, ...], options: dict[str, Any]) -> Callable[[Node, bool], Any]:
    """One command at a node that has the slot, or (asking) is about to get it."""

    def attempt(node: Node, asking: bool) -> Any:
        if not asking:
            return node.execute_command(*command, **options)
        with node.pipeline(transaction=False) as pipe:
            pipe.execute_command("ASKING")
            pipe.execute_command(*command, **options)
            reply = pipe.execute(raise_on_error=False)[1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    return attempt


def _key(command: tuple[Any, ...]) -> Key:
    at = _KEY_AT.get(command[0])
    if at is None:
        raise ValueError(f"{command[0]} has no key that names its node: ask one of primaries()")
    key: Key = command[at]
    return key
