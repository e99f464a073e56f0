"""Reading ranges back exactly, whatever lies at their ends: on a real broker."""

import dataclasses
import struct
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.decoding import RawRecord
from streams.engine.checksum import slice_crc
from streams.engine.log import BATCH, LogReader
from streams.engine.log_errors import LogIncomplete, LogRangeLost, LogUnreadable
from streams.engine.partition_log import PartitionLog
from tests.verify.kafka_log import LogWriter, delete_before, make_topic


def values(first: int, count: int) -> list[bytes]:
    return [b"%06d" % number for number in range(first, first + count)]


def read_values(records: list[RawRecord]) -> list[bytes]:
    return [record.value or b"" for record in records]


@pytest.fixture
def reader(kafka: str) -> Iterator[LogReader]:
    with LogReader(kafka) as opened:
        yield opened


@pytest.fixture
def hasty(kafka: str) -> Iterator[LogReader]:
    """For what never comes; whatever comes does so long before."""
    with LogReader(kafka, patience=3.0) as opened:
        yield opened


@dataclasses.dataclass
class Shaped:
    """0-2 committed, 3 marker, 4-5 aborted, 6 marker, 7-8 plain, 9 committed, 10 marker."""

    topic: str
    end: int = 11


@pytest.fixture
def shaped(kafka: str, prefix: str) -> Shaped:
    topic = make_topic(kafka, f"{prefix}shaped")
    transactions = LogWriter(kafka, f"{prefix}writer")
    transactions.committed(topic, values(0, 3))
    transactions.aborted(topic, values(100, 2))
    LogWriter(kafka).plain(topic, values(3, 2))
    transactions.committed(topic, values(5, 1))
    return Shaped(topic)


def test_a_log_of_transactions_is_read_whole_up_to_its_last_marker(
    reader: LogReader, shaped: Shaped
) -> None:
    place = (shaped.topic, 0)
    assert reader.high_watermarks([place]) == {place: shaped.end}
    records = reader.read_range(*place, 0, shaped.end)
    assert read_values(records) == values(0, 6)
    assert [record.offset for record in records] == [0, 1, 2, 7, 8, 9]
    assert {(record.topic, record.partition, record.key) for record in records} == {
        (shaped.topic, 0, b"key")
    }
    assert all(record.timestamp > 0 for record in records)


def test_every_range_of_it_is_exact(reader: LogReader, shaped: Shaped) -> None:
    """Also ranges of markers and aborted records only, which hold no record."""
    whole = reader.read_range(shaped.topic, 0, 0, shaped.end)
    for start in range(shaped.end + 1):
        for end in range(shaped.end + 1):
            expected = [record for record in whole if start <= record.offset < end]
            assert reader.read_range(shaped.topic, 0, start, end) == expected, (start, end)


def test_read_uncommitted_sees_the_aborted_records_too(kafka: str, shaped: Shaped) -> None:
    with LogReader(kafka, "read_uncommitted") as reader:
        records = reader.read_range(shaped.topic, 0, 0, shaped.end)
    assert [record.offset for record in records] == [0, 1, 2, 4, 5, 7, 8, 9]


def test_an_open_transaction_ends_what_can_be_read(
    kafka: str, prefix: str, reader: LogReader, hasty: LogReader
) -> None:
    topic = make_topic(kafka, f"{prefix}open")
    place = (topic, 0)
    LogWriter(kafka).plain(topic, values(0, 2))
    writer = LogWriter(kafka, f"{prefix}open")
    writer.begin(topic, values(2, 3))
    assert reader.high_watermarks([place]) == {place: 5}
    assert reader.stable_ends([place]) == {place: 2}
    assert read_values(reader.read_range(topic, 0, 0, 2)) == values(0, 2)
    with pytest.raises(LogIncomplete, match=r"\[0, 5\) was read up to 2") as caught:
        hasty.read_range(topic, 0, 0, 5)
    assert (caught.value.topic, caught.value.partition, caught.value.position) == (topic, 0, 2)
    writer.commit()
    assert read_values(reader.read_range(topic, 0, 0, 6)) == values(0, 5)


def test_a_range_beyond_the_end_is_incomplete(hasty: LogReader, shaped: Shaped) -> None:
    with pytest.raises(LogIncomplete, match="an end beyond the log"):
        hasty.read_range(shaped.topic, 0, 0, shaped.end + 1)


def test_a_range_that_retention_removed_is_lost_and_says_what_is_left(
    kafka: str, reader: LogReader, shaped: Shaped
) -> None:
    delete_before(kafka, shaped.topic, 0, 7)
    assert reader.log_starts([(shaped.topic, 0)]) == {(shaped.topic, 0): 7}
    with pytest.raises(LogRangeLost, match=r"offset 2 is not in the log, which holds \[7, 11\)"):
        reader.read_range(shaped.topic, 0, 2, 9)
    assert read_values(reader.read_range(shaped.topic, 0, 7, 9)) == values(3, 2)


def test_a_range_that_begins_after_the_end_of_the_log_is_lost(
    reader: LogReader, shaped: Shaped
) -> None:
    with pytest.raises(LogRangeLost, match="offset 50 is not in the log"):
        reader.read_range(shaped.topic, 0, 50, 60)


def test_a_log_whose_start_moved_is_read_from_there(
    kafka: str, prefix: str, reader: LogReader
) -> None:
    topic = make_topic(kafka, f"{prefix}hole")
    LogWriter(kafka).plain(topic, values(0, 4))
    delete_before(kafka, topic, 0, 4)
    LogWriter(kafka).plain(topic, values(4, 1))
    assert read_values(reader.read_range(topic, 0, 4, 5)) == values(4, 1)


def test_a_topic_that_does_not_exist_is_unreadable(hasty: LogReader, prefix: str) -> None:
    with pytest.raises(LogUnreadable, match=f"{prefix}none"):
        hasty.high_watermarks([(f"{prefix}none", 0)])
    with pytest.raises((LogUnreadable, LogIncomplete)):
        hasty.read_range(f"{prefix}none", 0, 0, 5)


def test_offsets_of_many_partitions_come_in_one_answer(
    kafka: str, prefix: str, reader: LogReader
) -> None:
    topic = make_topic(kafka, f"{prefix}many", partitions=4)
    writer = LogWriter(kafka)
    for partition in range(4):
        writer.plain(topic, values(0, partition), partition)
    places = [(topic, partition) for partition in range(4)]
    assert reader.high_watermarks(places) == {place: place[1] for place in places}
    assert reader.log_starts(places) == dict.fromkeys(places, 0)
    assert reader.high_watermarks([]) == {}


# --- one partition of several topics, front to back


@pytest.fixture
def two_topics(kafka: str, prefix: str) -> tuple[str, str]:
    """1,000 records of 1 KB in the first, 10 in transactions with gaps in the second."""
    big = make_topic(kafka, f"{prefix}big")
    small = make_topic(kafka, f"{prefix}small")
    LogWriter(kafka).plain(big, [b"%06d" % n + bytes(1_000) for n in range(1_000)])
    writer = LogWriter(kafka, f"{prefix}small")
    for number in range(10):
        writer.committed(small, values(number, 1))
        writer.aborted(small, values(90, 1))
    return big, small


@pytest.mark.parametrize("lane_bytes", [20_000, 10_000_000])
def test_ranges_of_several_topics_in_journal_order(
    kafka: str, two_topics: tuple[str, str], lane_bytes: int
) -> None:
    """With a small bound the topic ahead is paused and resumed many times, and nothing is lost."""
    big, small = two_topics
    seen: dict[str, list[bytes]] = {big: [], small: []}
    with PartitionLog(kafka, lane_bytes=lane_bytes) as log:
        log.begin(0, {big: 0, small: 0})
        for step in range(10):
            seen[small] += read_values(log.take(small, step * 4, step * 4 + 4))
            for part in range(4):
                start = step * 100 + part * 25
                seen[big] += read_values(log.take(big, start, start + 25))
    assert seen[small] == values(0, 10)
    assert [value[:6] for value in seen[big]] == values(0, 1_000)


def test_a_topic_far_ahead_of_the_journal_is_held_back(kafka: str, prefix: str) -> None:
    """The journal asks for one topic only while the other lies ready."""
    ahead = make_topic(kafka, f"{prefix}ahead")
    asked = make_topic(kafka, f"{prefix}asked")
    writer = LogWriter(kafka)
    writer.plain(ahead, [b"%06d" % n + bytes(1_000) for n in range(20_000)])
    writer.plain(asked, [bytes(1_000) for _ in range(20_000)])
    bound = 1_000_000
    most = 0
    with PartitionLog(kafka, lane_bytes=bound) as log:
        log.begin(0, {ahead: 0, asked: 0})
        first = log.take(ahead, 0, 1)
        for start in range(0, 20_000, 100):
            assert len(log.take(asked, start, start + 100)) == 100
            most = max(most, log.held_bytes)
        rest = [
            record
            for n in range(1, 20_000, 50)
            for record in log.take(ahead, n, min(n + 50, 20_000))
        ]
    assert [(record.value or b"")[:6] for record in [*first, *rest]] == values(0, 20_000)
    # Two lanes, each at most its bound and the batch that took it over.
    assert most < 2 * (bound + BATCH * 1_300)


def test_ranges_must_rise_and_topics_be_named(kafka: str, two_topics: tuple[str, str]) -> None:
    big, small = two_topics
    with PartitionLog(kafka) as log:
        log.begin(0, {big: 10})
        log.take(big, 10, 20)
        with pytest.raises(ValueError, match=r"\[15, 30\) was taken up to 20"):
            log.take(big, 15, 30)
        with pytest.raises(ValueError, match="none of the topics"):
            log.take(small, 0, 1)
        assert log.take(big, 20, 20) == []
        assert [record.offset for record in log.take(big, 30, 32)] == [30, 31]


def test_a_lost_or_incomplete_range_is_named(kafka: str, two_topics: tuple[str, str]) -> None:
    big, small = two_topics
    delete_before(kafka, big, 0, 500)
    with PartitionLog(kafka) as log:
        log.begin(0, {big: 100, small: 0})
        with pytest.raises(LogRangeLost, match=r"offset 100 .*\[500, 1000\)"):
            log.take(big, 100, 200)
    with PartitionLog(kafka, patience=3.0) as log:
        log.begin(0, {small: 0})
        with pytest.raises(LogIncomplete, match=r"\[0, 41\) was read up to 40"):
            log.take(small, 0, 41)


def test_one_reader_goes_from_partition_to_partition(kafka: str, prefix: str) -> None:
    topic = make_topic(kafka, f"{prefix}three", partitions=3)
    writer = LogWriter(kafka)
    for partition in range(3):
        writer.plain(topic, values(partition * 10, 5), partition)
    with PartitionLog(kafka) as log:
        for partition in (0, 2, 1, 0):
            log.begin(partition, {topic: 1})
            assert read_values(log.take(topic, 1, 5)) == values(partition * 10 + 1, 4)


# --- the checksum of a slice


def record(key: bytes | None, value: bytes | None) -> RawRecord:
    return RawRecord("t", 0, 0, 0, key, value)


PAIRS = st.lists(st.tuples(st.none() | st.binary(max_size=6), st.none() | st.binary(max_size=6)))


@given(PAIRS)
def test_the_checksum_is_the_one_that_is_documented(
    pairs: list[tuple[bytes | None, bytes | None]],
) -> None:
    parts = [part or b"" for pair in pairs for part in pair]
    expected = zlib.crc32(b"".join(parts))
    if parts:
        expected = zlib.crc32(struct.pack(f"<{len(parts)}I", *map(len, parts)), expected)
    assert slice_crc([record(*pair) for pair in pairs]) == expected


def test_no_byte_moves_between_key_and_value_or_records_unseen() -> None:
    assert slice_crc([record(b"ab", b"c")]) != slice_crc([record(b"a", b"bc")])
    assert slice_crc([record(b"a", b"b"), record(b"", b"")]) != slice_crc([record(b"a", b"b")])
    assert slice_crc([record(b"a", b"b"), record(b"c", b"d")]) != slice_crc(
        [record(b"c", b"d"), record(b"a", b"b")]
    )


def test_no_record_and_none_are_as_documented() -> None:
    assert slice_crc([]) == 0
    assert slice_crc([record(None, b"x")]) == slice_crc([record(b"", b"x")])


@pytest.mark.parametrize("changed", [0, 511, 512, 1_500])
def test_a_change_in_any_chunk_shows(changed: int) -> None:
    records = [record(b"k%d" % n, b"v%d" % n) for n in range(1_501)]
    before = slice_crc(records)
    records[changed] = record(b"k%d" % changed, b"w%d" % changed)
    assert slice_crc(records) != before
