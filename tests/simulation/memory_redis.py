"""A Redis in memory, as far as RedisStore uses one: its commands, and its scripts in Python.

RedisStore itself runs on top, unchanged; tests/contract/test_scripts.py holds both to the same answers.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar

from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from streams.state.redis_store import RedisStore
from streams.state.script import Script
from tests.simulation.memory_aggregates import plan_aggregates, write_aggregates

T = TypeVar("T")
#: Carries out what a client asks: (name of the step, effect, error where the answer is lost).
Wire = Callable[[str, Callable[[], Any], Callable[[], Exception]], Any]
Value = bytes | dict[bytes, Any]

#: What the commit script compares; a test may leave one out to see that it is missed.
CHECKS = frozenset({"position", "epoch"})


#: A script's text is read once, not for each of a schedule's workers.
_script = cache(Script)


def direct(name: str, effect: Callable[[], T], lost: Callable[[], Exception]) -> T:
    return effect()


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


class MemoryRedis:
    """The server: all keys, and the scripts it was told."""

    def __init__(self, checks: frozenset[str] = CHECKS) -> None:
        self.data: dict[bytes, Value] = {}
        #: Whether maxmemory is reached (noeviction).
        self.full = False
        #: Told of each claim that raised the epoch: the key of the partition's meta.
        self.claimed: Callable[[bytes], None] = lambda _: None
        self._checks = checks
        self._known = {_script(name).sha: name for name in ("commit", "claim", "trim")}
        self._texts = {_script(name).text: sha for sha, name in self._known.items()}
        self._loaded: set[str] = set()

    def copy(self) -> dict[bytes, Value]:
        """All keys as they are, to be put back later."""
        return {
            key: dict(value) if isinstance(value, dict) else value
            for key, value in self.data.items()
        }

    def put_back(self, copy: dict[bytes, Value]) -> None:
        self.data = copy
        self.data = self.copy()

    def load(self, text: str) -> None:
        self._loaded.add(self._texts[text])

    def flush_scripts(self) -> None:
        self._loaded.clear()

    def hash(self, key: Any) -> dict[bytes, Any]:
        """The hash, sorted set (member -> score) or stream (seq -> fields) of this key."""
        value = self.data.setdefault(_bytes(key), {})
        assert isinstance(value, dict)
        return value

    def name(self, sha: str) -> str:
        return self._known[sha]

    def script(self, sha: str, keys: Sequence[Any], arguments: Sequence[Any]) -> Any:
        if sha not in self._loaded:
            raise NoScriptError("NOSCRIPT No matching script")
        name = self._known[sha]
        if name == "commit" and self.full:
            raise OutOfMemoryError("OOM command not allowed when used memory > 'maxmemory'")
        run: Callable[..., Any] = getattr(self, f"_{name}")
        return run([_bytes(key) for key in keys], [_bytes(one) for one in arguments])

    def _claim(self, keys: list[bytes], arguments: list[bytes]) -> list[bytes]:
        meta = self.hash(keys[0])
        held, wanted = int(meta.get(b"epoch", b"-1")), int(arguments[0])
        if held > wanted or (held == wanted and meta[b"member"] != arguments[1]):
            raise ResponseError(f"HELD {held} {meta[b'member'].decode()}")
        meta[b"epoch"], meta[b"member"] = arguments[0], arguments[1]
        if wanted > held:
            self.claimed(keys[0])
        return [piece for pair in meta.items() for piece in pair]

    def _commit(self, keys: list[bytes], arguments: list[bytes]) -> bytes:
        meta = self.hash(keys[0])
        seq, chain = meta.get(b"seq", b"0"), meta.get(b"chain", b"")
        epoch = meta.get(b"epoch", b"")
        stands_elsewhere = "position" in self._checks and (seq, chain) != tuple(arguments[:2])
        if stands_elsewhere or ("epoch" in self._checks and epoch != arguments[2]):
            raise ResponseError(f"REFUSED {seq.decode()} {chain.decode()} {epoch.decode()}")
        if int(meta.get(b"codec_min", b"0")) > int(arguments[4]):
            raise ResponseError(f"CODEC {meta[b'codec_min'].decode()}")
        states, timers, fields = (int(count) for count in arguments[5:8])
        expired = int(arguments[14])
        short = len(keys) < 4 + states + expired
        if short or len(arguments) != 15 + states + 2 * timers + 3 * fields:
            raise ResponseError(f"MALFORMED keys {len(keys)} arguments {len(arguments)}")
        values = arguments[15 : 15 + states]
        at = 15 + states
        pairs = [tuple(arguments[i : i + 2]) for i in range(at, at + 2 * timers, 2)]
        changes = [arguments[i : i + 3] for i in range(at + 2 * timers, len(arguments), 3)]
        for _, due in pairs:
            if due and not _is_number(due):
                raise ResponseError(f"MALFORMED timer {due.decode()}")
        for operation, name, value in changes:
            if operation != b"=" and not (operation == b"+" and _is_number(value)):
                raise ResponseError(f"MALFORMED field {name.decode()}")
        added = plan_aggregates(
            self.data, keys[4 + states + expired :], arguments[11], keys[3], int(arguments[12])
        )
        self.data.update(zip(keys[4 : 4 + states], values, strict=True))
        for key in keys[4 + states : 4 + states + expired]:
            self.data.pop(key, None)
        queue = self.hash(keys[1])
        for member, due in pairs:
            if due:
                queue[member] = float(due)
            else:
                queue.pop(member, None)
        for operation, name, value in changes:
            if operation == b"+":
                value = _bytes(int(meta.get(name, b"0")) + int(value))
            meta[name] = value
        write_aggregates(self.data, keys[3], added)
        number = int(seq) + 1
        if arguments[8]:
            entry = {b"row": arguments[8], b"rows": arguments[9], b"vector": arguments[10]}
            self.hash(keys[2])[_bytes(number)] = entry
        meta |= {b"seq": _bytes(number), b"chain": arguments[3], b"codec_min": arguments[4]}
        meta.setdefault(b"aggregated_from", _bytes(number))
        meta.setdefault(b"aggregated_since", arguments[13])
        return b"%d" % min(queue.values()) if queue else b""

    def _trim(self, keys: list[bytes], arguments: list[bytes]) -> int:
        meta, published = self.hash(keys[0]), int(arguments[1])
        if meta.get(b"epoch", b"") != arguments[0]:
            return -1
        if int(meta.get(b"trimmed", b"0")) >= published:
            return 0
        meta[b"trimmed"] = arguments[1]
        entries = self.hash(keys[1])
        gone = [seq for seq in entries if int(seq) <= published]
        for seq in gone:
            del entries[seq]
        return len(gone)


def _flat(values: dict[bytes, Any]) -> list[Any]:
    return [piece for pair in values.items() for piece in pair]


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class MemoryClient:
    """One connection. Every command is one step of ``wire``; of a pipeline, each of its commands."""

    def __init__(self, server: MemoryRedis, wire: Wire = direct) -> None:
        self.server = server
        self._wire = wire

    def _step(self, name: str, effect: Callable[[], T]) -> T:
        answer: T = self._wire(name, effect, lambda: ConnectionLost("Connection reset by peer"))
        return answer

    def execute_command(self, name: str, *arguments: Any) -> Any:
        server = self.server
        if name == "EVALSHA":
            sha, count, *rest = arguments
            return self._step(
                server.name(sha), lambda: server.script(sha, rest[:count], rest[count:])
            )
        if name == "EVAL_RO":
            return self._days([_bytes(one) for one in arguments[2:]])
        assert name == "MGET", name
        return self._step(
            "load_states", lambda: [server.data.get(_bytes(key)) for key in arguments]
        )

    def _days(self, arguments: list[bytes]) -> Any:
        """What days.lua does: for onlookers, no step of the schedule."""
        data, base = self.server.data, arguments[0].removesuffix(b"meta")
        count = int(arguments[3])
        wanted, days = arguments[4 : 4 + count], []
        for place in arguments[4 + count :]:
            names = list(data.get(base + b"sets:" + place, {}))
            asked = {b"all": names, b"named": _fitting(names, wanted), b"": []}[arguments[2]]
            found = [
                data.get(base + b"set:" + place + b"/" + name) if name in asked else None
                for name in (names if asked else ())
            ]
            kept = data.get(base + b"kept", {})
            assert isinstance(kept, dict)
            sums = data.get(base + b"sums:" + place, {}) if arguments[1] else {}
            assert isinstance(sums, dict)
            values = [list(value) if isinstance(value, dict) else value for value in found]
            first = kept.get(place.rpartition(b"/")[0], b"0")
            days.append([first, _flat(sums), names, values])
        return [_flat(self.server.hash(arguments[0])), days]

    def pipeline(self, transaction: bool = False) -> "MemoryPipeline":
        return MemoryPipeline(self)

    def script_load(self, text: str) -> None:
        self.server.load(text)

    def script_flush(self) -> None:
        self.server.flush_scripts()

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return self._step("stored", lambda: dict(self.server.hash(key)))

    def hset(self, key: str, field: str, value: Any) -> None:
        self.server.hash(key)[_bytes(field)] = _bytes(value)

    def zrange(self, key: str, start: int, end: int, withscores: bool = False) -> list[Any]:
        if (start, end, withscores) == (0, -1, False):
            return [member for member, _ in self._by_score(key)]
        assert (start, end, withscores) == (0, 0, True)
        return self._step("first_due", lambda: self._by_score(key)[:1])

    def zrangebyscore(
        self, key: str, least: str, most: int, start: int, num: int, withscores: bool
    ) -> list[tuple[bytes, float]]:
        assert (least, start, withscores) == ("-inf", 0, True)
        return self._step(
            "due", lambda: [pair for pair in self._by_score(key) if pair[1] <= most][:num]
        )

    def _by_score(self, key: str) -> list[tuple[bytes, float]]:
        pairs = self.server.hash(key).items()
        return sorted(pairs, key=lambda pair: (pair[1], pair[0]))

    def zcard(self, key: str) -> int:
        return len(self.server.hash(key))

    def xrange(self, key: str, min: str, count: int) -> list[tuple[bytes, dict[bytes, bytes]]]:  # noqa: A002
        first = int(min.split("-", maxsplit=1)[0])
        return self._step(
            "outbox",
            lambda: [
                (seq + b"-0", dict(fields))
                for seq, fields in self.server.hash(key).items()
                if int(seq) >= first
            ][:count],
        )

    def scan_iter(self, match: str) -> Iterator[bytes]:
        assert match.endswith("*")
        return (key for key in list(self.server.data) if key.startswith(match[:-1].encode()))

    def dump(self, key: bytes) -> bytes:
        return repr(self.server.data[key]).encode()

    def config_get(self, name: str) -> dict[str, int]:
        return {name: int(self.server.full)}

    def config_set(self, name: str, value: int) -> None:
        """maxmemory 0 is no limit, any other one is reached."""
        assert name == "maxmemory"
        self.server.full = bool(int(value))

    def close(self) -> None:
        """Nothing is held."""


class MemoryPipeline:
    """Several commands in one round trip, no transaction: others' commands may come between them."""

    def __init__(self, client: MemoryClient) -> None:
        self._client = client
        self._commands: list[tuple[Any, ...]] = []

    def __enter__(self) -> "MemoryPipeline":
        return self

    def __exit__(self, *_: object) -> None:
        self._commands = []

    def execute_command(self, *command: Any) -> None:
        self._commands.append(command)

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        replies: list[Any] = []
        for command in self._commands:
            try:
                replies.append(self._client.execute_command(*command))
            except ResponseError as error:
                if raise_on_error:
                    raise
                replies.append(error)
        return replies


class MemoryStore(RedisStore):
    """RedisStore over a client in memory."""

    def __init__(self, client: MemoryClient, prefix: str) -> None:
        self._redis = client
        self._prefix = prefix
        self._commit = _script("commit")
        self._claim = _script("claim")
        self._trim = _script("trim")


def _fitting(names: list[bytes], wanted: list[bytes]) -> list[bytes]:
    """Those that are wanted, or begin with what is wanted and ends in a bar."""
    beginnings = tuple(one for one in wanted if one.endswith(b"|"))
    return [name for name in names if name in wanted or name.startswith(beginnings)]
