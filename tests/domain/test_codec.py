"""The encoding of states: versions, golden files, the document, and two processes that must agree."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain import (
    agenda,
    browsing,
    cart,
    duplicates,
    identity,
    interests,
    order,
    orders,
    profile,
    reviews,
    service,
    state,
    summary,
    touches,
    wishes,
)
from streams.domain.describe import describe
from streams.domain.fold import fold
from streams.domain.integrity import buyer, product
from streams.domain.state import new_state
from streams.domain.timers import take_due
from streams.state.codec import (
    CODEC_VERSION,
    CorruptStateError,
    NewerStateError,
    decode,
    encode,
)
from tests.domain.events import SHOP, build
from tests.domain.record_golden import GOLDEN, digest_of
from tests.domain.sample import golden_state, golden_states, life
from tests.domain.test_any_order import everything

DOCUMENT = Path(__file__).parents[2] / "docs" / "state.md"


#: Every golden file that was ever released, by the first 16 hex digits of its SHA-256. Lines are
#: only added: states in production have these encodings for as long as nobody touches them.
RELEASED = {
    "v1/busy.json": "322502ba911e9c11",
    "v1/busy.msgpack": "e3137d1cd9bd4024",
    "v1/clicks.json": "ba1bdaa2254ca142",
    "v1/clicks.msgpack": "8598cf00035f50f7",
    "v1/full.json": "14531ac5a060af6f",
    "v1/full.msgpack": "f916ad01eb4135b8",
    "v1/new.json": "47ef06636c21cab8",
    "v1/new.msgpack": "804fa165d9d2757d",
    "v2/busy.json": "aaa67504ca8bc965",
    "v2/busy.msgpack": "4bc2b689fc6224a5",
    "v2/clicks.json": "867accf1068a172a",
    "v2/clicks.msgpack": "01b5be67e6699553",
    "v2/full.json": "b66eb09c46b22534",
    "v2/full.msgpack": "a2debccfbd3f9dbe",
    "v2/new.json": "f742e1dbb54ccbef",
    "v2/new.msgpack": "d9ed9722efd4c99c",
    "v3/busy.json": "3da8cd38626377d3",
    "v3/busy.msgpack": "d55e9146bd6615e3",
    "v3/clicks.json": "917a02c9d864ed4b",
    "v3/clicks.msgpack": "d62dc4c5158bc668",
    "v3/full.json": "b8607abe4f540ff0",
    "v3/full.msgpack": "46ec48127b835f35",
    "v3/new.json": "6ace6d714cc1ef37",
    "v3/new.msgpack": "93062068b719adf0",
    "v4/busy.json": "10c44e55acf48464",
    "v4/busy.msgpack": "10419326051024cf",
    "v4/clicks.json": "5b263f8842d5ca6a",
    "v4/clicks.msgpack": "507ce62ac0bf8a1c",
    "v4/full.json": "38f78d736249794f",
    "v4/full.msgpack": "605e33d446266edb",
    "v4/new.json": "7dbfe8f4681ed713",
    "v4/new.msgpack": "0adbe6f520236314",
}


def test_golden_files_are_never_rewritten() -> None:
    paths = sorted(path for path in GOLDEN.rglob("*") if path.is_file())
    assert {path.relative_to(GOLDEN).as_posix(): digest_of(path) for path in paths} == RELEASED, (
        "a golden file is not the one that was released: put it back (git checkout), and give a new "
        "encoding a new STATE_VERSION and files of its own: python -m tests.domain.record_golden"
    )


def test_every_version_has_its_golden_files() -> None:
    folders = sorted(path.name for path in GOLDEN.iterdir())
    assert folders == [f"v{version}" for version in range(1, CODEC_VERSION + 1)]


@pytest.mark.parametrize(
    "path", sorted(GOLDEN.rglob("*.msgpack")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_released_encoding_is_still_read(path: Path) -> None:
    held = decode(path.read_bytes())
    shown = describe(held, SHOP)
    expected = json.loads(path.with_suffix(".json").read_text())
    shown.pop("encoding"), expected.pop("encoding")
    # What is new since then may be there; what was there must be the same.
    assert _at_least(shown, expected)
    # And from its next commit on it is a state like any other.
    assert decode(encode(held)) == held


def _at_least(shown: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return all(_at_least(shown[name], value) for name, value in expected.items())
    if isinstance(expected, list):
        return len(shown) == len(expected) and all(map(_at_least, shown, expected))
    return bool(shown == expected)


def test_todays_encoding_is_the_golden_one() -> None:
    """A difference means a new encoding: raise STATE_VERSION, add its files, keep the old ones."""
    recorded = GOLDEN / f"v{CODEC_VERSION}"
    for name, example in golden_states().items():
        assert encode(example) == (recorded / f"{name}.msgpack").read_bytes(), name


def test_fields_appended_later_get_their_defaults() -> None:
    whole = msgspec.msgpack.decode(encode(golden_state()))
    shorter = msgspec.msgpack.encode(whole[:8])
    read = decode(shorter)
    assert (read.version, read.cart, read.coupons) == (CODEC_VERSION, None, [])


@pytest.mark.parametrize("shape", ["longer", "other"])
def test_a_newer_encoding_is_refused_and_says_what_to_do(shape: str) -> None:
    elements = msgspec.msgpack.decode(encode(golden_state()))
    elements[0] = CODEC_VERSION + 1
    if shape == "longer":
        elements.append("of the future")
    else:
        elements[7] = "not what it was"
    with pytest.raises(NewerStateError, match="Deploy readers first") as caught:
        decode(msgspec.msgpack.encode(elements))
    assert caught.value.version == CODEC_VERSION + 1


@pytest.mark.parametrize(
    "data", [b"", b"\x90", b"junk", msgspec.msgpack.encode([1, 2, 3]), msgspec.msgpack.encode([])]
)
def test_what_is_no_state_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptStateError):
        decode(data)


@settings(max_examples=100, deadline=None)
@given(everything, st.lists(st.booleans(), min_size=30, max_size=30))
def test_a_state_read_again_behaves_as_the_cached_one(
    drawn: list[tuple[Any, ...]], reloads: list[bool]
) -> None:
    cached, reloaded = new_state("shop", "c1"), new_state("shop", "c1")
    for (event, time), reload in zip(build(drawn, distinct=False), reloads, strict=False):
        if reload:
            reloaded = decode(encode(reloaded))
        assert fold(cached, event, time, SHOP) == fold(reloaded, event, time, SHOP)
        if reload:
            assert take_due(cached, time, SHOP) == take_due(reloaded, time, SHOP)
        assert encode(cached) == encode(reloaded)
    assert decode(encode(cached)) == cached


def digest_of_a_life(*, reload: bool) -> str:
    """One digest over the encodings of a long life after each event."""
    digest = hashlib.sha256()
    for customer, live in life(1_000, reload=reload):
        digest.update(customer.encode() + encode(live))
    return digest.hexdigest()


def test_two_processes_with_different_hash_seeds_agree() -> None:
    runs = set()
    for seed, reload in (("0", False), ("1", True), ("4711", True)):
        run = subprocess.run(
            [
                sys.executable,
                "-c",
                f"from tests.domain import test_codec as t; print(t.digest_of_a_life(reload={reload}))",
            ],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert run.returncode == 0, run.stderr
        runs.add(run.stdout)
    assert len(runs) == 1


STRUCTS = [
    state.CustomerState, identity.Identity, identity.Alias,
    browsing.Browsing, browsing.ActionCounts, browsing.Session,
    cart.Cart, cart.Line, cart.CartFact, orders.Orders, order.Totals, order.OpenOrder,
    order.Refund, reviews.Reviews, state.Coupon, service.Service, service.Case,
    wishes.Wishes, wishes.Wish, profile.Profile,
    interests.Interests, interests.Visit, summary.Summary, summary.Product,
    buyer.BuyerIntegrity, buyer.OrderMark, buyer.ProductMark,
    product.ProductIntegrity, product.ProductOrder, agenda.Agenda,
]  # fmt: skip
PACKED = {
    "seen": duplicates.ENTRY_BYTES,
    "past sessions": browsing.PAST_BYTES,
    "past orders": orders.PAST_BYTES,
    "past refunds": orders.PAST_REFUND_BYTES,
    "known reviews": reviews.KNOWN_BYTES,
    "past cases": service.PAST_CASE_BYTES,
    "past wishes": wishes.PAST_WISH_BYTES,
    "likers": wishes.LIKER_BYTES,
    "stamps": profile.STAMP_BYTES,
    "consents": profile.CONSENT_BYTES,
    "touches": touches.TOUCH_BYTES,
    "looks": buyer.LOOK_BYTES,
    "changes": agenda.CHANGE_BYTES,
}


def test_the_document_has_every_struct_field_by_field() -> None:
    text = DOCUMENT.read_text()
    assert f"version {CODEC_VERSION}" in text
    for struct in STRUCTS:
        assert _table(text, struct.__name__) == _fields(struct), struct.__name__


def test_the_document_has_every_packed_binary() -> None:
    text = DOCUMENT.read_text()
    for name, size in PACKED.items():
        rows = _table(text, name)
        assert sum(int(length) for _, _, length in rows) == size, name


def _table(text: str, heading: str) -> list[tuple[str, str, str]]:
    """The first three columns of the table under ``### heading``."""
    section = re.search(
        rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL
    )
    assert section is not None, f"docs/state.md has no section {heading}"
    rows = []
    for line in section.group(1).splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0].isdigit():
            rows.append((cells[0], cells[1], cells[2]))
    return rows


def _fields(struct: Any) -> list[tuple[str, str, str]]:
    hints = msgspec.inspect.type_info(struct)
    return [
        (str(index), field.encode_name, type_text(field.type))
        for index, field in enumerate(hints.fields)  # type: ignore[attr-defined]
    ]


def type_text(kind: Any) -> str:
    """How the document names a type."""
    match kind:
        case msgspec.inspect.IntType():
            return "int"
        case msgspec.inspect.BoolType():
            return "bool"
        case msgspec.inspect.StrType():
            return "text"
        case msgspec.inspect.BytesType():
            return "binary"
        case msgspec.inspect.NoneType():
            return "nil"
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            return f"array of {type_text(kind.item_type)}"
        case msgspec.inspect.TupleType():
            return f"[{', '.join(map(type_text, kind.item_types))}]"
        case msgspec.inspect.DictType():
            return f"map of {type_text(kind.key_type)} to {type_text(kind.value_type)}"
        case msgspec.inspect.UnionType():
            return " or ".join(map(type_text, kind.types))
        case _:
            return str(kind.cls.__name__)
