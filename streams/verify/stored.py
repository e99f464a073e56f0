"""What Redis holds of a partition, read in batches that are each of one moment.

Nothing here writes: the script is run as a read-only one, so it can go to a replica too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from streams.state.days import Days, Place, read_days, read_kept, read_places
from streams.state.keys import PartitionKeys
from streams.state.scanning import SCAN_STEP, scan

#: Keys read at one moment; the script takes about 2 ms for them, in which no commit runs.
BATCH = 500

_SCRIPT = resources.files("streams.verify").joinpath("stored.lua").read_text()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A batch as of the commit ``seq``; ``states`` and ``dues`` stand beside the keys asked for."""

    seq: int
    #: In hexadecimal; empty before the first commit.
    chain: str
    meta: dict[str, bytes]
    states: list[bytes | None]
    #: Milliseconds since 1970; None: no timer.
    dues: list[float | None]


class StoredPartition:
    """Reads one partition. Every call blocks and raises redis.RedisError."""

    def __init__(self, redis: Any, prefix: str, partition: int) -> None:
        """``redis`` is of ``streams.state.connection``; typed loosely, as redis-py leaves scripts."""
        self._redis = redis
        self._keys = PartitionKeys(prefix, partition)

    def snapshot(self, keys: Sequence[str] = ()) -> Snapshot:
        """The states and timers of these state keys, and where the partition stands, atomically."""
        names = self._keys
        meta, states, dues = self._redis.execute_command(
            "EVAL_RO",
            _SCRIPT,
            2 + len(keys),
            names.meta,
            names.timers,
            *[names.state(key) for key in keys],
            *keys,
        )
        fields = {meta[at].decode(): meta[at + 1] for at in range(0, len(meta), 2)}
        return Snapshot(
            seq=int(fields.get("seq", b"0")),
            chain=fields.get("chain", b"").decode(),
            meta=fields,
            states=states,
            dues=[None if due is None else float(due) for due in dues],
        )

    def kept(self) -> dict[str, int]:
        """Shop -> the first day of which its aggregates are kept."""
        return read_kept(self._redis, self._keys)

    def places(self) -> list[Place]:
        """Every shop's day that has aggregates and is kept."""
        return read_places(self._redis, self._keys)

    def days(self, places: Sequence[Place]) -> tuple[Snapshot, Days]:
        """The aggregates of these, and where the partition stands, of one moment."""
        found = read_days(self._redis, self._keys, places)
        meta = found.meta
        chain = meta.get("chain", b"").decode()
        return Snapshot(found.seq, chain, meta, [], []), found

    def state_keys(self) -> Iterator[str]:
        """The key of every state that is there all the while; some twice, newer ones perhaps."""
        base = self._keys.state_base
        for key in scan(self._redis, base):
            yield key.decode(errors="replace").removeprefix(base)

    def timer_keys(self) -> Iterator[str]:
        """The same of the timers' members."""
        for member, _ in self._redis.zscan_iter(self._keys.timers, count=SCAN_STEP):
            yield member.decode(errors="replace")
