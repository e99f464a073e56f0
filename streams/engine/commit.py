"""A commit of a partition: what came in, what goes out, where it leads. Plain data, no behaviour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.decoding import Record
from schemas.journal import ClockState, JournalRow
from streams.domain.increments import Increments
from streams.state.increments import NOTHING_ADDED, PackedIncrements

APPLIED, DUPLICATE, DEAD_LETTER = "applied", "duplicate", "dead_letter"


@dataclass(slots=True)
class Fetched:
    """Records of one topic of a partition, covering offsets [start, end) whole."""

    topic: str
    start: int
    end: int
    records: Sequence[Record]


@dataclass(slots=True, frozen=True)
class Stamp:
    """What a journal row says of the circumstances of its commit; replayed commits take it from the row."""

    epoch: int
    clock: ClockState
    latest: int
    definitions: Mapping[str, int]
    build: str
    codec: int
    config: str
    code_key: str


def stamp_of(row: JournalRow) -> Stamp:
    """The circumstances under which a published row was made."""
    return Stamp(
        epoch=row.epoch,
        clock=row.clock,
        latest=row.latest,
        definitions=row.definitions,
        build=row.build,
        codec=row.codec,
        config=row.config,
        code_key=row.code_key,
    )


@dataclass(slots=True, frozen=True)
class Position:
    """Where a partition stands: the number and the digest of its last commit."""

    seq: int
    chain: bytes


@dataclass(slots=True)
class OutRow:
    """A record to publish. Only topic, partition, key and value are sent.

    ``cause_ms`` (wall clock) and ``label`` serve the metrics.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    cause_ms: int
    label: str
    #: Topic and offset of the record that made it, where it follows from folding; for verify only.
    cause: tuple[str, int] | None = None

    def as_tuple(self) -> tuple[str, int, bytes | None, bytes, int, str]:
        return (self.topic, self.partition, self.key, self.value, self.cause_ms, self.label)


@dataclass(slots=True)
class Commit:
    """All that one script writes, and the position it leads to."""

    position: Position
    row: bytes
    journal: JournalRow
    rows: list[OutRow] = field(default_factory=list)
    #: State key -> encoding, in the order in which they were first touched.
    states: dict[str, bytes] = field(default_factory=dict)
    #: Keys of the states that it removes; their timers go, too (``timers``).
    expired: list[str] = field(default_factory=list)
    #: State key -> earliest due time in ms, or None where no timer is left; only what changed.
    timers: dict[str, int | None] = field(default_factory=dict)
    #: The earliest due time in ms of a timer that this commit set, also of one that is not the first of its
    #: customer's; None: it set none.
    earliest_set: int | None = None
    #: (topic, outcome) -> records.
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    #: Topic -> next offset, for the topics of this commit's slices.
    vector: dict[str, int] = field(default_factory=dict)
    evicted_early: int = 0
    #: What is added to the aggregates, and the same as the script takes it.
    increments: Increments = field(default_factory=Increments)
    added: PackedIncrements = NOTHING_ADDED
