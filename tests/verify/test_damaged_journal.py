"""Verify finds a journal that does not account for every offset once and in one chain."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from schemas.catalogue import JOURNAL
from schemas.journal import JournalRow, chain, decode_row, encode_row
from streams.verify.report import Report
from tests.engine.scenario import ShopDay
from tests.verify.damage import Record, Rewritable, check


@pytest.fixture
def journal(day: ShopDay) -> Iterator[Rewritable]:
    topic = Rewritable(day.bench.settings, JOURNAL)
    yield topic
    topic.mend()


def rows_of(journal: Rewritable) -> list[JournalRow]:
    return [decode_row(value) for _, value in journal.records]


def rechained(rows: list[JournalRow]) -> list[Record]:
    """The rows with each naming the one before it, as a forger would leave them."""
    records: list[Record] = []
    previous = rows[0].previous
    for row in rows:
        raw = encode_row(msgspec.structs.replace(row, previous=previous))
        previous = chain(raw)
        records.append((None, raw))
    return records


def explained(report: Report) -> str:
    return "\n".join(map(str, report.differences))


@pytest.mark.parametrize("removed", [0, 1])
def test_a_gap_in_the_journal_is_found(day: ShopDay, journal: Rewritable, removed: int) -> None:
    journal.replace([*journal.records[:removed], *journal.records[removed + 1 :]])
    report = check(day)
    found = report.differences[0]
    assert (found.subject, found.kind) == ("journal", "missing")
    assert f"row seq {removed + 1} is missing: found seq {removed + 2}" in found.detail
    assert not report.agree


def test_a_broken_chain_is_found(day: ShopDay, journal: Rewritable) -> None:
    rows = rows_of(journal)
    rows[1] = msgspec.structs.replace(rows[1], previous=bytes(range(16)))
    journal.replace([(None, encode_row(row)) for row in rows])
    assert "seq 2" in explained(check(day))
    assert "two lineages" in explained(check(day))


def with_slice(rows: list[JournalRow], topic: str) -> int:
    """The first row with records of the topic."""
    return next(
        at
        for at, row in enumerate(rows)
        for part in row.slices
        if part.topic.endswith(topic) and part.count
    )


def replaced_slice(rows: list[JournalRow], topic: str, **changes: Any) -> list[JournalRow]:
    at = with_slice(rows, topic)
    slices = [
        msgspec.structs.replace(part, **{name: change(part) for name, change in changes.items()})
        if part.topic.endswith(topic)
        else part
        for part in rows[at].slices
    ]
    return [*rows[:at], msgspec.structs.replace(rows[at], slices=slices), *rows[at + 1 :]]


def test_offsets_passed_over_are_found(day: ShopDay, journal: Rewritable) -> None:
    rows = replaced_slice(
        rows_of(journal), "shop.orders",
        start=lambda part: part.start + 1, count=lambda part: part.count - 1,
    )  # fmt: skip
    journal.replace(rechained(rows))
    report = check(day)
    assert report.journal.missing >= 1
    assert "offsets [0, 1) were passed over" in explained(report)


def test_offsets_processed_twice_are_found(day: ShopDay, journal: Rewritable) -> None:
    rows = rows_of(journal)
    at = with_slice(rows, "shop.orders")
    again = [part for part in rows[at].slices if part.topic.endswith("shop.orders")]
    rows[at + 1] = msgspec.structs.replace(rows[at + 1], slices=[*rows[at + 1].slices, *again])
    journal.replace(rechained(rows))
    report = check(day)
    assert report.journal.extra >= 1
    assert "were processed again" in explained(report)


def test_records_that_are_not_the_ones_processed_are_found(
    day: ShopDay, journal: Rewritable
) -> None:
    rows = replaced_slice(rows_of(journal), "shop.orders", crc=lambda part: part.crc ^ 1)
    journal.replace(rechained(rows))
    assert "are not the ones that seq" in explained(check(day))
    rows = replaced_slice(rows_of(journal), "shop.orders", count=lambda part: part.count + 1)
    journal.replace(rechained(rows))
    assert "the log holds" in explained(check(day))


@pytest.mark.parametrize("field", ["states", "rows"])
def test_a_digest_that_does_not_match_is_found(
    day: ShopDay, journal: Rewritable, field: str
) -> None:
    rows = rows_of(journal)
    rows[0] = msgspec.structs.replace(rows[0], **{field: bytes(16)})
    journal.replace(rechained(rows))
    report = check(day)
    assert report.journal.different >= 1
    assert f"{field}: log " in explained(report)
    assert "written by this build" in explained(report)


def test_a_timer_that_never_fired_or_fired_early_is_found(
    day: ShopDay, journal: Rewritable
) -> None:
    rows = rows_of(journal)
    at, fired = next((at, row.fired) for at, row in enumerate(rows) if row.fired is not None)
    late = msgspec.structs.replace(fired, due=fired.due + 1)
    journal.replace(
        rechained([*rows[:at], msgspec.structs.replace(rows[at], fired=late), *rows[at + 1 :]])
    )
    assert "none was pending" in explained(check(day))
    clock = msgspec.structs.replace(rows[at].clock, watermark=fired.due - 1)
    journal.replace(
        rechained([*rows[:at], msgspec.structs.replace(rows[at], clock=clock), *rows[at + 1 :]])
    )
    assert "before the watermark" in explained(check(day))


def test_a_record_that_is_no_journal_row_is_found(day: ShopDay, journal: Rewritable) -> None:
    journal.replace([journal.records[0], (None, b"no row")])
    assert "this is no journal row" in explained(check(day))
