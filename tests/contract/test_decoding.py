"""What is read, in structured and binary mode, and in which order."""

import json
from typing import Any

import pytest

from schemas.catalogue import CARTS, CUSTOMER_TOPICS, ORDERS, kafka_names
from schemas.deadletter import DeadLetter, Reason
from schemas.decoding import DAY_MS, Decoded, Decoder, RawRecord, Record, UnknownTopicError
from schemas.examples import EXAMPLES
from tests.contract.records import (
    APPENDED_MS,
    CUSTOMER,
    PARTITIONS,
    Event,
    accepted,
    at,
    event,
    record,
    refused,
)


@pytest.mark.parametrize("topic", CUSTOMER_TOPICS)
def test_a_valid_event_is_typed(topic: str) -> None:
    read = accepted(record(event(topic), topic))
    assert read.event.data.shop_id == "tea"
    assert read.event.subject == CUSTOMER
    assert read.time_ms == 1_779_264_000_000


@pytest.mark.parametrize(
    ("time", "time_ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-05-20T16:00:00+08:00", 1_779_264_000_000),
        ("2026-05-20T00:30:00-07:30", 1_779_264_000_000),
        ("2026-05-20T08:00:00.001Z", 1_779_264_000_001),
        ("2026-05-20T08:00:00.001999Z", 1_779_264_000_001),
        ("2026-05-20T08:00:00.9999994Z", 1_779_264_000_999),
        # Nanoseconds are rounded to the microsecond first, which is what datetimes hold.
        ("2026-05-20T08:00:00.9999995Z", 1_779_264_001_000),
    ],
)
def test_times_are_cut_to_the_millisecond(time: str, time_ms: int) -> None:
    assert accepted(record(event(time=time))).time_ms == time_ms


def test_unknown_fields_are_ignored() -> None:
    accepted(record(event(data={"mood": ["glad"]}, traceparent="00-1-2-01")))


def test_an_unknown_field_may_hold_any_number() -> None:
    accepted(record(json.dumps(event(data={"x": 0})).replace('"x": 0', '"x": 1e999').encode()))


def test_the_last_of_duplicate_keys_counts() -> None:
    text = json.dumps(event()).replace('"subject"', '"subject": "other", "subject"')
    assert accepted(record(text.encode())).event.subject == CUSTOMER


@pytest.mark.parametrize("status", ["placed", "paid"])
def test_an_order_may_come_without_its_lines(status: str) -> None:
    accepted(record(event(ORDERS, {"status": status, "lines": []}), ORDERS))


def test_a_cleared_cart_needs_no_sku() -> None:
    data = {"shop_id": "tea", "action": "clear"}
    accepted(record(event(CARTS) | {"data": data}, CARTS))


def test_topic_names_may_have_a_prefix() -> None:
    decoder = Decoder(PARTITIONS, kafka_names("t1."))
    prefixed = record(event())._replace(topic="t1.shop.clicks")
    assert isinstance(decoder.decode(prefixed, 0), Decoded)
    with pytest.raises(UnknownTopicError, match="HUITOU_TOPIC_PREFIX"):
        decoder.decode(record(event()), 0)


def binary_mode(source: Event, **changes: bytes | None) -> RawRecord:
    headers = {f"ce_{name}": str(value).encode() for name, value in source.items()}
    del headers["ce_data"]
    merged: dict[str, bytes | None] = {"content-type": b"application/json", **headers, **changes}
    return record(
        json.dumps(source["data"]).encode(),
        headers=[(name, value) for name, value in merged.items() if value is not None],
    )


def test_binary_mode_reads_the_same_event() -> None:
    assert accepted(binary_mode(event())) == accepted(record(event()))


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"ce_specversion": None}, "missing_field", "specversion"),
        ({"ce_specversion": b"0.3"}, "invalid_value", "specversion"),
        ({"ce_type": b"shop.cart.v1"}, "wrong_type", "type"),
        ({"ce_type": b"\0"}, "wrong_type", "type"),
        ({"ce_time": b"yesterday"}, "invalid_value", "time"),
        ({"ce_id": b"\xff"}, "invalid_value", "id"),
        ({"ce_subject": b"100002"}, "key_not_subject", "subject"),
    ],
)
def test_binary_mode_is_held_to_the_same_rules(
    changes: dict[str, bytes | None], reason: Reason, field: str
) -> None:
    assert refused(binary_mode(event(), **changes))[0] == reason
    assert field in refused(binary_mode(event(), **changes))[1]


def test_a_value_in_binary_mode_cannot_reach_out_of_the_data() -> None:
    value = b'{"shop_id":"tea","action":"view"},"id":"forged","x":{}'
    assert refused(binary_mode(event())._replace(value=value))[0] == "not_json"


def test_other_headers_change_nothing() -> None:
    tracing = [("traceparent", b"00-1-2-01"), ("content-type", b"application/cloudevents+json")]
    accepted(record(event(), headers=tracing))
    accepted(record(event(), headers=[*tracing, ("ce_id", b"other")]))


@pytest.mark.parametrize(
    "shown", [e for e in EXAMPLES if e.topic in CUSTOMER_TOPICS], ids=lambda e: e.title
)
def test_every_example_of_the_customer_topics_is_read(shown: Any) -> None:
    accepted(record(shown.value, shown.topic, key=shown.key))


# Bundles.


def test_a_bundle_keeps_its_order_and_loses_only_the_bad() -> None:
    decoder = Decoder(PARTITIONS)
    bundle = [
        record(event(id="1"), offset=1),
        record(b"nope", offset=2),
        record(event(id="3"), offset=3),
        record(None, offset=4),
        record(event(id="5", time=at(APPENDED_MS + 2 * DAY_MS)), offset=5),
        record(event(id="6"), offset=6),
    ]
    verdicts = decoder.decode_many(bundle, 0)
    assert [getattr(v, "reason", None) for v in verdicts] == [
        None, "not_json", None, "null_value", "future_time", None,
    ]  # fmt: skip
    assert [v.event.id for v in verdicts if isinstance(v, Decoded)] == ["1", "3", "6"]
    assert decoder.decode_many([], 0) == []


class _Noting(Decoder):
    """Notes the offsets of the records that take the thorough path."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.seen: list[int] = []

    def decode(self, record: Record, latest_ms: int) -> Decoded | DeadLetter:
        self.seen.append(record.offset)
        return super().decode(record, latest_ms)


def test_good_events_take_the_fast_path() -> None:
    """What the thorough path costs three times as much for: it must see the doubtful ones only."""
    decoder = _Noting(PARTITIONS)
    good = [record(event(id=str(n), data={"page": "x" * n}), offset=n) for n in range(100)]
    decoder.decode_many([*good, record(b"nope", offset=100)], 0)
    assert decoder.seen == [100]


def test_remembered_keys_are_bounded() -> None:
    decoder = Decoder(PARTITIONS, remembered_keys=4 * PARTITIONS)
    for number in range(200):
        name = f"customer-{number}"
        one = record(event(subject=name), key=name.encode())
        assert isinstance(decoder.decode_many([one], 0)[0], Decoded)
        assert isinstance(decoder.decode_many([one._replace(key=b"x")], 0)[0], DeadLetter)
    assert all(len(subjects) <= 4 for subjects in decoder._subjects)
