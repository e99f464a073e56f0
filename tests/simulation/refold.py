"""A partition folded again from its log along its journal, by nothing but the pure processor."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from schemas.decoding import RawRecord
from schemas.journal import ClockState, Skipped, decode_row
from streams.domain.aggregated import PartitionAggregates
from streams.domain.state import CustomerState
from streams.engine.commit import Fetched, OutRow, Position, stamp_of
from streams.engine.partition import NEW_CLOCK, NEW_POSITION
from streams.state.codec import CODEC_VERSION
from tests.simulation.definitions import GrowingDefinitions
from tests.simulation.memory_aggregates import put_aggregates
from tests.simulation.memory_kafka import MemoryKafka
from tests.simulation.memory_redis import MemoryRedis
from tests.simulation.worker import TOPICS, make_processors

_pack = msgspec.msgpack.Encoder().encode


class Broken(AssertionError):
    """What the log and the journal say cannot both be true."""


@dataclass
class Refolded:
    """A partition as its journal says that it must be."""

    position: Position = NEW_POSITION
    clock: ClockState = NEW_CLOCK
    vector: dict[str, int] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)
    timers: dict[str, int] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: list[OutRow] = field(default_factory=list)
    evicted_early: int = 0
    #: States removed.
    expired: int = 0
    aggregates: PartitionAggregates = field(default_factory=PartitionAggregates)
    #: The first commit's watermark.
    since: int = 0
    #: What was left out on an operator's word.
    skipped: list[Skipped] = field(default_factory=list)

    def put_into(self, redis: MemoryRedis, number: int) -> None:
        """What `huitou rebuild` does: Redis holds this and nothing else of the partition."""
        base = f"sim:{{{number}}}:"
        for key in [key for key in redis.data if key.startswith(base.encode())]:
            del redis.data[key]
        if not self.position.seq:
            return
        seq = str(self.position.seq).encode()
        meta = redis.hash(f"{base}meta")
        meta |= {
            b"seq": seq, b"trimmed": seq, b"chain": self.position.chain.hex().encode(),
            b"clock": _pack(self.clock), b"codec_min": str(CODEC_VERSION).encode(),
            b"epoch": b"0", b"member": b"rebuild", b"aggregated_from": b"1",
            b"aggregated_since": b"%d" % self.since,
        }  # fmt: skip
        put_aggregates(redis.data, base, self.aggregates)
        for topic, offset in self.vector.items():
            meta[f"offset:{topic}".encode()] = str(offset).encode()
        for (topic, outcome), count in self.counts.items():
            meta[f"count:{topic}:{outcome}".encode()] = str(count).encode()
        for key, value in self.states.items():
            redis.data[f"{base}state:{key}".encode()] = value
        for key, due in self.timers.items():
            redis.hash(f"{base}timers")[key.encode()] = float(due)


def refold(kafka: MemoryKafka, partitions: int, number: int) -> Refolded:
    """Raises Broken where the chain is, or where a row cannot be had again byte for byte."""
    processor = make_processors(partitions)[number]
    reader = GrowingDefinitions(lambda: 0, 0)
    done = Refolded()
    live: dict[str, CustomerState] = {}
    journal = kafka.logs[TOPICS.journal, number]
    for offset, entry in journal.visible(0, journal.end):
        raw = entry.value or b""
        row = decode_row(raw)
        where = f"partition {number}, journal offset {offset}, seq {row.seq}"
        if row.seq != done.position.seq + 1:
            raise Broken(f"{where}: follows seq {done.position.seq}")
        if row.previous != done.position.chain:
            raise Broken(f"{where}: follows another row than the one before it")
        definitions = reader.upto(row.definitions)
        fetched = []
        for part in row.slices:
            if part.start < done.vector.get(part.topic, 0):
                raise Broken(f"{where}: {part.topic} from {part.start} again")
            if part.topic == TOPICS.clock:
                continue
            if part.start != done.vector.get(part.topic, 0):
                raise Broken(f"{where}: {part.topic} skips to {part.start}")
            place = (part.topic, number)
            found = kafka.logs[place].visible(part.start, part.end)
            records = [RawRecord(*place, at, e.timestamp, e.key, e.value) for at, e in found]
            if len(records) != part.count:
                raise Broken(f"{where}: {part.topic} has {len(records)} of {part.count} records")
            fetched.append(Fetched(part.topic, part.start, part.end, records))
        if row.fired is not None:
            last = (row.fired.due, row.fired.key)
            due = sorted((at, key) for key, at in done.timers.items() if (at, key) <= last)
            if not due or due[-1] != last:
                raise Broken(f"{where}: fired timers that were not pending")
            pairs = [(key, at) for at, key in due]
            draft = processor.fire(
                done.position, pairs, live, {}, definitions, skips=row.skip or ()
            )
        else:
            work = processor.prepare(fetched, row.latest, row.skip or ())
            draft = processor.fold(done.position, work, live, {}, definitions, bounded=False)
        clock = [part for part in row.slices if part.topic == TOPICS.clock]
        commit = draft.finish(stamp_of(row), clock)
        if commit.row != raw:
            raise Broken(f"{where}: folding it again gives {commit.journal}, not {row}")
        done.position, done.clock = commit.position, row.clock
        done.vector.update(commit.vector)
        done.states.update(commit.states)
        for key in commit.expired:
            del done.states[key]
        done.expired += len(commit.expired)
        done.counts.update(commit.counts)
        done.rows += commit.rows
        done.skipped += row.skip or ()
        done.evicted_early += commit.evicted_early
        if row.seq == 1:
            done.since = row.clock.watermark
        done.aggregates.apply(commit.increments)
        for key, at in commit.timers.items():
            if at is None:
                done.timers.pop(key, None)
            else:
                done.timers[key] = at
    return done
