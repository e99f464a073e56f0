"""What a commit tells other keys: rows of its own, named by the commit, for the partition of the key."""

from typing import Any

import msgspec
import pytest

from schemas.catalogue import (
    DEADLETTERS,
    EXCHANGE,
    FOLDED_TOPICS,
    PROFILES,
    TRIGGERS,
    VERDICTS,
)
from schemas.deadletter import DeadLetter
from schemas.decoding import Decoded, Decoder, RawRecord
from schemas.envelope import BODY_BYTES
from schemas.exchange import EXCHANGE_BYTES, ExchangeEvent, Visitor
from schemas.partitioner import partition_of
from streams.domain import exchange
from streams.domain.state import CustomerState, new_state, state_key
from streams.engine.commit import Commit, Fetched, OutRow, Position, Stamp
from streams.engine.partition import NEW_CLOCK, NEW_POSITION
from streams.engine.process import PartitionProcessor
from streams.repair.repartition_states import moved_state
from streams.state.codec import encode
from streams.state.codes import CouponCodes
from tests.definitions import NO_DEFINITIONS
from tests.domain.events import START, Timed, click, profile
from tests.domain.network import as_of
from tests.domain.test_handover import alias

PARTITIONS = 8
COOKIE = "cookie"
HOME = partition_of(b"cookie", PARTITIONS)
_DECODER = Decoder(PARTITIONS, {topic: topic for topic in FOLDED_TOPICS})
_STAMP = Stamp(1, NEW_CLOCK, 0, {}, "build", 1, "config", "1")


def _processor() -> PartitionProcessor:
    return PartitionProcessor(
        HOME, _DECODER, CouponCodes("key", "1"), triggers_topic=TRIGGERS, verdicts_topic=VERDICTS,
        decisions_topic="decisions",
        deadletters_topic=DEADLETTERS, exchange_topic=EXCHANGE, partitions=PARTITIONS,
    )  # fmt: skip


def _record(made: Timed, offset: int, topic: str) -> RawRecord:
    event, _ = made
    key, value = event.subject.encode(), msgspec.json.encode(event)
    return RawRecord(topic, HOME, offset, START + 1, key, value)


def _commit(
    position: Position, states: dict[str, CustomerState], *made: Timed, adopted: Any = None
) -> Commit:
    records = [_record(each, offset, PROFILES) for offset, each in enumerate(made)]
    processor = _processor()
    work = processor.prepare([Fetched(PROFILES, 0, len(records), records)], 0)
    draft = processor.fold(position, work, states, {}, NO_DEFINITIONS, adopted=adopted)
    return draft.finish(_STAMP)


def _told(rows: list[OutRow]) -> list[ExchangeEvent]:
    return [msgspec.json.decode(row.value, type=ExchangeEvent) for row in rows]


def test_the_rows_of_a_commit() -> None:
    later = profile("2", START + 5, "updated", region="CN-33")
    commit = _commit(Position(16, bytes(16)), {}, alias("1", START), as_of(COOKIE, later))
    assert [(row.topic, row.partition, row.key) for row in commit.rows] == [
        (EXCHANGE, partition_of(b"c1", PARTITIONS), b"c1")
    ] * 2
    told = _told(commit.rows)
    assert [(each.source, each.id) for each in told] == [
        (EXCHANGE, f"{HOME}-17-0"), (EXCHANGE, f"{HOME}-17-1"),
    ]  # fmt: skip
    # Folded again it is the same, byte for byte, and the journal's row knows its rows.
    again = _commit(Position(16, bytes(16)), {}, alias("1", START), as_of(COOKIE, later))
    assert (again.rows, again.row) == (commit.rows, commit.row)
    other = _commit(Position(16, bytes(16)), {}, alias("1", START, customer="c2"))
    assert other.journal.rows != commit.journal.rows


def test_what_is_adopted_is_folded_and_not_sent_again() -> None:
    states: dict[str, CustomerState] = {}
    decided = _commit(NEW_POSITION, {}, alias("1", START))
    processor = _processor()
    records = [_record(alias("1", START), 0, PROFILES)]
    work = processor.prepare([Fetched(PROFILES, 0, 1, records)], 0)
    draft = processor.fold(NEW_POSITION, work, states, {}, NO_DEFINITIONS, adopted=[])
    adopted = draft.finish_as(decided.journal, decided.row)
    assert adopted.rows == []
    assert adopted.states == decided.states
    # What folding alone gives is what verify holds against the row's digest.
    assert _commit(NEW_POSITION, {}, alias("1", START), adopted=[]).rows == decided.rows


def _exchange(event: ExchangeEvent, partition: int, timestamp: int = START) -> RawRecord:
    value = msgspec.json.encode(event)
    return RawRecord(EXCHANGE, partition, 0, timestamp, event.subject.encode(), value)


def _fact(size: int = 10) -> ExchangeEvent:
    (told,) = _told(_commit(NEW_POSITION, {}, alias("1", START)).rows)
    body = told.data.body
    assert isinstance(body, Visitor)
    body.state = encode(new_state("shop", COOKIE)) + bytes(size)
    return told


def test_a_fact_may_be_larger_than_an_event_and_its_time_is_not_judged_again() -> None:
    home = partition_of(b"c1", PARTITIONS)
    for fact in (_fact(), _fact(BODY_BYTES)):
        # As if the clock here were years behind that of the partition that told it.
        record = _exchange(fact, home, timestamp=0)
        assert isinstance(_DECODER.decode(record, 0), Decoded)
        assert _DECODER.decode_many([record], 0) == [_DECODER.decode(record, 0)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda r: r._replace(value=b"no json"), "not_json"),
        (lambda r: r._replace(value=r.value.replace(b"visitor", b"stranger")), "invalid_value"),
        (lambda r: r._replace(key=b"c2"), "key_not_subject"),
        (lambda r: r._replace(partition=(r.partition + 1) % PARTITIONS), "wrong_partition"),
        (lambda r: r._replace(value=r.value + b" " * EXCHANGE_BYTES), "body_too_large"),
    ],
)  # fmt: skip
def test_what_no_worker_wrote_is_a_dead_letter(change: Any, reason: str) -> None:
    record = change(_exchange(_fact(), partition_of(b"c1", PARTITIONS)))
    refused = _DECODER.decode(record, 0)
    assert isinstance(refused, DeadLetter)
    assert refused.reason == reason
    assert _DECODER.decode_many([record], 0) == [refused]


def test_a_state_of_another_kind_has_keys_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    event, _ = click("1", START)
    assert exchange.key_of(event) == state_key("shop", "c1") == "shop/c1"
    fact = _fact()
    assert exchange.key_of(fact) == "shop/c1"
    monkeypatch.setitem(exchange._KINDS, Visitor, "product")
    assert (exchange.kind_of(fact), exchange.key_of(fact)) == ("product", "product:shop/c1")
    assert (exchange.kind_of(event), exchange.key_of(event)) == ("", "shop/c1")
    # And is found by its key wherever states are moved.
    moved = moved_state(encode(new_state("shop", "c1", "product")))
    assert (moved.key, moved.customer) == ("product:shop/c1", "c1")
