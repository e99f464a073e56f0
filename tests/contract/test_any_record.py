"""No bytes whatever make the decoder raise, and both its ways in agree on all of them."""

import json
from datetime import datetime

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.catalogue import CLICKS, CUSTOMER_TOPICS
from schemas.deadletter import DeadLetterEvent
from schemas.decoding import DAY_MS, Decoded, Decoder, RawRecord, encode_dead_letter
from tests.contract.records import CUSTOMER, PARTITIONS, event

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
