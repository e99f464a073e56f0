"""A partition's durable state in Redis: claims, commits, reads. Synchronous; one connection a caller.

Nothing here retries: redis-py's own retries are off, because a script whose answer was lost may have
run. Whoever calls decides what a doubt means.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, cast

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, NoScriptError, ResponseError
from redis.retry import Retry

from schemas.journal import GENESIS, ClockState
from streams.domain.state import CustomerState
from streams.engine.commit import Commit, Position
from streams.state.codec import CODEC_VERSION, decode
from streams.state.keys import PartitionKeys
from streams.state.scanning import escape_pattern

#: Keys of one MGET: a reply of about 2 MB with typical states.
READ_STATES = 1_000
MINIMUM_REDIS = (7, 0)

_pack = msgspec.msgpack.Encoder().encode
_unpack_clock = msgspec.msgpack.Decoder(ClockState).decode
_unpack_vector = msgspec.msgpack.Decoder(dict[str, int]).decode
_unpack_rows = msgspec.msgpack.Decoder(list[tuple[str, int, bytes | None, bytes, int, str]]).decode


class StoreError(Exception):
    """Redis answered something that the protocol has no room for."""


class NotSuitable(StoreError):
    """The server is set up so that the promises cannot be kept; says which setting to change."""


class Refused(StoreError):
    """The commit script found another seq, chain or epoch than this process holds."""

    def __init__(self, partition: int, held: str, reply: str) -> None:
        super().__init__(f"partition {partition}: commit under {held} refused by Redis: {reply}")
        self.partition = partition
        parts = reply.split(" ")
        self.reason = {"REFUSED": "sequence", "CODEC": "codec"}.get(parts[0], "malformed")
        if parts[0] == "REFUSED" and parts[-1] != held.rsplit(" ", 1)[-1]:
            self.reason = "epoch"


class Held(StoreError):
    """Another owner with a greater generation has claimed the partition."""

    def __init__(self, partition: int, generation: int, member: str, reply: str) -> None:
        super().__init__(
            f"partition {partition}: claim of generation {generation} ({member}) refused, {reply}"
        )
        self.partition = partition
        _, held_generation, self.member = reply.split(" ", 2)
        self.generation = int(held_generation)


@dataclass(slots=True)
class Stored:
    """What Redis holds of a partition; ``exists`` is False before its first commit."""

    exists: bool
    position: Position
    vector: dict[str, int]
    clock: ClockState | None
    trimmed: int
    codec_min: int
    next_due: int | None


@dataclass(slots=True)
class OutboxEntry:
    seq: int
    row: bytes
    rows: list[tuple[str, int, bytes | None, bytes, int, str]]
    vector: dict[str, int]
    #: Bytes in Redis, about.
    size: int


class _Script:
    def __init__(self, name: str) -> None:
        self.text = resources.files("streams.state").joinpath(f"scripts/{name}.lua").read_text()
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


def connect(url: str, timeout: float = 5.0) -> "redis.Redis":
    """A client that answers bytes and never retries."""
    return redis.Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=timeout, socket_connect_timeout=timeout
    )


class RedisStore:
    """All that the engine asks of Redis. Use one instance a thread: its commands go over one connection
    in the order of the calls, so no two scripts of a partition can overtake each other."""

    def __init__(self, url: str, prefix: str, timeout: float = 5.0) -> None:
        #: Typed loosely: redis-py leaves execute_command untyped.
        self._redis: Any = connect(url, timeout)
        self._prefix = prefix
        self._commit = _Script("commit")
        self._claim = _Script("claim")
        self._trim = _Script("trim")

    def keys(self, partition: int) -> PartitionKeys:
        return PartitionKeys(self._prefix, partition)

    def close(self) -> None:
        self._redis.close()

    def ping(self) -> None:
        """Raises redis.RedisError when the server does not answer in time."""
        self._redis.ping()

    def check_server(self) -> None:
        """Raises NotSuitable unless the server keeps what it is told (appendonly, noeviction, version).

        Raises BusyLoadingError while it still reads its files.
        """
        info = self._redis.info()
        if int(info.get("loading", 0)):
            # It answers INFO all the same, and says that appendonly is off while it reads that file.
            raise BusyLoadingError("Redis is still reading its files")
        version = str(info.get("redis_version", "0"))
        if tuple(int(part) for part in version.split(".")[:2]) < MINIMUM_REDIS:
            raise NotSuitable(f"Redis {version} is too old: 7.0 or later is needed")
        policy = info.get("maxmemory_policy")
        if policy != "noeviction":
            raise NotSuitable(
                f"Redis maxmemory-policy is {policy}: states could vanish; "
                "run CONFIG SET maxmemory-policy noeviction"
            )
        if not int(info.get("aof_enabled", 0)):
            raise NotSuitable("Redis appendonly is off: run CONFIG SET appendonly yes")

    def load_scripts(self) -> None:
        for script in (self._commit, self._claim, self._trim):
            self._redis.script_load(script.text)

    def claim(self, partition: int, generation: int, member: str) -> Stored:
        """Take the partition for (generation, member) and read where it stands. Raises Held."""
        keys = self.keys(partition)
        try:
            flat = self._evalsha(self._claim, 1, keys.meta, str(generation), member)
        except ResponseError as error:
            if str(error).startswith("HELD"):
                raise Held(partition, generation, member, str(error)) from error
            raise
        return self._stored(keys, dict(zip(flat[::2], flat[1::2], strict=True)))

    def stored(self, partition: int) -> Stored:
        """Read where the partition stands, without a claim."""
        keys = self.keys(partition)
        return self._stored(keys, cast(dict[bytes, bytes], self._redis.hgetall(keys.meta)))

    def _stored(self, keys: PartitionKeys, meta: dict[bytes, bytes]) -> Stored:
        first = cast(
            list[tuple[bytes, float]], self._redis.zrange(keys.timers, 0, 0, withscores=True)
        )
        clock = meta.get(b"clock")
        chain = meta.get(b"chain")
        return Stored(
            exists=b"seq" in meta,
            position=Position(
                int(meta.get(b"seq", b"0")),
                bytes.fromhex(chain.decode()) if chain else GENESIS,
            ),
            vector={
                name[7:].decode(): int(value)
                for name, value in meta.items()
                if name.startswith(b"offset:")
            },
            clock=_unpack_clock(clock) if clock else None,
            trimmed=int(meta.get(b"trimmed", b"0")),
            codec_min=int(meta.get(b"codec_min", b"0")),
            next_due=int(first[0][1]) if first else None,
        )

    def holder(self, partition: int) -> str:
        """The member under whose claim the partition is; empty where there is none."""
        member = cast(bytes | None, self._redis.hget(self.keys(partition).meta, "member"))
        return member.decode() if member else ""

    def forget_epoch(self, partition: int) -> None:
        """Let the next claim win whatever its generation; only while no worker runs."""
        self._redis.hdel(self.keys(partition).meta, "epoch", "member")

    def wipe(self, partition: int) -> int:
        """Drop everything of the partition, its position first; returns the keys dropped.

        A wipe that is cut short leaves a partition without a position, which no worker takes.
        """
        keys = self.keys(partition)
        dropped = int(self._redis.delete(keys.meta))
        batch: list[bytes] = []
        for key in self._redis.scan_iter(match=escape_pattern(keys.base) + "*", count=5_000):
            batch.append(key)
            if len(batch) >= 5_000:
                dropped += int(self._redis.unlink(*batch))
                batch.clear()
        if batch:
            dropped += int(self._redis.unlink(*batch))
        return dropped

    def counts(self, partition: int) -> dict[tuple[str, str], int]:
        """(topic, outcome) -> records, as the commit scripts counted them."""
        meta = cast(dict[bytes, bytes], self._redis.hgetall(self.keys(partition).meta))
        result: dict[tuple[str, str], int] = {}
        for name, value in meta.items():
            if name.startswith(b"count:"):
                topic, outcome = name[6:].decode().rsplit(":", 1)
                result[topic, outcome] = int(value)
        return result

    def commit(
        self,
        batch: Sequence[tuple[int, int, Position, Commit]],
        outbox: bool = True,
    ) -> list[int | None | Refused]:
        """Run the commits of several partitions in one round trip: (partition, epoch, stands at, commit).

        Returns, for each, the partition's earliest due timer in ms (None: none left) or why it was
        refused. With ``outbox`` False no row is kept for publishing (a replay of what Kafka has).
        Raises redis.RedisError when the answer is in doubt.
        """
        pipe: Any = self._redis.pipeline(transaction=False)
        calls = [self._commit_call(*entry, outbox) for entry in batch]
        for call in calls:
            pipe.execute_command("EVALSHA", self._commit.sha, *call)
        replies = pipe.execute(raise_on_error=False)
        results: list[int | None | Refused] = []
        for (partition, epoch, position, _), call, reply in zip(batch, calls, replies, strict=True):
            if isinstance(reply, NoScriptError):
                # Not run at all: the one case in which running it again is no doubt.
                self.load_scripts()
                try:
                    reply = self._redis.execute_command("EVALSHA", self._commit.sha, *call)
                except ResponseError as error:
                    reply = error
            if isinstance(reply, ResponseError) and str(reply).split(" ")[0] in (
                "REFUSED",
                "CODEC",
                "MALFORMED",
            ):
                held = f"{position.seq} {_hex(position)} {epoch}"
                results.append(Refused(partition, held, str(reply)))
            elif isinstance(reply, Exception):
                raise reply
            else:
                results.append(int(float(reply)) if reply else None)
        return results

    def _commit_call(
        self, partition: int, epoch: int, position: Position, commit: Commit, outbox: bool
    ) -> list[Any]:
        keys = self.keys(partition)
        base = keys.state_base
        timers: list[Any] = []
        for key, due in commit.timers.items():
            timers += (key, "" if due is None else due)
        fields: list[Any] = ["=", "clock", _pack(commit.journal.clock)]
        for topic, offset in commit.vector.items():
            fields += ("=", f"offset:{topic}", offset)
        for (topic, outcome), count in commit.counts.items():
            fields += ("+", f"count:{topic}:{outcome}", count)
        if commit.evicted_early:
            fields += ("+", "evicted_early", commit.evicted_early)
        if outbox:
            rows = _pack([row.as_tuple() for row in commit.rows])
            entry = (commit.row, rows, _pack(commit.vector))
        else:
            entry = (b"", b"", b"")
        return [
            3 + len(commit.states),
            keys.meta,
            keys.timers,
            keys.out,
            *[base + key for key in commit.states],
            position.seq,
            _hex(position),
            epoch,
            commit.position.chain.hex(),
            CODEC_VERSION,
            len(commit.states),
            len(commit.timers),
            len(fields) // 3,
            *entry,
            *commit.states.values(),
            *timers,
            *fields,
        ]

    def load_states(
        self, wanted: Mapping[int, Sequence[str]]
    ) -> dict[int, dict[str, tuple[CustomerState, int]]]:
        """Read states of several partitions in one round trip: partition -> key -> (state, bytes)."""
        pipe: Any = self._redis.pipeline(transaction=False)
        asked: list[tuple[int, Sequence[str]]] = []
        for partition, names in wanted.items():
            base = self.keys(partition).state_base
            for at in range(0, len(names), READ_STATES):
                chunk = names[at : at + READ_STATES]
                asked.append((partition, chunk))
                pipe.execute_command("MGET", *[base + name for name in chunk])
        found: dict[int, dict[str, tuple[CustomerState, int]]] = {p: {} for p in wanted}
        for (partition, chunk), values in zip(asked, pipe.execute(), strict=True):
            states = found[partition]
            for name, value in zip(chunk, values, strict=True):
                if value is not None:
                    states[name] = (decode(value), len(value))
        return found

    def due(self, partition: int, until: int, limit: int) -> list[tuple[str, int]]:
        """(state key, due ms) of the timers due at or before ``until``, in (due, key) order."""
        found = cast(
            list[tuple[bytes, float]],
            self._redis.zrangebyscore(
                self.keys(partition).timers, "-inf", until, start=0, num=limit, withscores=True
            ),
        )
        return [(key.decode(), int(score)) for key, score in found]

    def timers(self, partition: int) -> int:
        """How many customers of the partition have a timer pending."""
        return cast(int, self._redis.zcard(self.keys(partition).timers))

    def outbox(self, partition: int, after: int, limit: int) -> list[OutboxEntry]:
        """Committed and unpublished entries with seq > ``after``, oldest first, at most ``limit``."""
        found = cast(
            list[tuple[bytes, dict[bytes, bytes]]],
            self._redis.xrange(self.keys(partition).out, min=f"{after + 1}-0", count=limit),
        )
        return [
            OutboxEntry(
                int(identifier.split(b"-")[0]),
                fields[b"row"],
                _unpack_rows(fields[b"rows"]),
                _unpack_vector(fields[b"vector"]),
                len(fields[b"row"]) + len(fields[b"rows"]),
            )
            for identifier, fields in found
        ]

    def trim(self, partition: int, epoch: int, published: int) -> int:
        """Drop outbox entries up to seq ``published``; -1 when the partition has another owner."""
        keys = self.keys(partition)
        return cast(
            int, self._evalsha(self._trim, 2, keys.meta, keys.out, str(epoch), str(published))
        )

    def trim_many(self, published: Sequence[tuple[int, int, int]]) -> None:
        """``trim`` for several (partition, epoch, published seq) in one round trip."""
        pipe: Any = self._redis.pipeline(transaction=False)
        for partition, epoch, seq in published:
            keys = self.keys(partition)
            pipe.execute_command(
                "EVALSHA", self._trim.sha, 2, keys.meta, keys.out, str(epoch), str(seq)
            )
        for (partition, epoch, seq), reply in zip(
            published, pipe.execute(raise_on_error=False), strict=True
        ):
            if isinstance(reply, NoScriptError):
                self.trim(partition, epoch, seq)
            elif isinstance(reply, Exception):
                raise reply

    def control(self) -> dict[str, str]:
        """Orders from operators, as ``resume:<topic>`` -> a number that rises with each order."""
        found = cast(dict[bytes, bytes], self._redis.hgetall(f"{self._prefix}control"))
        return {name.decode(): value.decode() for name, value in found.items()}

    def _evalsha(self, script: _Script, *arguments: Any) -> Any:
        try:
            return self._redis.execute_command("EVALSHA", script.sha, *arguments)
        except NoScriptError:
            self._redis.script_load(script.text)
            return self._redis.execute_command("EVALSHA", script.sha, *arguments)


def _hex(position: Position) -> str:
    """The chain as Redis has it: absent before the first commit."""
    return position.chain.hex() if position.seq else ""
