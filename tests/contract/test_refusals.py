"""What is refused: every reason of the contract, and what each one says."""

import hashlib
import json
import sys
from collections.abc import Callable

import pytest

from schemas.catalogue import CARTS, CLICKS, ORDERS, PROFILES, REVIEWS, SERVICE, WISHES
from schemas.deadletter import DeadLetter
from schemas.decoding import DAY_MS, NESTING, RawRecord
from schemas.envelope import BODY_BYTES
from schemas.partitioner import partition_of
from tests.contract.records import (
    APPENDED_MS,
    CUSTOMER,
    PARTITIONS,
    Event,
    accepted,
    at,
    decode,
    event,
    record,
    refused,
)


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
        (SERVICE, "action", {}),
        (SERVICE, "case_id", {"action": "inquiry"}),
        (SERVICE, "case_id", {"action": "replied"}),
        (SERVICE, "case_id", {"action": "complaint"}),
        (SERVICE, "case_id", {"action": "resolved"}),
        (SERVICE, "score", {"action": "survey_answered"}),
        (WISHES, "wish_id", {}),
        (WISHES, "action", {}),
        (WISHES, "liker_id", {"action": "liked"}),
        (WISHES, "liker_id", {"action": "unliked"}),
        (PROFILES, "action", {}),
        (PROFILES, "consent", {"action": "consent"}),
        (PROFILES, "alias_of", {"action": "alias"}),
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
        (SERVICE, {"action": "shouted"}),
        (SERVICE, {"case_id": "x" * 65}),
        (SERVICE, {"topic": ""}),
        (SERVICE, {"text": "x" * 2001}),
        (SERVICE, {"action": "survey_answered", "score": 11}),
        (SERVICE, {"action": "survey_answered", "score": -1}),
        (WISHES, {"action": "hated"}),
        (WISHES, {"wish_id": "x" * 65}),
        (WISHES, {"liker_id": ""}),
        (WISHES, {"device_hash": "x" * 65}),
        (WISHES, {"attributes": {"size": 5}}),
        (PROFILES, {"action": "guessed"}),
        (PROFILES, {"gender": "unknown"}),
        (PROFILES, {"birthday": "1994-02-30"}),
        (PROFILES, {"birthday": "28.2.1994"}),
        (PROFILES, {"region": "x" * 65}),
        (PROFILES, {"tags": ["x"] * 21}),
        (PROFILES, {"tags": ["x" * 65]}),
        (PROFILES, {"consent": {"smoke_signs": True}}),
        (PROFILES, {"consent": {"sms": "yes"}}),
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
