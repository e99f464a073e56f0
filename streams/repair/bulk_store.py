"""A partition's store during a rebuild: commits are gathered and written many at a time.

What recovery asks of Redis (due timers, states that left its memory) is answered from what is gathered,
so a journal row costs no round trip. For one partition, and only while no worker runs.
"""

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from streams.domain.aggregated import KEPT_DAYS
from streams.domain.increments import Increments
from streams.domain.state import CustomerState
from streams.engine.commit import Commit, Position
from streams.repair.snapshot_file import Header
from streams.repair.timers import PendingTimers
from streams.state.codec import CODEC_VERSION, decode
from streams.state.days import Place, StoredDay, load_days
from streams.state.increments import pack_increments
from streams.state.redis_store import RedisStore, Refused
from streams.state.script import with_includes

#: A write carries the states of so many commits ...
WRITE_COMMITS = 500
#: ... or about this many states ...
WRITE_STATES = 2_000
#: ... or bytes of them: some 20 ms of Redis, which serves nobody else of this stack meanwhile.
WRITE_BYTES = 8 * 1024 * 1024
#: Encoded states of a snapshot that are held so that the first event of a customer needs no read.
WARM_BYTES = 256 * 1024 * 1024
#: Redis' answer to a write or a load may take so long.
ANSWER_SECONDS = 30.0

#: ... or changes to aggregates.
WRITE_INCREMENTS = 20_000
_SCRIPT = with_includes(resources.files("streams.repair").joinpath("bulk.lua").read_text())
_pack = msgspec.msgpack.Encoder().encode

Block = Sequence[tuple[str, bytes, int | None]]


class BulkStore(RedisStore):
    """Stands in for the store of a recovery. ``flush`` writes what is still gathered."""

    def __init__(self, url: str, prefix: str, partition: int, kept_days: int = KEPT_DAYS) -> None:
        super().__init__(url, prefix, timeout=ANSWER_SECONDS, kept_days=kept_days)
        self._partition = partition
        self._timers = PendingTimers()
        #: Every state key that exists: what is not in here need not be asked for.
        self._known: set[str] = set()
        self._warm: dict[str, bytes] = {}
        self._warm_bytes = 0
        self._counters: dict[str, int] = {}
        # Gathered since the last write.
        self._states: dict[str, bytes] = {}
        #: States that went and may still be in Redis, in the order in which they did.
        self._expired: dict[str, None] = {}
        self._due: dict[str, int | None] = {}
        self._fields: dict[str, Any] = {}
        self._increments = Increments()
        self._bytes = self._commits = 0
        self._epoch = 0
        #: Of the first commit that is gathered, ms.
        self._watermark = 0
        self._from: Position | None = None
        self._to: Position | None = None

    # A snapshot --------------------------------------------------------------------------------

    def load(
        self, header: Header, blocks: Iterable[Block], days: Iterable[tuple[Place, StoredDay]]
    ) -> None:
        """Write a snapshot into a partition that was wiped; its position comes last.

        Cut short it leaves a partition without a position, which no worker takes. Raises
        redis.RedisError.
        """
        keys = self.keys(self._partition)
        for block in blocks:
            pipe: Any = self._redis.pipeline(transaction=False)
            states: list[Any] = []
            due: list[Any] = []
            for key, state, moment in block:
                states += (keys.state(key), state)
                if moment is not None:
                    due += (moment, key)
            if states:
                pipe.execute_command("MSET", *states)
            if due:
                pipe.execute_command("ZADD", keys.timers, *due)
            pipe.execute()
            self._remember(block)
        load_days(self._redis, keys, header.kept_from, days)
        self._take_over(header)
        fields: list[Any] = []
        for name, value in header.meta.items():
            fields += (name, value)
        self._redis.execute_command("HSET", keys.meta, *fields)

    def _take_over(self, header: Header) -> None:
        for name, value in header.meta.items():
            if name.startswith("count:") or name == "evicted_early":
                self._counters[name] = int(value)

    def _remember(self, block: Block) -> None:
        for key, state, due in block:
            self._known.add(key)
            if due is not None:
                self._timers.set(key, due)
            if self._warm_bytes < WARM_BYTES:
                self._warm[key] = state
                self._warm_bytes += len(state)

    @property
    def counted(self) -> int:
        """Records that the commits so far have counted, those of the snapshot included."""
        return sum(n for name, n in self._counters.items() if name.startswith("count:"))

    # What a recovery asks for ------------------------------------------------------------------

    def commit(
        self, batch: Sequence[tuple[int, int, Position, Commit]], outbox: bool = True
    ) -> list[int | None | Refused]:
        """Gather the commits; writes when enough came together. Nothing is kept for publishing."""
        assert not outbox
        for _, epoch, position, commit in batch:
            if self._from is None:
                self._from = position
                self._watermark = commit.journal.clock.watermark
            self._epoch, self._to = epoch, commit.position
            self._gather(commit)
        if (
            self._commits >= WRITE_COMMITS
            or len(self._states) + len(self._expired) >= WRITE_STATES
            or self._bytes >= WRITE_BYTES
            or self._increments.size >= WRITE_INCREMENTS
        ):
            self.flush()
        return [self._timers.first()]

    def _gather(self, commit: Commit) -> None:
        self._commits += 1
        for key, state in commit.states.items():
            self._bytes += len(state)
            self._known.add(key)
            old = self._warm.pop(key, None)
            if old is not None:
                self._warm_bytes -= len(old)
            self._expired.pop(key, None)
        self._states.update(commit.states)
        for key in commit.expired:
            self._states.pop(key, None)
            self._known.discard(key)
            self._warm_bytes -= len(self._warm.pop(key, b""))
            self._expired[key] = None
        for key, due in commit.timers.items():
            self._timers.set(key, due)
        self._due.update(commit.timers)
        counters, fields = self._counters, self._fields
        counts = {f"count:{topic}:{kind}": n for (topic, kind), n in commit.counts.items()}
        if commit.evicted_early:
            counts["evicted_early"] = commit.evicted_early
        for name, count in counts.items():
            fields[name] = counters[name] = counters.get(name, 0) + count
        for topic, offset in commit.vector.items():
            fields[f"offset:{topic}"] = offset
        fields["clock"] = commit.journal.clock
        self._increments.include(commit.increments)

    def flush(self) -> None:
        """Write what was gathered. Raises Refused when somebody else wrote, or redis.RedisError."""
        if self._from is None or self._to is None:
            return
        try:
            self._write_gathered(self._from, self._to)
        except ResponseError as error:
            if not str(error).startswith("REFUSED"):
                raise
            held = f"{self._from.seq} {_hex(self._from)} {self._epoch}"
            raise Refused(self._partition, held, str(error)) from error
        self._states.clear()
        self._expired.clear()
        self._due.clear()
        self._fields.clear()
        self._increments = Increments()
        self._bytes = self._commits = 0
        self._from = None

    def _write_gathered(self, before: Position, after: Position) -> None:
        keys = self.keys(self._partition)
        timers: list[Any] = []
        for key, due in self._due.items():
            timers += (key, "" if due is None else due)
        fields: list[Any] = []
        for name, value in self._fields.items():
            fields += (name, _pack(value) if name == "clock" else value)
        base = keys.state_base
        added = pack_increments(self._increments)
        self._redis.execute_command(
            "EVAL",
            _SCRIPT,
            3 + len(self._states) + len(self._expired) + len(added.keys),
            keys.meta,
            keys.timers,
            keys.kept,
            *[base + key for key in self._states],
            *[base + key for key in self._expired],
            *[keys.base + key for key in added.keys],
            before.seq,
            _hex(before),
            self._epoch,
            after.seq,
            _hex(after),
            CODEC_VERSION,
            len(self._states),
            len(self._due),
            added.data,
            self._kept_days,
            self._watermark,
            len(self._expired),
            *self._states.values(),
            *timers,
            *fields,
        )

    def due(self, partition: int, until: int, limit: int) -> list[tuple[str, int]]:
        """From memory; ``limit`` is above any commit's."""
        return self._timers.until(until)[:limit]

    def load_states(
        self, wanted: Mapping[int, Sequence[str]]
    ) -> dict[int, dict[str, tuple[CustomerState, int]]]:
        """From what is gathered or was loaded; Redis is asked for what left memory only."""
        found: dict[str, tuple[CustomerState, int]] = {}
        absent = []
        for key in wanted[self._partition]:
            encoded = self._states.get(key) or self._warm.get(key)
            if encoded is not None:
                found[key] = (decode(encoded), len(encoded))
            elif key in self._known:
                absent.append(key)
        if absent:
            found |= super().load_states({self._partition: absent})[self._partition]
        return {self._partition: found}


class RehearsalStore(BulkStore):
    """A bulk store that writes nothing: all states stay in memory, for as long as a sample takes."""

    def load(
        self, header: Header, blocks: Iterable[Block], days: Iterable[tuple[Place, StoredDay]]
    ) -> None:
        """Take the snapshot over in memory alone; nothing asks it for aggregates."""
        for block in blocks:
            self._warm.update((key, state) for key, state, _ in block)
            self._remember(block)
        self._take_over(header)

    def _write_gathered(self, before: Position, after: Position) -> None:
        self._warm.update(self._states)


def _hex(position: Position) -> str:
    return position.chain.hex() if position.seq else ""
