"""Dead letters on the wire: deterministic, and bounded whatever the record was."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from schemas.catalogue import CLICKS
from schemas.deadletter import DeadLetter, DeadLetterEvent, Header
from schemas.decoding import Decoder, RawRecord, encode_dead_letter
from tests.contract.records import APPENDED_MS, CUSTOMER, PARTITIONS, decode, event, record, refused


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
