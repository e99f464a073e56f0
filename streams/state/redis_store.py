"""A partition's durable state in Redis: claims, commits, reads. Synchronous; one connection a node.

Nothing here retries: redis-py's own retries are off, because a script whose answer was lost may have
run. Whoever calls decides what a doubt means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from redis.exceptions import NoScriptError, ResponseError

from schemas.journal import GENESIS, ClockState
from streams.domain.aggregated import KEPT_DAYS
from streams.domain.state import CustomerState
from streams.engine.commit import Commit, Position
from streams.state.codec import CODEC_VERSION, decode
from streams.state.connection import connect, every_node
from streams.state.errors import Held, NotSuitable, Refused, StoreError
from streams.state.keys import PartitionKeys, control_key, paused_key
from streams.state.scanning import scan
from streams.state.script import Script
from streams.state.suitability import check_server

__all__ = [
    "Held",
    "NotSuitable",
    "OutboxEntry",
    "RedisStore",
    "Refused",
    "StoreError",
    "Stored",
    "connect",
]

#: Keys of one MGET: a reply of about 2 MB with typical states.
READ_STATES = 1_000
#: Keys looked at, and dropped at once, in one step of a wipe.
WIPE_STEP = 5_000

_pack = msgspec.msgpack.Encoder().encode
_unpack_clock = msgspec.msgpack.Decoder(ClockState).decode
_unpack_vector = msgspec.msgpack.Decoder(dict[str, int]).decode
_unpack_rows = msgspec.msgpack.Decoder(list[tuple[str, int, bytes | None, bytes, int, str]]).decode


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


class RedisStore:
    """All that the engine asks of Redis. Use one instance a thread: its commands go over one connection
    in the order of the calls, so no two scripts of a partition can overtake each other."""

    #: Before a shop's newest day, so many days of aggregates are kept.
    _kept_days = KEPT_DAYS

    def __init__(
        self, url: str, prefix: str, timeout: float = 5.0, kept_days: int = KEPT_DAYS
    ) -> None:
        #: Typed loosely: redis-py leaves execute_command untyped.
        self._redis: Any = connect(url, timeout)
        self._prefix = prefix
        self._kept_days = kept_days
        self._commit = Script("commit")
        self._claim = Script("claim")
        self._trim = Script("trim")

    def keys(self, partition: int) -> PartitionKeys:
        return PartitionKeys(self._prefix, partition)

    def close(self) -> None:
        self._redis.close()

    def ping(self) -> None:
        """Raises redis.RedisError when a server does not answer in time."""
        for node in every_node(self._redis):
            node.ping()

    def check_server(self) -> None:
        """Raises NotSuitable, or what ``streams.state.suitability.check_server`` says of a doubt."""
        check_server(self._redis)

    def load_scripts(self) -> None:
        """To every node. Raises redis.RedisError."""
        for node in every_node(self._redis):
            for script in (self._commit, self._claim, self._trim):
                node.script_load(script.text)

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
        for key in scan(self._redis, keys.base, step=WIPE_STEP):
            batch.append(key)
            if len(batch) >= WIPE_STEP:
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
        whole = keys.base
        return [
            4 + len(commit.states) + len(commit.expired) + len(commit.added.keys),
            keys.meta,
            keys.timers,
            keys.out,
            keys.kept,
            *[base + key for key in commit.states],
            *[base + key for key in commit.expired],
            *[whole + key for key in commit.added.keys],
            position.seq,
            _hex(position),
            epoch,
            commit.position.chain.hex(),
            CODEC_VERSION,
            len(commit.states),
            len(commit.timers),
            len(fields) // 3,
            *entry,
            commit.added.data,
            self._kept_days,
            commit.journal.clock.watermark,
            len(commit.expired),
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
        found = cast(dict[bytes, bytes], self._redis.hgetall(control_key(self._prefix)))
        return {name.decode(): value.decode() for name, value in found.items()}

    def paused(self) -> dict[int, bytes]:
        """What ``note_paused`` keeps, by partition."""
        found = cast(dict[bytes, bytes], self._redis.hgetall(paused_key(self._prefix)))
        return {int(number): why for number, why in found.items()}

    def note_paused(self, paused: Mapping[int, bytes], others: Sequence[int]) -> None:
        """Keep why these partitions are paused, for operators; ``others`` are not."""
        name = paused_key(self._prefix)
        if paused:
            self._redis.hset(name, mapping=dict(paused))
        if others:
            self._redis.hdel(name, *others)

    def _evalsha(self, script: Script, *arguments: Any) -> Any:
        try:
            return self._redis.execute_command("EVALSHA", script.sha, *arguments)
        except NoScriptError:
            self.load_scripts()
            return self._redis.execute_command("EVALSHA", script.sha, *arguments)


def _hex(position: Position) -> str:
    """The chain as Redis has it: absent before the first commit."""
    return position.chain.hex() if position.seq else ""
