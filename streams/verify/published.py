"""Compares what a topic holds with what folding says should be in it, record by record.

Both sides come in the order of publication, so each waits for the other only while they are apart:
in a log that agrees, next to nothing is held in memory but the ids seen.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import msgspec

from schemas.decoding import RawRecord
from streams.engine.commit import OutRow
from streams.engine.log import LogReader
from streams.verify import explain
from streams.verify.report import Report

#: Expected records held before the topic is read on.
AHEAD = 5_000
#: Offsets read at a time.
CHUNK = 2_000
#: What campaigns decided: another build may have decided otherwise, so it is taken over as it was published.
_OF_CAMPAIGNS = frozenset({"trigger", "decision"})


T = TypeVar("T")


class Expected(NamedTuple):
    """A record that the commit ``seq`` must have published."""

    seq: int
    key: bytes | None
    value: bytes
    #: The coupon code in it was made with a key that this process does not have.
    foreign_code: bool


class _Identified(msgspec.Struct):
    id: str


class _Issued(msgspec.Struct):
    seq: int


class _Numbered(msgspec.Struct):
    data: _Issued


_number = msgspec.json.Decoder(_Numbered).decode
_identify = msgspec.json.Decoder(_Identified).decode


class Keyed(Protocol):
    """A record, expected or found."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


def event_name(record: Keyed) -> str | None:
    """The id of a trigger, verdict or refusal; None for a record that is none."""
    try:
        return _identify(record.value or b"").id
    except msgspec.MsgspecError:
        return None


def _issuer(record: RawRecord) -> int | None:
    """The commit of a trigger or a refusal, as it says itself; None for a record that does not."""
    try:
        return _number(record.value or b"").data.seq
    except msgspec.MsgspecError:
        return None


def dead_letter_name(record: Keyed) -> str | None:
    """The place of the refused record, ``topic/partition/offset``."""
    return None if record.key is None else record.key.decode(errors="replace")


class PublishedTopic:
    """One partition of an outgoing topic. Raises the errors of LogReader; calls block."""

    def __init__(
        self,
        reader: LogReader,
        topic: str,
        partition: int,
        subject: Literal["trigger", "verdict", "decision", "dead_letter"],
        name: Callable[[Keyed], str | None],
        report: Report,
    ) -> None:
        self._reader = reader
        self._place = (topic, partition)
        self._subject = subject
        self._name = name
        self._report = report
        self._offset = reader.log_starts([self._place])[self._place]
        self._expected: dict[str, list[Expected]] = {}
        self._found: dict[str, list[RawRecord]] = {}
        #: Hashes of the names that were matched, to tell a second publication from a stranger.
        self._matched: set[int] = set()
        #: Of the records found: those that say which commit issued them, by it.
        self._issued: dict[int, list[tuple[str, RawRecord]]] = {}
        #: The commit that issued the record read last, as far as it says so.
        self._read_upto = 0

    def expect(self, row: OutRow, seq: int, *, foreign_code: bool) -> None:
        """The commit ``seq`` publishes ``row``."""
        expected = Expected(seq, row.key, row.value, foreign_code)
        name = self._name(row) or ""
        found = self._found.get(name)
        if found:
            self._match(name, expected, _take(self._found, name))
            return
        self._expected.setdefault(name, []).append(expected)
        if len(self._expected) > AHEAD:
            self._read(min(self._offset + CHUNK, self._stable_end()))

    def issued_by(self, seq: int) -> list[tuple[str, RawRecord]]:
        """The triggers or refusals, with their names, that say that the commit ``seq`` issued them, in order.

        They count as compared. To be asked of rising commits, each of which is in the journal already.
        """
        if self._read_upto <= seq:
            end = self.end()
            while self._read_upto <= seq and self._offset < end:
                self._read(min(self._offset + CHUNK, end))
        issued = [
            (name, record)
            for name, record in self._issued.pop(seq, [])
            if any(record is held for held in self._found.get(name, ()))
        ]
        for name, record in issued:
            self._found[name] = [held for held in self._found[name] if held is not record]
            if not self._found[name]:
                del self._found[name]
            if hash(name) in self._matched:
                detail = f"published again at offset {record.offset} of {self._place[0]}"
                self._report.note("extra", self._subject, self._place[1], name, detail)
            self._matched.add(hash(name))
            self._report.tally(self._subject).compared += 1
        return issued

    def end(self) -> int:
        """The topic's end, with what open transactions have written."""
        return self._reader.high_watermarks([self._place])[self._place]

    def read_to(self, end: int) -> None:
        """Reads on to ``end``, waiting for transactions that are open before it."""
        while self._offset < end:
            self._read(min(self._offset + CHUNK, end))

    def finish(self, due: int) -> None:
        """Notes what has no counterpart: commits up to ``due`` are all readable before ``read_to``."""
        partition, subject = self._place[1], self._subject
        tally = self._report.tally(subject)
        for name, waiting in self._expected.items():
            for expected in waiting:
                if expected.seq <= due:
                    tally.compared += 1
                    detail = (
                        f"commit {expected.seq} issued it, and {self._place[0]} does not have it"
                    )
                    self._report.note("missing", subject, partition, name, detail)
        for name, records in self._found.items():
            for record in records:
                detail = f"no commit issued what is at offset {record.offset} of {self._place[0]}"
                if hash(name) in self._matched:
                    detail = f"published again at offset {record.offset} of {self._place[0]}"
                self._report.note("extra", subject, partition, name, detail)

    def _stable_end(self) -> int:
        return self._reader.stable_ends([self._place])[self._place]

    def _read(self, end: int) -> None:
        for record in self._reader.read_range(*self._place, self._offset, end):
            name = self._name(record)
            issuer = _issuer(record) if self._subject in _OF_CAMPAIGNS else None
            self._read_upto = issuer or self._read_upto
            if name is None:
                name = f"{record.topic}[{record.partition}]@{record.offset}"
            if name in self._expected:
                self._match(name, _take(self._expected, name), record)
            else:
                self._found.setdefault(name, []).append(record)
                if issuer is not None:
                    self._issued.setdefault(issuer, []).append((name, record))
        self._offset = max(self._offset, end)

    def _match(self, name: str, expected: Expected, record: RawRecord) -> None:
        self._matched.add(hash(name))
        self._report.tally(self._subject).compared += 1
        differing = _differing(expected, record)
        if differing is not None:
            detail = f"at offset {record.offset} of {record.topic}: {differing}"
            self._report.note("different", self._subject, self._place[1], name, detail)


def _differing(expected: Expected, record: RawRecord) -> str | None:
    """In what the record is not the expected one; None when it is."""
    if record.key != expected.key:
        return f"key: log {expected.key!r}, found {record.key!r}"
    found = record.value or b""
    if found == expected.value:
        return None
    if expected.foreign_code:
        left, right = _without_code(expected.value), _without_code(found)
        if left is not None and left == right:
            return None
    return explain.json_values(expected.value, found)


def _without_code(value: bytes) -> Any:
    try:
        event = msgspec.json.decode(value)
        event["data"]["offer"].pop("code", None)
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        return None
    return event


def _take(waiting: dict[str, list[T]], name: str) -> T:
    """The oldest one of that name, which is there."""
    entries = waiting[name]
    first = entries.pop(0)
    if not entries:
        del waiting[name]
    return first
