"""Finding and reading journal rows between transaction markers, on a real broker."""

from collections.abc import Iterator

import pytest

from schemas.journal import GENESIS, ClockState, JournalRow, chain, encode_row
from streams.engine import log as log_module
from streams.engine.log import LogReader
from streams.engine.log_errors import JournalGap
from tests.verify.kafka_log import LogWriter, delete_before, make_topic


def journal_row(seq: int, previous: bytes = GENESIS) -> bytes:
    return encode_row(
        JournalRow(
            version=1,
            seq=seq,
            previous=previous,
            epoch=1,
            slices=[],
            clock=ClockState("wall", 0, 0, 1.0, 0),
            latest=0,
            fired=None,
            skip=None,
            definitions={},
            build="test",
            codec=1,
            config="",
            code_key="1",
            rows=b"",
            states=b"",
        )
    )


def chained(first: int, last: int) -> list[bytes]:
    rows: list[bytes] = []
    for seq in range(first, last + 1):
        rows.append(journal_row(seq, chain(rows[-1]) if rows else GENESIS))
    return rows


@pytest.fixture
def reader(kafka: str) -> Iterator[LogReader]:
    with LogReader(kafka) as opened:
        yield opened


@pytest.fixture
def journal(kafka: str, prefix: str) -> str:
    """Rows 1-60 in transactions of 1 to 7, some aborted first; more aborted ones at the end."""
    topic = make_topic(kafka, f"{prefix}journal")
    writer = LogWriter(kafka, f"{prefix}journal")
    rows = chained(1, 60)
    first = 0
    for number in range(60):
        last = first + 1 + number % 7
        if number % 3 == 0:
            writer.aborted(topic, rows[first:last])
        writer.committed(topic, rows[first:last])
        first = last
        if first >= len(rows):
            break
    for _ in range(10):
        writer.aborted(topic, [b"never"])
    return topic


def test_every_row_is_found_and_others_are_not(reader: LogReader, journal: str) -> None:
    offsets = [reader.find_row(journal, 0, seq) for seq in range(1, 61)]
    assert None not in offsets
    assert offsets == sorted(set(offsets), key=lambda offset: offset or 0)
    for seq, offset in enumerate(offsets, 1):
        assert offset is not None
        (record,) = reader.read_range(journal, 0, offset, offset + 1)
        assert record.value == chained(1, 60)[seq - 1]
    assert reader.find_row(journal, 0, 0) is None
    assert reader.find_row(journal, 0, 61) is None


def test_rows_come_in_order_with_their_bytes(
    reader: LogReader, journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Patched, since a reader's callers have no use for another number: the rows are the same.
    expected = chained(1, 60)
    for at_a_time in (1, 4, 2_000):
        monkeypatch.setattr(log_module, "ROWS_AT_A_TIME", at_a_time)
        for first, last in ((1, 60), (1, 1), (60, 60), (13, 47)):
            rows = list(reader.read_rows(journal, 0, first, last))
            assert [row.row.seq for row in rows] == list(range(first, last + 1))
            assert [row.raw for row in rows] == expected[first - 1 : last]
    assert list(reader.read_rows(journal, 0, 5, 4)) == []


def test_the_last_row_is_found_behind_markers(reader: LogReader, journal: str) -> None:
    last = reader.last_row(journal, 0)
    assert last is not None
    assert last.row.seq == 60


def test_an_open_transaction_hides_its_rows(
    kafka: str, prefix: str, reader: LogReader, journal: str
) -> None:
    writer = LogWriter(kafka, f"{prefix}open")
    writer.begin(journal, [journal_row(61)])
    last = reader.last_row(journal, 0)
    assert last is not None
    assert last.row.seq == 60
    assert reader.find_row(journal, 0, 61) is None
    writer.commit()
    assert reader.find_row(journal, 0, 61) is not None


def test_an_empty_journal_and_one_of_markers_only(
    kafka: str, prefix: str, reader: LogReader
) -> None:
    topic = make_topic(kafka, f"{prefix}empty")
    assert reader.last_row(topic, 0) is None
    assert reader.find_row(topic, 0, 1) is None
    LogWriter(kafka, f"{prefix}empty").aborted(topic, [journal_row(1)])
    assert reader.last_row(topic, 0) is None
    assert reader.find_row(topic, 0, 1) is None


def test_rows_that_are_not_there_are_a_gap(reader: LogReader, journal: str) -> None:
    with pytest.raises(JournalGap, match="seq 61 is missing: found nothing"):
        list(reader.read_rows(journal, 0, 61, 62))
    rows = reader.read_rows(journal, 0, 59, 62)
    assert [next(rows).row.seq, next(rows).row.seq] == [59, 60]
    with pytest.raises(JournalGap, match="seq 61 is missing"):
        next(rows)


def test_a_row_out_of_order_is_a_gap_with_its_place(
    kafka: str, prefix: str, reader: LogReader
) -> None:
    topic = make_topic(kafka, f"{prefix}gap")
    LogWriter(kafka).plain(topic, [journal_row(seq) for seq in (1, 2, 3, 5)])
    with pytest.raises(JournalGap, match="seq 4 is missing: found seq 5 at offset 3") as caught:
        list(reader.read_rows(topic, 0, 1, 5))
    assert (caught.value.expected, caught.value.found, caught.value.offset) == (4, 5, 3)


def test_rows_are_found_after_retention_cut_the_log(
    kafka: str, reader: LogReader, journal: str
) -> None:
    offset = reader.find_row(journal, 0, 30)
    assert offset is not None
    delete_before(kafka, journal, 0, offset)
    assert reader.find_row(journal, 0, 30) == offset
    assert reader.find_row(journal, 0, 29) is None
    assert [row.row.seq for row in reader.read_rows(journal, 0, 30, 32)] == [30, 31, 32]
