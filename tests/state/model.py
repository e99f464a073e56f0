"""What a partition in Redis must hold, as docs/architecture.md says it: written apart from the scripts."""

from dataclasses import dataclass, field

import msgspec

from schemas.journal import GENESIS
from streams.engine.commit import Commit, Position
from streams.state.codec import CODEC_VERSION


@dataclass
class PartitionModel:
    """All keys of a partition. Every operation says whether Redis must take it, and does so here."""

    meta: dict[str, bytes] = field(default_factory=dict)
    timers: dict[str, float] = field(default_factory=dict)
    #: seq -> (row, rows, vector)
    out: dict[int, tuple[bytes, bytes, bytes]] = field(default_factory=dict)
    states: dict[str, bytes] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        seq = int(self.meta.get("seq", b"0"))
        return Position(seq, bytes.fromhex(self.meta["chain"].decode()) if seq else GENESIS)

    @property
    def epoch(self) -> int | None:
        return int(self.meta["epoch"]) if "epoch" in self.meta else None

    @property
    def trimmed(self) -> int:
        return int(self.meta.get("trimmed", b"0"))

    def takes_claim(self, generation: int, member: str) -> bool:
        """A greater generation, or the same pair again."""
        if self.epoch is None or generation > self.epoch:
            return True
        return generation == self.epoch and self.meta["member"] == member.encode()

    def claim(self, generation: int, member: str) -> None:
        self.meta |= {"epoch": b"%d" % generation, "member": member.encode()}

    def takes_commit(self, epoch: int, position: Position) -> bool:
        """Only from who holds all three: the number, the lineage and the partition."""
        return self.epoch == epoch and self.position == position

    def commit(self, commit: Commit, outbox: bool) -> None:
        self.states |= commit.states
        for key in commit.expired:
            self.states.pop(key, None)
        for key, due in commit.timers.items():
            if due is None:
                self.timers.pop(key, None)
            else:
                self.timers[key] = float(due)
        for topic, offset in commit.vector.items():
            self.meta[f"offset:{topic}"] = b"%d" % offset
        for (topic, outcome), count in commit.counts.items():
            self._add(f"count:{topic}:{outcome}", count)
        if commit.evicted_early:
            self._add("evicted_early", commit.evicted_early)
        seq = self.position.seq + 1
        if outbox:
            rows = [row.as_tuple() for row in commit.rows]
            pack = msgspec.msgpack.encode
            self.out[seq] = (commit.row, pack(rows), pack(commit.vector))
        self.meta |= {
            "clock": msgspec.msgpack.encode(commit.journal.clock),
            "seq": b"%d" % seq,
            "chain": commit.position.chain.hex().encode(),
            "codec_min": b"%d" % CODEC_VERSION,
        }
        self.meta.setdefault("aggregated_from", b"%d" % seq)
        self.meta.setdefault("aggregated_since", b"%d" % commit.journal.clock.watermark)

    def _add(self, name: str, count: int) -> None:
        self.meta[name] = b"%d" % (int(self.meta.get(name, b"0")) + count)

    def trim(self, epoch: int, published: int) -> int:
        """Entries dropped, -1 where somebody else owns the partition."""
        if self.epoch != epoch:
            return -1
        if published <= self.trimmed:
            return 0
        self.meta["trimmed"] = b"%d" % published
        gone = [seq for seq in self.out if seq <= published]
        for seq in gone:
            del self.out[seq]
        return len(gone)
