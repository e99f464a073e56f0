"""Codes are the same for ever, forgive how they are typed, notice what is mistyped, and outlive a key."""

import contextlib
import hashlib
import hmac
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns.coupon_codes import (
    ALPHABET,
    LENGTH,
    BadCode,
    CodeKeyError,
    CouponCodes,
    RetiredKey,
    grouped,
    parse,
)

OLD, NEW = b"an old key of 16 bytes", b"a new key of 16 bytes!"
CODES = CouponCodes({"A": OLD}, "A")
TRIGGERS = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(20_000)]
PLACES = st.integers(0, LENGTH - 1)


def test_codes_are_these_for_ever() -> None:
    """Worked out again as the docstring says: one key symbol, 14 of the HMAC, one check symbol."""
    number = int(hmac.new(OLD, TRIGGERS[0].encode(), "sha256").hexdigest(), 16)
    body = "".join(ALPHABET[number // 29**place % 29] for place in range(14))
    (check,) = [
        symbol
        for symbol in ALPHABET
        if sum(
            place * ALPHABET.index(each) for place, each in enumerate(f"A{body}{symbol}", 1)
        ) % 29 == 0
    ]  # fmt: skip
    assert CODES.code(TRIGGERS[0]) == f"A{body}{check}" == "A28DJ2NY6APCJDXW"
    assert grouped("A28DJ2NY6APCJDXW") == "A28D-J2NY-6APC-JDXW"


def test_symbols_that_are_mistaken_for_others_are_in_none() -> None:
    assert not set("0O1ILUZ") & set(ALPHABET)
    assert len(set(ALPHABET)) == len(ALPHABET) == 29


def test_no_two_triggers_have_one_code_and_all_symbols_are_used_alike() -> None:
    codes = [CODES.code(trigger) for trigger in TRIGGERS]
    assert len(set(codes)) == len(codes)
    for place in range(1, LENGTH):
        counts = Counter(code[place] for code in codes)
        expected = len(codes) / 29
        # Chi-square of 28 degrees: above 57 by chance once in 1,000 times.
        assert sum((counts[each] - expected) ** 2 / expected for each in ALPHABET) < 57, place


def test_without_the_key_a_code_cannot_be_made() -> None:
    other = CouponCodes({"A": NEW}, "A")
    assert other.code(TRIGGERS[0]) != CODES.code(TRIGGERS[0])
    assert not other.is_of(CODES.code(TRIGGERS[0]), TRIGGERS[0])


@given(st.sampled_from(TRIGGERS))
def test_however_it_is_typed_it_is_the_code(trigger: str) -> None:
    code = CODES.code(trigger)
    full_width = "".join(chr(ord(symbol) + 0xFEE0) for symbol in code)
    for typed in (
        code,
        grouped(code),
        f"  {code.lower()} ",
        grouped(code).replace("-", " – "),
        full_width,
    ):
        assert parse(typed) == code
        assert CODES.is_of(typed, trigger)
    assert not CODES.is_of(code, trigger + "0")


@given(st.sampled_from(TRIGGERS), PLACES, st.sampled_from(ALPHABET))
def test_every_wrong_symbol_is_noticed(trigger: str, place: int, symbol: str) -> None:
    code = CODES.code(trigger)
    wrong = code[:place] + symbol + code[place + 1 :]
    if wrong != code:
        with pytest.raises(BadCode, match="typing error"):
            parse(wrong)


@given(st.sampled_from(TRIGGERS), PLACES, PLACES)
def test_any_two_exchanged_symbols_are_noticed(trigger: str, one: int, other: int) -> None:
    symbols = list(CODES.code(trigger))
    symbols[one], symbols[other] = symbols[other], symbols[one]
    if "".join(symbols) != CODES.code(trigger):
        with pytest.raises(BadCode, match="typing error"):
            parse("".join(symbols))


@given(st.text(max_size=24))
def test_whatever_is_typed_is_a_code_or_refused_as_none(typed: str) -> None:
    with contextlib.suppress(BadCode):
        assert len(parse(typed)) == LENGTH


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "has 16 letters and digits, this has 0"),
        ("A2", "this has 2"),
        ("O" * 16, "'O' is in no code"),
        ("A\x1b[2J", r"'\\x1b' is in no code"),
    ],
)
def test_what_is_no_code_is_said_in_words(typed: str, said: str) -> None:
    with pytest.raises(BadCode, match=said):
        parse(typed)


def test_a_new_key_makes_new_codes_and_the_old_ones_stay_good() -> None:
    before = CODES.code(TRIGGERS[0])
    rotated = CouponCodes({"A": OLD, "B": NEW}, "B")
    after = rotated.code(TRIGGERS[0])
    assert (before[0], after[0]) == ("A", "B")
    assert rotated.is_of(before, TRIGGERS[0])
    assert rotated.is_of(after, TRIGGERS[0])
    with pytest.raises(RetiredKey, match="made with key 'A', which is not in use"):
        CouponCodes({"B": NEW}, "B").is_of(before, TRIGGERS[0])


def test_the_keys_name_is_checked_with_the_rest() -> None:
    """Else a wrong first symbol would be taken for another key."""
    code = CODES.code(TRIGGERS[0])
    with pytest.raises(BadCode, match="typing error"):
        CouponCodes({"A": OLD, "B": NEW}, "B").is_of("B" + code[1:], TRIGGERS[0])


@pytest.mark.parametrize(
    ("keys", "current", "said"),
    [
        ({}, "A", "no key 'A'"),
        ({"A": OLD}, "B", "no key 'B'"),
        ({"AB": OLD}, "AB", "one symbol"),
        ({"0": OLD}, "0", "one symbol"),
        ({"A": b"short"}, "A", "5 bytes: take at least 16"),
    ],
)
def test_keys_that_make_no_codes_are_refused(
    keys: dict[str, bytes], current: str, said: str
) -> None:
    with pytest.raises(CodeKeyError, match=said):
        CouponCodes(keys, current)


def test_a_key_is_in_no_message() -> None:
    with pytest.raises(CodeKeyError) as refused:
        CouponCodes({"A": b"secret"}, "A")
    assert "secret" not in str(refused.value)
    assert "key of 16" not in repr(CODES)
