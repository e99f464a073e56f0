"""What is read, what becomes a dead letter and why; and that no bytes whatever raise."""

import hashlib
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.catalogue import CARTS, CLICKS, CUSTOMER_TOPICS, ORDERS, REVIEWS, kafka_names
from schemas.deadletter import DeadLetter, DeadLetterEvent, Header, Reason
from schemas.decoding import (
    DAY_MS,
    NESTING,
    Decoded,
    Decoder,
    RawRecord,
    Record,
    UnknownTopicError,
    encode_dead_letter,
)
from schemas.envelope import BODY_BYTES
from schemas.examples import EXAMPLES
from schemas.partitioner import partition_of

PARTITIONS = 8
APPENDED_MS = 1_790_000_000_000
CUSTOMER = "100001"
Event = dict[str, Any]

VALID: dict[str, Event] = {
    CLICKS: {"action": "view", "sku": "s1", "price": 100},
    CARTS: {"action": "add", "sku": "s1", "quantity": 2, "attributes": {"size": "L"}},
    ORDERS: {"order_id": "o1", "status": "paid", "lines": [{"sku": "s1", "unit_price": 5}]},
    REVIEWS: {"order_id": "o1", "sku": "s1", "action": "posted", "rating": 2},
}
TYPES = {
    CLICKS: "shop.click.v1",
    CARTS: "shop.cart.v1",
    ORDERS: "shop.order.v1",
    REVIEWS: "shop.review.v1",
}


def event(topic: str = CLICKS, data: Event | None = None, **envelope: Any) -> Event:
    return {
        "specversion": "1.0",
        "id": "e1",
        "source": "web",
        "type": TYPES[topic],
        "subject": CUSTOMER,
        "time": "2026-05-20T08:00:00Z",
        "data": {"shop_id": "tea", **VALID[topic], **(data or {})},
        **envelope,
    }


def record(value: Event | bytes | None, topic: str = CLICKS, **fields: Any) -> RawRecord:
    if isinstance(value, dict):
        value = json.dumps(value).encode()
    whole = RawRecord(topic, 0, 42, APPENDED_MS, CUSTOMER.encode(), value)._replace(**fields)
    if "partition" in fields or whole.key is None:
        return whole
    return whole._replace(partition=partition_of(whole.key, PARTITIONS))


def decode(one: RawRecord, latest_ms: int = 0) -> Decoded | DeadLetter:
    """By both ways in, which must agree."""
    decoder = Decoder(PARTITIONS)
    verdict = decoder.decode(one, latest_ms)
    assert decoder.decode_many([one], latest_ms) == [verdict]
    return verdict


def refused(one: RawRecord, latest_ms: int = 0) -> tuple[Reason, str]:
    verdict = decode(one, latest_ms)
    assert isinstance(verdict, DeadLetter), verdict
    assert (verdict.topic, verdict.partition, verdict.offset) == (one.topic, one.partition, 42)
    assert (verdict.key, verdict.value) == (one.key, one.value and one.value[:BODY_BYTES])
    return verdict.reason, verdict.detail


def accepted(one: RawRecord, latest_ms: int = 0) -> Decoded:
    verdict = decode(one, latest_ms)
    assert isinstance(verdict, Decoded), verdict
    return verdict


# What is read.


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


# What is refused. Every reason of the contract, and what each one says.


@pytest.mark.parametrize(
    "value",
    [
        *(b"", b" ", b"{", b"nope", b"\xff\xfe", b'{"type":"\xff"}', b"\x00"),
        json.dumps(event()).encode() + b"x",
        json.dumps(event()).encode("utf-16"),
        b'{"x":' + b"[" * (NESTING - 1),
        json.dumps(event()).replace("s1", r"\udc00xxxxxx").encode(),
        json.dumps(event(data={"price": float("nan")})).encode(),
    ],
)
def test_not_json(value: bytes) -> None:
    assert refused(record(value))[0] == "not_json"


@pytest.mark.parametrize("kind", ["shop.cart.v1", "shop.click.v2", "", 5, None, "\0"])
def test_wrong_type(kind: object) -> None:
    assert refused(record(event(type=kind)))[0] == "wrong_type"


@pytest.mark.parametrize(
    "field", ["specversion", "id", "source", "type", "subject", "time", "data"]
)
def test_a_missing_field_of_the_envelope(field: str) -> None:
    lacking = {name: value for name, value in event().items() if name != field}
    assert refused(record(lacking))[0] == "missing_field"


@pytest.mark.parametrize(
    ("topic", "field", "also"),
    [
        (CLICKS, "shop_id", {}),
        (CLICKS, "action", {}),
        (CARTS, "sku", {"action": "add"}),
        (CARTS, "sku", {"action": "remove"}),
        (CARTS, "sku", {"action": "set"}),
        (ORDERS, "order_id", {}),
        (ORDERS, "status", {}),
        (ORDERS, "refund_id", {"status": "refund_requested"}),
        (ORDERS, "refund_id", {"status": "refund_withdrawn"}),
        (ORDERS, "refund_id", {"status": "refunded"}),
        (REVIEWS, "rating", {"action": "posted"}),
        (REVIEWS, "order_id", {}),
        (REVIEWS, "sku", {}),
    ],
)
def test_a_missing_field_of_the_data(topic: str, field: str, also: Event) -> None:
    lacking = event(topic, also)
    lacking["data"].pop(field, None)
    reason, detail = refused(record(lacking, topic))
    assert reason == "missing_field"
    assert f"`{field}`" in detail


@pytest.mark.parametrize(
    ("topic", "data"),
    [
        (CLICKS, {"action": "stare"}),
        (CLICKS, {"action": None}),
        (CLICKS, {"sku": "x" * 65}),
        (CLICKS, {"sku": ""}),
        (CLICKS, {"keyword": "x" * 129}),
        (CLICKS, {"price": -1}),
        (CLICKS, {"price": 1.5}),
        (CLICKS, {"price": "1.50"}),
        (CLICKS, {"price": 10**12 + 1}),
        (CLICKS, {"price": 10**30}),
        (CLICKS, {"price": 10**4299}),
        (CLICKS, {"shop_id": "a/b"}),
        (CLICKS, {"shop_id": "tea\n"}),
        (CLICKS, {"shop_id": ""}),
        (CARTS, {"quantity": 0}),
        (CARTS, {"attributes": {"size": 5}}),
        (ORDERS, {"status": "eaten"}),
        (ORDERS, {"lines": [{"quantity": 1}]}),
        (ORDERS, {"lines": [{"sku": "s"}] * 201}),
        (ORDERS, {"remark": "x" * 2001}),
        (REVIEWS, {"rating": 0}),
        (REVIEWS, {"rating": 6}),
        (REVIEWS, {"text": "x" * 2001}),
    ],
)
def test_an_invalid_value_of_the_data(topic: str, data: Event) -> None:
    reason, detail = refused(record(event(topic, data), topic))
    assert reason == (
        "missing_field" if data.get("lines") == [{"quantity": 1}] else "invalid_value"
    )
    assert "$.data" in detail


@pytest.mark.parametrize(
    "envelope",
    [
        {"specversion": "1.1"},
        {"specversion": 1},
        {"id": ""},
        {"id": "x" * 65},
        {"id": 7},
        {"source": "x" * 129},
        {"subject": "x" * 65},
        {"time": "2026-05-20"},
        {"time": "2026-05-20T08:00:00"},
        {"time": "2026-02-30T08:00:00Z"},
        {"time": "2026-05-20T08:00:60Z"},
        {"time": "0000-01-01T00:00:00Z"},
        {"time": "1969-12-31T23:59:59.999Z"},
        {"time": "0001-01-01T00:00:00+23:59"},
        {"time": 1_779_264_000},
        {"data": []},
        {"data": None},
    ],
)
def test_an_invalid_value_of_the_envelope(envelope: Event) -> None:
    assert refused(record(event() | envelope))[0] == "invalid_value"


@pytest.mark.parametrize("value", [b"null", b"[]", b"5", b'"x"'])
def test_json_that_is_no_object(value: bytes) -> None:
    assert refused(record(value))[0] == "invalid_value"


def at(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")


@pytest.mark.parametrize("latest_ms", [0, APPENDED_MS - DAY_MS, APPENDED_MS, APPENDED_MS + DAY_MS])
def test_a_time_more_than_a_day_ahead(latest_ms: int) -> None:
    """Of the later of the broker's append time and the newest tick, to the millisecond."""
    bound = max(APPENDED_MS, latest_ms) + DAY_MS
    assert accepted(record(event(time=at(bound))), latest_ms).time_ms == bound
    assert refused(record(event(time=at(bound + 1))), latest_ms) == (
        "future_time",
        f"{DAY_MS + 1} ms ahead - at `$.time`",
    )


def test_the_last_year_of_all() -> None:
    assert refused(record(event(time="9999-12-31T23:59:59-23:59")))[0] == "future_time"
    assert isinstance(decode(record(event(time="9999-12-31T23:59:59.9999999Z"))), DeadLetter)


def test_a_body_over_the_limit() -> None:
    text = json.dumps(event()).encode()
    accepted(record(text + b" " * (BODY_BYTES - len(text))))
    long = text + b" " * (BODY_BYTES - len(text) + 1)
    assert refused(record(long)) == ("body_too_large", "65537 bytes, at most 65536 are read")
    letter = decode(record(long))
    assert isinstance(letter, DeadLetter)
    assert letter.value == long[:BODY_BYTES]
    assert letter.value_bytes == BODY_BYTES + 1
    assert letter.value_sha256 == hashlib.sha256(long).hexdigest()


def test_no_value_and_no_key() -> None:
    assert refused(record(None))[0] == "null_value"
    assert refused(record(event(), key=None))[0] == "null_key"


@pytest.mark.parametrize(
    "key", [b"100002", b"", b"\xff", b" 100001", b"100001\x00", b"\xed\xa0\x80"]
)
def test_a_key_that_is_not_the_subject(key: bytes) -> None:
    assert refused(record(event(), key=key))[0] == "key_not_subject"


def test_a_partition_that_is_not_the_keys() -> None:
    home = partition_of(CUSTOMER.encode(), PARTITIONS)
    for partition in {*range(PARTITIONS + 1)} - {home}:
        reason, detail = refused(record(event(), partition=partition))
        assert reason == "wrong_partition"
        assert f"partition {home} of {PARTITIONS}" in detail


@pytest.mark.parametrize("spare_frames", [200, 900])
def test_nesting_is_judged_alike_however_deep_the_caller_stands(spare_frames: int) -> None:
    """msgspec's own bound is what the interpreter's stack has left: it must never decide."""
    deep = event(data={"x": 0})

    def nested(depth: int) -> RawRecord:
        text = json.dumps(deep).replace('"x": 0', '"x": ' + "[" * depth + "]" * depth)
        return record(text.encode())

    def stand(depth: int, act: Callable[[], None]) -> None:
        if depth > 0:
            stand(depth - 1, act)
        else:
            act()

    def judge() -> None:
        accepted(nested(NESTING - 2))
        assert refused(nested(NESTING - 1)) == ("invalid_value", f"nested deeper than {NESTING}")
        assert refused(nested(20_000))[0] == "invalid_value"

    stand(sys.getrecursionlimit() - NESTING - spare_frames, judge)


def test_brackets_in_a_text_are_not_nesting() -> None:
    accepted(record(event(REVIEWS, {"text": '["\\' * 500}), REVIEWS))


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


def test_good_events_take_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the thorough path costs three times as much for: it must see the doubtful ones only."""
    decoder = Decoder(PARTITIONS)
    seen: list[int] = []
    thorough = decoder.decode

    def noted(one: Record, latest_ms: int) -> Decoded | DeadLetter:
        seen.append(one.offset)
        return thorough(one, latest_ms)

    monkeypatch.setattr(decoder, "decode", noted)
    good = [record(event(id=str(n), data={"page": "x" * n}), offset=n) for n in range(100)]
    decoder.decode_many([*good, record(b"nope", offset=100)], 0)
    assert seen == [100]


def test_remembered_keys_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schemas.decoding.REMEMBERED_KEYS", 4 * PARTITIONS)
    decoder = Decoder(PARTITIONS)
    for number in range(200):
        name = f"customer-{number}"
        one = record(event(subject=name), key=name.encode())
        assert isinstance(decoder.decode_many([one], 0)[0], Decoded)
        assert isinstance(decoder.decode_many([one._replace(key=b"x")], 0)[0], DeadLetter)
    assert all(len(subjects) <= 4 for subjects in decoder._subjects)


# Nothing escapes.

_TEXT = {topic: json.dumps(event(topic)).encode() for topic in CUSTOMER_TOPICS}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
TIMES = st.one_of(
    st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    st.integers(0, 9999).map(lambda year: f"{year:04d}-12-31T23:59:59.9999999+23:59"),
    st.text(max_size=40),
)


@st.composite
def mutated_events(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid event with some fields of the envelope or the data replaced or dropped."""
    topic = draw(st.sampled_from(CUSTOMER_TOPICS))
    source = event(topic)
    for _ in range(draw(st.integers(0, 3))):
        where = source["data"] if draw(st.booleans()) and type(source["data"]) is dict else source
        name = draw(st.sampled_from(sorted(where) or ["x"]))
        if draw(st.booleans()):
            where[name] = draw(TIMES) if name == "time" else draw(JSON)
        else:
            where.pop(name, None)
        if where is source and "data" not in source:
            source["data"] = draw(JSON)
    return topic, json.dumps(source).encode("utf-8", "surrogatepass")


@st.composite
def mutilated_bytes(draw: st.DrawFn) -> tuple[str, bytes]:
    """A valid event's bytes with a stretch of them replaced by any others."""
    topic = draw(st.sampled_from(CUSTOMER_TOPICS))
    text = _TEXT[topic]
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 8)))
    return topic, text[:start] + draw(st.binary(max_size=12)) + text[end:]


anything = st.tuples(st.sampled_from(CUSTOMER_TOPICS), st.binary(max_size=300))
keys = st.sampled_from([CUSTOMER.encode(), None, b"", b"\xff"]) | st.binary(max_size=70)
headers = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_time", "ce_specversion", "ce_subject", "x"])
        | st.text(max_size=5),
        st.none() | st.binary(max_size=30) | st.sampled_from([b"1.0", b"shop.click.v1"]),
    ),
    max_size=8,
)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(anything, mutated_events(), mutilated_bytes()),
    keys,
    st.just([]) | headers,
    st.integers(0, PARTITIONS),
    st.integers(-1, 2**63 - 1),
    st.integers(0, 2**62),
)
@example((CLICKS, b"[" * 60_000), b"1", [], 0, 0, 0)
@example((CLICKS, b'{"":' * 15_000), b"1", [], 0, 0, 0)
@example((CLICKS, b"1" * 60_000), b"1", [("ce_id", b"1")], 0, 0, 0)
@example((CLICKS, b"-1e99999999"), b"1", [("ce_id", b"1")], 0, 0, 0)
def test_no_record_raises(
    kept: tuple[str, bytes],
    key: bytes | None,
    with_headers: list[tuple[str, bytes | None]],
    partition: int,
    timestamp: int,
    latest_ms: int,
) -> None:
    topic, value = kept
    one = RawRecord(topic, partition, 42, timestamp, key, value, with_headers)
    decoder = Decoder(PARTITIONS)
    verdict = decoder.decode(one, latest_ms)
    # The fast path learns keys: it must agree before and after.
    assert decoder.decode_many([one, one], latest_ms) == [verdict, verdict]
    if isinstance(verdict, Decoded):
        # Whatever was accepted can be written again, to JSON, msgpack and a Redis key.
        msgspec.msgpack.encode(verdict.event)
        msgspec.json.encode(verdict.event)
        assert 0 <= verdict.time_ms <= max(timestamp, latest_ms) + DAY_MS
        assert verdict.event.subject.encode() == key
    else:
        encoded = encode_dead_letter(verdict, timestamp)
        assert msgspec.json.decode(encoded, type=DeadLetterEvent).data == verdict


# Dead letters on the wire.


def test_the_detail_is_bounded() -> None:
    assert len(refused(record(event(type="x" * 60_000)))[1]) == 200


def test_a_dead_letter_is_a_deterministic_event() -> None:
    letter = decode(record(b"\xff nope", headers=[("trace", b"\x00"), ("empty", None)]))
    assert isinstance(letter, DeadLetter)
    encoded = encode_dead_letter(letter, APPENDED_MS)
    assert encoded == encode_dead_letter(letter, APPENDED_MS)
    read = msgspec.json.decode(encoded, type=DeadLetterEvent)
    assert read.id == read.subject == f"shop.clicks/{letter.partition}/42"
    assert read.time == datetime.fromtimestamp(APPENDED_MS / 1000, UTC)
    assert (read.data.key, read.data.value) == (CUSTOMER.encode(), b"\xff nope")
    assert read.data.headers == [Header("trace", b"\x00"), Header("empty", None)]
    assert json.loads(encoded)["specversion"] == "1.0"


@pytest.mark.parametrize(
    "one_header",
    [("\x00" * 4000, b""), ("x", b"\xff" * 40_000), ("x", b"\xff" * 11_000), ("", b"")],
)
def test_the_largest_dead_letter_stays_under_128_kb(one_header: tuple[str, bytes]) -> None:
    huge = RawRecord(
        topic="t" * 249,
        partition=2**31 - 1,
        offset=2**63 - 1,
        timestamp=2**63 - 1,
        key=b"\xff" * 1_000_000,
        value=b"\xff" * 1_000_000,
        headers=[one_header] * 5_000,
    )
    decoder = Decoder(PARTITIONS, {"t" * 249: CLICKS})
    letter = decoder.decode(huge, 0)
    assert isinstance(letter, DeadLetter)
    assert len(letter.headers) + letter.headers_omitted == 5_000
    letter.detail = "\x00" * 200
    assert len(encode_dead_letter(letter, huge.timestamp)) < 128 * 1024


@pytest.mark.parametrize(
    "shown", [e for e in EXAMPLES if e.topic in CUSTOMER_TOPICS], ids=lambda e: e.title
)
def test_every_example_of_the_customer_topics_is_read(shown: Any) -> None:
    accepted(record(shown.value, shown.topic, key=shown.key))
