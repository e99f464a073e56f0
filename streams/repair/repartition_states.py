"""The states of one partition as Redis holds them, each with its timer, and a digest of them all."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from streams.domain.state import state_key
from streams.domain.timers import next_due
from streams.repair.refused import RepairRefused
from streams.state.codec import decode, encode
from streams.state.keys import PartitionKeys
from streams.state.scanning import SCAN_STEP, escape_pattern

#: States read at one moment.
BATCH = 1_000
_DIGEST_BYTES = 16
_MODULUS = 2 ** (8 * _DIGEST_BYTES)


class MovedState(NamedTuple):
    """A customer's state: its key in Redis, whose it is, its bytes, its earliest due time in ms."""

    key: str
    customer: str
    value: bytes
    due: int | None


@dataclass(slots=True)
class Tally:
    """How many states and timers, and the sum of their digests, which does not depend on the order."""

    states: int = 0
    timers: int = 0
    digest: int = 0

    def add(self, state: MovedState) -> None:
        self.states += 1
        self.timers += state.due is not None
        whole = hashlib.blake2b(state.key.encode(), digest_size=_DIGEST_BYTES)
        whole.update(b"\0" + str(state.due).encode() + b"\0" + state.value)
        self.digest = (self.digest + int.from_bytes(whole.digest(), "big")) % _MODULUS

    def include(self, other: "Tally") -> None:
        self.states += other.states
        self.timers += other.timers
        self.digest = (self.digest + other.digest) % _MODULUS

    def __str__(self) -> str:
        return f"{self.states:,} states and {self.timers:,} timers, digest {self.digest:032x}"


def moved_state(value: bytes) -> MovedState:
    """A state from its bytes, in this build's encoding. Raises StateCodecError."""
    state = decode(value)
    key = state_key(state.shop_id, state.customer_id, state.kind)
    return MovedState(key, state.customer_id, encode(state), next_due(state))


def read_states(redis: Any, keys: PartitionKeys) -> Iterator[MovedState]:
    """Every state of a partition that nobody writes to, by key.

    ``redis`` is a client that answers bytes. Walks over all keys of Redis and holds the partition's
    keys in memory. Raises RepairRefused where a state or a timer is not what the engine leaves,
    StateCodecError and redis.RedisError.
    """
    base = keys.state_base
    found = redis.scan_iter(match=escape_pattern(base) + "*", count=SCAN_STEP)
    # A walk may meet a key twice.
    names = sorted({key.decode().removeprefix(base) for key in found})
    timers = 0
    for at in range(0, len(names), BATCH):
        batch = names[at : at + BATCH]
        with redis.pipeline(transaction=True) as pipe:
            pipe.mget([keys.state(name) for name in batch])
            pipe.zmscore(keys.timers, batch)
            values, dues = pipe.execute()
        for name, value, due in zip(batch, values, dues, strict=True):
            if value is None:
                raise _broken(keys, f"state {name} vanished while it was read")
            state = moved_state(value)
            if state.key != name:
                raise _broken(keys, f"the state under {name} is that of {state.key}")
            if state.due != (None if due is None else int(due)):
                raise _broken(keys, f"the timer of {name} is at {due}, its state says {state.due}")
            timers += due is not None
            yield state
    if redis.zcard(keys.timers) != timers:
        raise _broken(keys, f"{redis.zcard(keys.timers)} timers, {timers} of them with a state")


def _broken(keys: PartitionKeys, detail: str) -> RepairRefused:
    return RepairRefused(
        f"partition {keys.partition} in Redis ({keys.base}): {detail}. `huitou verify` tells what "
        f"else differs from the log, `huitou rebuild --partition {keys.partition}` restores it"
    )
