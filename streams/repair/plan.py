"""What a rebuild of a partition will do, decided and checked before anything is wiped."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from schemas.journal import chain
from streams.engine.group_offsets import GroupOffsets, Published
from streams.engine.log import LogReader
from streams.engine.topicnames import TopicNames
from streams.repair.refused import RepairRefused
from streams.repair.snapshot_file import Header, SnapshotDamaged, check, read_header, snapshots_of
from streams.settings import Settings
from streams.state.codec import CODEC_VERSION

#: Journal rows looked through for where the topics begin, from the first one on.
FIRST_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Fold the rows after ``header``'s commit, or all, up to what Kafka has."""

    partition: int
    kafka: Published
    #: Of the snapshot to begin with; None: from the journal's first row.
    header: Header | None
    path: Path | None
    #: First offset to read of each input topic.
    starts: dict[str, int]
    #: Journal rows, and about how many events (markers in the topics count too).
    rows: int
    events: int
    #: Why newer snapshots were passed over.
    passed_over: tuple[str, ...] = ()

    @property
    def seq(self) -> int:
        """Where folding begins."""
        return self.header.seq if self.header else 0


def make_plans(
    settings: Settings, log: LogReader, numbers: Iterable[int], snapshots: Path | None
) -> list[Plan]:
    """A plan for each partition. Reads only. Raises RepairRefused with what stands in the way."""
    wanted = list(numbers)
    topics = TopicNames.of(settings.topic_prefix)
    with GroupOffsets(settings.kafka_bootstrap, settings.group) as offsets:
        published = offsets.read(topics.inputs, wanted)
    return [_plan(log, topics, number, published[number], snapshots) for number in wanted]


def _plan(
    log: LogReader, topics: TopicNames, number: int, kafka: Published, snapshots: Path | None
) -> Plan:
    journal = topics.journal
    # The marker of the last transaction may still be on its way to the journal.
    log.wait_stable(journal, number)
    if kafka.foreign is not None or (not kafka.seq and log.last_row(journal, number) is not None):
        raise RepairRefused(
            f"partition {number}: the group's offsets do not say what was published of it "
            f"({kafka.foreign or 'it has none'}); run `huitou group adopt` first"
        )
    starts = log.log_starts([(topic, number) for topic in topics.inputs])
    first = {topic: starts[topic, number] for topic in topics.inputs}
    header: Header | None = None
    path: Path | None = None
    passed_over: list[str] = []
    if snapshots is not None and kafka.seq:
        header, path, passed_over = _choose(log, journal, number, kafka, snapshots)
        first |= header.vector
    begin = header.seq + 1 if header else 1
    if begin <= kafka.seq:
        if log.find_row(journal, number, begin) is None:
            raise RepairRefused(_journal_lost(log, journal, number, begin, snapshots))
        _refuse_lost(log, topics, number, begin, kafka, first, starts)
    behind = (max(0, kafka.offsets.get(topic, 0) - first[topic]) for topic in topics.folded)
    return Plan(
        number, kafka, header, path, first, kafka.seq - begin + 1, sum(behind), tuple(passed_over)
    )


def _journal_lost(
    log: LogReader, journal: str, number: int, begin: int, snapshots: Path | None
) -> str:
    begins = log.log_starts([(journal, number)])[journal, number]
    more = "an older archive" if snapshots else "--from-snapshot DIR"
    return (
        f"partition {number}: {journal}[{number}] lacks seq {begin}, the first to be folded; what is left "
        f"begins at offset {begins}: retention removed the rest. Give "
        f"--archive DIR with those offsets, or {more}"
    )


def _refuse_lost(
    log: LogReader,
    topics: TopicNames,
    number: int,
    begin: int,
    kafka: Published,
    first: dict[str, int],
    starts: dict[tuple[str, int], int],
) -> None:
    """Raises RepairRefused where an input topic no longer has what the first rows processed."""
    needed: dict[str, int] = {}
    last = min(kafka.seq, begin + FIRST_ROWS - 1)
    for stored in log.read_rows(topics.journal, number, begin, last):
        for part in stored.row.slices:
            needed.setdefault(part.topic, part.start)
        if all(topic in needed for topic in topics.folded):
            break
    for topic in topics.folded:
        start, wanted = starts[topic, number], needed.get(topic, first[topic])
        if wanted < start:
            raise RepairRefused(
                f"partition {number}: {topic}[{number}] offsets [{wanted}, {start}) are to be folded, and "
                f"the log begins at {start}: retention removed them. Give --archive DIR that has them, or "
                "a newer snapshot"
            )


def _choose(
    log: LogReader, journal: str, number: int, kafka: Published, root: Path
) -> tuple[Header, Path, list[str]]:
    """The newest snapshot that fits, and why newer ones do not."""
    passed_over: list[str] = []
    for file in snapshots_of(root, number):
        try:
            header = read_header(file.path)
            reason = _misfit(log, journal, number, kafka, header)
            if reason is None:
                check(file.path)
                return header, file.path, passed_over
        except SnapshotDamaged as damage:
            passed_over.append(str(damage))
        else:
            passed_over.append(f"{file.path}: {reason}")
    said = "; ".join(passed_over) or f"{root} has none of it"
    raise RepairRefused(
        f"partition {number}: no snapshot fits: {said}. Without --from-snapshot the whole journal is folded"
    )


def _misfit(
    log: LogReader, journal: str, number: int, kafka: Published, header: Header
) -> str | None:
    """Why the snapshot must not be used; None where it can be."""
    if header.partition != number:
        return f"it is of partition {header.partition}"
    if header.codec > CODEC_VERSION:
        return (
            f"its states are in encoding {header.codec}, and this build reads up to {CODEC_VERSION}: "
            "rebuild with the newer build"
        )
    if header.seq > kafka.seq:
        return f"it is of seq {header.seq}, and only {kafka.seq} were published: another lineage"
    found = _chain_at(log, journal, number, kafka, header.seq)
    if found is None:
        return (
            f"the journal no longer has seq {header.seq}, so nothing says that it is of this lineage and "
            "nothing can be folded behind it; give --archive DIR with those offsets"
        )
    if found != header.chain:
        return f"its chain at seq {header.seq} is not the journal's: another lineage"
    return None


def _chain_at(
    log: LogReader, journal: str, number: int, kafka: Published, seq: int
) -> bytes | None:
    """The chain of the commit ``seq`` in what was published; None where neither it nor the next is left."""
    if seq == kafka.seq:
        return kafka.chain
    if log.find_row(journal, number, seq + 1) is not None:
        for stored in log.read_rows(journal, number, seq + 1, seq + 1):
            return stored.row.previous
    if log.find_row(journal, number, seq) is not None:
        for stored in log.read_rows(journal, number, seq, seq):
            return chain(stored.raw)
    return None
