"""A customer's events folded again, against the fold itself; and the row of a record, in a real journal."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import WALL, RecordCause
from schemas.decoding import Decoder, RawRecord
from schemas.journal import GENESIS, ClockState, Fired, JournalRow, Skipped, Slice, encode_row
from schemas.partitioner import partition_of
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import new_state
from streams.engine.log import LogReader
from streams.tracing.copies import is_named
from streams.tracing.history import History, place_of
from streams.tracing.rows import published_row
from tests.domain.events import (
    START,
    Timed,
    build,
    cart,
    cart_events,
    click,
    click_events,
    order,
    order_events,
    refund_events,
    review,
    review_events,
)
from tests.verify.kafka_log import LogWriter, make_topic

PARTITIONS = 12
HOME = partition_of(b"c1", PARTITIONS)
TOPICS = {
    "ClickEvent": "shop.clicks", "CartEvent": "shop.carts", "OrderEvent": "shop.orders",
    "ReviewEvent": "shop.reviews", "ProfileEvent": "shop.profiles",
}  # fmt: skip


def row(seq: int, slices: list[Slice], **more: Any) -> JournalRow:
    values: dict[str, Any] = {"fired": None, "skip": None, **more}
    clock = ClockState(WALL, 0, 0, 1.0, 0)
    return JournalRow(
        version=1, seq=seq, previous=GENESIS, epoch=1, slices=slices, clock=clock, latest=START * 2,
        definitions={}, build="b", codec=1, config="c", code_key="k", rows=b"", states=b"", **values,
    )  # fmt: skip


def logged(events: list[Timed]) -> tuple[list[RawRecord], list[JournalRow]]:
    """The events as records, each processed by a commit of its own."""
    ends: dict[str, int] = {}
    records, rows = [], []
    for seq, (event, _) in enumerate(events, 1):
        topic = TOPICS[type(event).__name__]
        offset = ends.setdefault(topic, 0)
        ends[topic] += 1
        value = msgspec.json.encode(event)
        records.append(RawRecord(topic, HOME, offset, START, b"c1", value))
        rows.append(row(seq, [Slice(topic, offset, offset + 1, 1, 0)]))
    return records, rows


def followed(records: list[RawRecord], rows: list[JournalRow]) -> History:
    # By topic, as they are read.
    history = History(sorted(records, key=place_of), Decoder(PARTITIONS))
    for one in rows:
        history.follow(one)
    return history


drawn = st.lists(
    st.one_of(cart_events, order_events, refund_events, review_events, click_events), max_size=25
)


@given(drawn, st.data())
def test_the_verdict_is_the_fold_s_and_what_is_repeated_came_before(
    some: list[Any], data: st.DataObject
) -> None:
    events = build(some, distinct=False)
    # Some again as they were, and some under another id.
    if events:
        again = data.draw(st.lists(st.sampled_from(events), max_size=10))
        events += again[::2]
        events += [
            (msgspec.structs.replace(event, id=f"again-{number}"), time)
            for number, (event, time) in enumerate(again[1::2])
        ]
    records, rows = logged(events)
    history = followed(records, rows)
    assert history.stopped is None
    state = new_state("shop", "c1")
    seen: dict[Any, str] = {}
    by_place = {place_of(record): timed for record, timed in zip(records, events, strict=True)}
    for record, (event, time) in zip(records, events, strict=True):
        facts = fold(state, event, time, ShopSettings("shop"))
        verdict = history.verdicts[place_of(record)]
        assert verdict.outcome == ("duplicate" if facts is None else "applied")
        if facts is None:
            assert verdict.of is not None
            assert seen[verdict.of] == "applied"
            # It is the one: after it alone, the other is a repeat.
            alone = new_state("shop", "c1")
            assert fold(alone, *by_place[verdict.of], ShopSettings("shop")) is not None
            assert fold(alone, event, time, ShopSettings("shop")) is None
        else:
            assert verdict.of is None
        seen[place_of(record)] = verdict.outcome


def test_a_repeat_names_the_record_that_counted() -> None:
    events = [
        review("r1", START, "posted", "o1", "a", rating=5),
        review("r2", START, "posted", "o1", "a", rating=1),
        review("r1", START, "posted", "o1", "a", rating=5),
        order("p1", START, "o1", "paid", amount_paid=1),
        order("p2", START, "o1", "paid", amount_paid=2),
    ]
    history = followed(*logged(events))
    said = [(one.outcome, one.of and one.of[2], one.why) for one in history.verdicts.values()]
    assert said == [
        ("applied", None, ""),
        ("duplicate", 0, "the same fact under another id"),
        ("duplicate", 0, "the same event"),
        ("applied", None, ""),
        ("duplicate", 0, "the same fact under another id"),
    ]


def test_refunds_and_lines_of_one_order_and_product_are_told_apart() -> None:
    events = [
        *(order(r, START, "o1", "refunded", refund_id=r, amount=1) for r in ("r1", "r2")),
        *(
            cart(size, START, "add", "a", quantity=1, attributes={"size": size})
            for size in ("M", "L")
        ),
    ]
    again = [
        (msgspec.structs.replace(event, id=f"again-{event.id}"), time) for event, time in events
    ]
    history = followed(*logged(events + again))
    repeats = {place: one.of for place, one in history.verdicts.items() if one.of}
    assert repeats == {
        (topic, HOME, 2 + number): (topic, HOME, number)
        for topic in ("shop.orders", "shop.carts")
        for number in (0, 1)
    }


def test_what_was_left_out_is_not_folded() -> None:
    records, rows = logged([click("a", START), click("a", START)])
    skipped = [Skipped(RecordCause("shop.clicks", 0), "ticket 81")]
    rows[0] = msgspec.structs.replace(rows[0], skip=skipped)
    history = followed(records, rows)
    assert [one.outcome for one in history.verdicts.values()] == ["skipped", "applied"]


def test_timers_fire_where_the_journal_says() -> None:
    events = build([("cart", START, "add", "a", {"quantity": 1})])
    records, rows = logged(events)
    fired = Fired(START * 2, "shop/c1", 1)
    rows.append(row(2, [], fired=fired))
    assert followed(records, rows).verdicts[place_of(records[0])].outcome == "applied"


@pytest.mark.parametrize(
    ("value", "headers", "found"),
    [
        (b'{"source":"s","id":"\\u0069"}', (), True),
        (b'{"id":"i","data":{"x":[1]},"source":"s","type":7}', (), True),
        (b'{"source":"s","id":"j"}', (), False),
        (b'{"source":"s","id":7}', (), False),
        (b'{"source":"s"', (), False),
        (b"\xff", (), False),
        (None, (), False),
        (b"{}", (("ce_id", b"i"), ("ce_source", b"s")), True),
        (b'{"source":"s","id":"i"}', (("ce_id", b"j"), ("ce_source", b"s")), False),
    ],
)
def test_a_record_is_known_by_what_names_it(
    value: bytes | None, headers: tuple[tuple[str, bytes], ...], found: bool
) -> None:
    record = RawRecord("shop.clicks", 0, 0, START, b"c1", value, headers)
    assert is_named(record, "s", "i") is found


@pytest.fixture
def journal(kafka: str, prefix: str) -> Iterator[tuple[LogReader, str]]:
    """400 rows in transactions: clicks in each, orders in five, some aborted ones between."""
    topic = make_topic(kafka, f"{prefix}journal")
    writer = LogWriter(kafka, f"{prefix}writer")
    for first in range(0, 400, 40):
        writer.committed(topic, [encode_row(one) for one in rows_from(first)])
        writer.aborted(topic, [b"never"])
    with LogReader(kafka) as reader:
        yield reader, topic


def rows_from(first: int) -> Iterator[JournalRow]:
    for number in range(first, first + 40):
        slices = [Slice("clicks", 3 * number, 3 * number + 3, 3, 0)]
        if number % 90 == 17:
            # The offsets between lie in transactions' markers.
            slices.append(Slice("orders", number, number + 3, 3, 0))
        yield row(number + 1, slices)


@pytest.mark.long
def test_the_row_of_a_record_is_found_by_bisection(journal: tuple[LogReader, str]) -> None:
    reader, topic = journal

    def seq_of(name: str, offset: int) -> int | None:
        found = published_row(reader, topic, 0, name, offset)
        return None if found is None else found.row.seq

    for offset in (0, 1, 2, 3, 600, 1_196, 1_199):
        assert seq_of("clicks", offset) == offset // 3 + 1
    assert seq_of("clicks", 1_200) is None
    for number in (17, 107, 197, 287, 377):
        assert [seq_of("orders", number + more) for more in (0, 2)] == [number + 1] * 2
        assert seq_of("orders", number - 1) is None
        assert seq_of("orders", number + 3) is None
    assert seq_of("carts", 0) is None
