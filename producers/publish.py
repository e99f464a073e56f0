"""CloudEvents as JSON lines, from a file or a pipe, into the topics that their types name."""

import gzip
import io
from collections.abc import Callable, Iterator
from typing import IO, Final, NamedTuple

import msgspec

from producers.bulk import BulkPublisher
from producers.checking import Checker
from producers.errors import InvalidEventError
from schemas.deadletter import LetterReason
from schemas.envelope import BODY_BYTES

_GZIP_MAGIC: Final = b"\x1f\x8b"
#: Lines between two calls of ``on_progress``.
_PROGRESS_LINES: Final = 1_000


class Line(NamedTuple):
    """A line without its line end; ``number`` counts from 1. ``cut``: it went on, unread."""

    number: int
    text: bytes
    cut: bool


class Refused(NamedTuple):
    """A line that was not sent, and why; the reason is that of a worker's dead letter."""

    line: int
    reason: LetterReason
    field: str
    detail: str


class PublishReport(msgspec.Struct, kw_only=True):
    """``accepted`` lines have delivery reports; blank lines are counted in ``lines`` alone."""

    lines: int = 0
    accepted: int = 0
    refused: int = 0
    by_topic: dict[str, int] = {}
    by_reason: dict[str, int] = {}


def decompressed(stream: io.BufferedReader) -> IO[bytes]:
    """``stream``, read through gzip when it begins as gzip does, whatever its name."""
    if stream.peek(2)[:2] == _GZIP_MAGIC:
        return io.BufferedReader(gzip.GzipFile(fileobj=stream))
    return stream


def read_lines(stream: IO[bytes], limit: int = BODY_BYTES) -> Iterator[Line]:
    """The lines of ``stream``; of a line longer than ``limit`` bytes only a part is kept in memory.

    A last line without a line end counts.
    """
    number = 0
    # Two more than the limit: the line end, and one byte that shows that the line is too long.
    while text := stream.readline(limit + 2):
        number += 1
        cut = False
        while not text.endswith(b"\n") and (rest := stream.readline(limit)):
            cut = True
            if rest.endswith(b"\n"):
                break
        yield Line(number, text.rstrip(b"\r\n"), cut)


def publish_lines(
    lines: Iterator[Line],
    publisher: BulkPublisher,
    *,
    latest_ms: int = 0,
    on_refused: Callable[[Refused], None],
    on_progress: Callable[[PublishReport], None],
) -> PublishReport:
    """Sends each valid line, in the order of the file, and reports each other one.

    Blocks until everything sent has its delivery report; memory is bounded by the publisher's
    buffer. ``latest_ms`` as in ``Checker``. Raises RecordDeliveryError, naming the line that Kafka
    did not take, and DeadlineError.
    """
    report = PublishReport()
    checker = Checker(latest_ms)
    for line in lines:
        report.lines += 1
        if not line.text.strip():
            continue
        try:
            if line.cut:
                raise InvalidEventError(
                    "body_too_large", "", f"the line is longer than {BODY_BYTES} bytes"
                )
            record = checker.line(line.text)
        except InvalidEventError as error:
            report.refused += 1
            report.by_reason[error.reason] = report.by_reason.get(error.reason, 0) + 1
            on_refused(Refused(line.number, error.reason, error.field, error.detail))
        else:
            publisher.send(*record, label=f"line {line.number}")
            report.accepted += 1
            report.by_topic[record.topic] = report.by_topic.get(record.topic, 0) + 1
        if report.lines % _PROGRESS_LINES == 0:
            on_progress(report)
    publisher.flush()
    on_progress(report)
    return report


def publish_unchecked(
    lines: Iterator[Line],
    publisher: BulkPublisher,
    topic: str,
    *,
    on_progress: Callable[[PublishReport], None],
) -> PublishReport:
    """Sends every line but blank ones to ``topic`` as it is, for tests of dead letters.

    The key is the line's ``subject``, or none where it cannot be read. A line over the limit of a
    body is sent cut, one byte over it.
    """
    report = PublishReport()
    checker = Checker()
    for line in lines:
        report.lines += 1
        if not line.text.strip():
            continue
        publisher.send(topic, checker.subject(line.text), line.text, label=f"line {line.number}")
        report.accepted += 1
        if report.lines % _PROGRESS_LINES == 0:
            on_progress(report)
    publisher.flush()
    report.by_topic[topic] = report.accepted
    on_progress(report)
    return report
