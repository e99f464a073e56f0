"""A draw is fair, depends on nothing but what was committed to, and others come to the same."""

import hashlib
import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns.prizes.draw import DrawError, Prize, Terms, below, commitment, draw
from tests.prizes.recomputed import recompute

SEED = bytes(range(32))
PRIZES = (Prize("car", 1), Prize("red packet", 99), Prize("5 off", 900), Prize("nothing", 9_000))
TERMS = Terms("double-11", commitment(SEED), PRIZES)
DOCUMENT = Path(__file__).parents[2] / "docs" / "prizes.md"


def terms_of(seed: bytes, *weights: int, beacon: str = "") -> Terms:
    prizes = tuple(Prize(f"p{number}", weight) for number, weight in enumerate(weights))
    return Terms("double-11", commitment(seed), prizes, beacon)


@pytest.mark.parametrize(
    ("customer", "number", "ticket", "prize"),
    [
        ("u-1", 1, 2_928, "nothing"),
        ("u-1", 2, 970, "5 off"),
        ("u-2", 1, 2_243, "nothing"),
        ("回头客", 1, 4_070, "nothing"),
    ],
)
def test_draws_are_these_for_ever(customer: str, number: int, ticket: int, prize: str) -> None:
    drawn = draw(TERMS, SEED, customer, number)
    assert (drawn.ticket, drawn.tickets, drawn.prize) == (ticket, 10_000, prize)


@given(
    st.binary(min_size=32, max_size=32),
    st.lists(st.integers(1, 10**12), min_size=1, max_size=5),
    st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), min_size=1),
    st.integers(1, 10**6),
    st.sampled_from(["", "3412.85"]),
)
def test_who_recomputes_it_as_documented_gets_the_same(
    seed: bytes, weights: list[int], customer: str, number: int, beacon: str
) -> None:
    terms = terms_of(seed, *weights, beacon=beacon)
    published = msgspec.json.decode(msgspec.json.encode(terms))
    assert recompute(published, seed.hex(), customer, number) == (
        draw(terms, seed, customer, number).prize
    )


def test_the_document_prints_the_code_that_is_tested() -> None:
    own = (Path(__file__).parent / "recomputed.py").read_text(encoding="utf-8")
    (printed,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert printed.strip() in own


def test_prizes_come_as_often_as_their_weights_say() -> None:
    customers = 30_000
    terms = terms_of(SEED, 1, 99, 900, 9_000)
    counts = Counter(draw(terms, SEED, f"u-{number}", 1).prize for number in range(customers))
    # Chi-square of 3 degrees: above 16.3 by chance once in 1,000 times.
    distance = 0.0
    for prize in terms.prizes:
        expected = customers * prize.weight / 10_000
        distance += (counts[prize.name] - expected) ** 2 / expected
    assert distance < 16.3


def test_tickets_are_uniform_and_a_customers_draws_tell_nothing_of_each_other() -> None:
    terms = terms_of(SEED, *([1] * 10))
    pairs = Counter(
        (draw(terms, SEED, f"u-{number}", 1).ticket, draw(terms, SEED, f"u-{number}", 2).ticket)
        for number in range(20_000)
    )
    distance = sum((pairs[one, other] - 200) ** 2 / 200 for one in range(10) for other in range(10))
    # 99 degrees: above 148 by chance once in 1,000 times.
    assert distance < 148


@given(st.integers(1, 8), st.data())
def test_no_remainder_is_favoured(bits: int, data: st.DataObject) -> None:
    """Over all numbers that a hash could be, each result comes from equally many, or is drawn again."""
    bound = data.draw(st.integers(1, 1 << bits))
    counts: Counter[int] = Counter()
    for number in range(1 << bits):
        attempts = iter([number])
        try:
            counts[below(bound, lambda _, left=attempts: next(left), bits)] += 1  # type: ignore[misc]
        except StopIteration:
            continue
    assert set(counts) == set(range(bound))
    assert len(set(counts.values())) == 1


def test_a_number_that_would_favour_is_drawn_again_with_the_next_attempt() -> None:
    asked = []

    def attempt(again: int) -> int:
        asked.append(again)
        return (255, 253, 7)[again]

    assert below(100, attempt, bits=8) == 7
    assert asked == [0, 1, 2]


def test_half_of_the_draws_are_made_again_where_the_weights_are_as_large_as_that() -> None:
    """The loop itself, with real hashes: 2^255 + 1 goes into 2^256 once."""
    bound = 2**255 + 1

    def attempt(again: int) -> int:
        return int.from_bytes(hashlib.sha256(bytes([ord("a") + again])).digest())

    first = next(again for again in range(26) if attempt(again) < bound)
    assert first > 0, "chosen so that the first does not serve"
    assert below(bound, attempt) == attempt(first)


def test_every_part_of_what_is_drawn_changes_it() -> None:
    many = terms_of(SEED, *([10**9] * 3))
    base = draw(many, SEED, "u-1", 1).ticket
    other_seed = bytes(32)
    others = [
        draw(terms_of(other_seed, *([10**9] * 3)), other_seed, "u-1", 1),
        draw(msgspec.structs.replace(many, campaign="double-12"), SEED, "u-1", 1),
        draw(msgspec.structs.replace(many, beacon="3412.85"), SEED, "u-1", 1),
        draw(many, SEED, "u-2", 1),
        draw(many, SEED, "u-1", 2),
    ]
    assert len({base, *(each.ticket for each in others)}) == 6


def test_another_seed_than_the_one_committed_to_is_refused() -> None:
    with pytest.raises(DrawError, match="not the seed of that game"):
        draw(TERMS, bytes(32), "u-1", 1)


@pytest.mark.parametrize(
    ("seed", "customer", "number", "said"),
    [
        (b"short", "u-1", 1, "5 bytes: it must have 32"),
        (SEED, "u-1", 0, "a customer's first is 1"),
        (SEED, "u-1\x1f2", 1, r"no U\+001F"),
    ],
)
def test_what_nobody_can_have_drawn_is_refused(
    seed: bytes, customer: str, number: int, said: str
) -> None:
    with pytest.raises(DrawError, match=said):
        draw(TERMS, seed, customer, number)


@pytest.mark.parametrize(
    "wrong",
    [
        {"campaign": "double 11"},
        {"commitment": "00"},
        {"prizes": []},
        {"prizes": [{"name": "car", "weight": 0}]},
        {"prizes": [{"name": "", "weight": 1}]},
        {"prizes": [{"name": "car", "weight": 1, "stock": 3}]},
        {"beacon": "a\x1fb"},
        {"seed": "00"},
    ],
)
def test_terms_that_promise_nothing_are_refused(wrong: dict[str, object]) -> None:
    good = msgspec.to_builtins(TERMS)
    assert msgspec.convert(good, Terms) == TERMS
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**good, **wrong}, Terms)
