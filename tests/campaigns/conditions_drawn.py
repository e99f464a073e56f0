"""Strategies of conditions: every figure, test, combination, count and sequence that there may be."""

import math
from functools import cache
from typing import Any

from hypothesis import strategies as st

from streams.campaigns.language.conditions.acts import ACTS, Act
from streams.campaigns.language.conditions.condition import (
    EQUALITY,
    OPERATORS,
    ActOf,
    AllOf,
    Among,
    AnyOf,
    Between,
    Compare,
    Condition,
    Count,
    Follows,
    IsKnown,
    Not,
)
from streams.campaigns.language.conditions.values import NUMBERS, compares
from streams.campaigns.language.figures.catalogue import FIGURES
from streams.campaigns.language.figures.figure import Figure

#: Some that the states of the tests have, some that need quotes in YAML, some that look like something else.
TEXTS = st.one_of(
    st.sampled_from(["a", "k1xxxx", "tea", "CN-33", "18-24", "回头客", "no", "null", "12", "1e3"]),
    st.sampled_from([">=3", "a: b", "#x", "'", '"', "x" * 64]),
    st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=9),
)
SECOND = 1_000
DAY = 86_400_000


def _value(figure: Figure) -> st.SearchStrategy[Any]:
    if figure.type == "flag":
        return st.booleans()
    if figure.choices:
        return st.sampled_from(figure.choices)
    if figure.type == "duration":
        return st.integers(0, 400 * 86_400).map(lambda seconds: seconds * SECOND)
    if figure.type in NUMBERS:
        low, high = figure.bounds or (0, 10**12)
        return st.sampled_from([low, low + 1, high]) | st.integers(low, high)
    return TEXTS


def _comparison(figure: Figure) -> st.SearchStrategy[Condition]:
    if figure.type == "flag":
        return st.builds(Compare, st.just(figure.name), st.just("=="), st.booleans())
    if figure.type not in NUMBERS:
        return st.builds(Compare, st.just(figure.name), st.sampled_from(EQUALITY), _value(figure))
    low, high = figure.bounds or (0, math.inf)
    return st.builds(
        Compare, st.just(figure.name), st.sampled_from(OPERATORS), _value(figure)
    ).filter(lambda each: compares(each.operator, low, high, each.value) is not False)


@cache
def _of_figure(name: str) -> st.SearchStrategy[Condition]:
    figure = FIGURES[name]
    tests: list[st.SearchStrategy[Condition]] = [st.builds(IsKnown, st.just(name), st.booleans())]
    if figure.type != "set":
        tests.append(_comparison(figure))
    if figure.type != "flag":
        modes = ["any", "none", "all"] if figure.type == "set" else ["any", "none"]
        values = st.lists(_value(figure), min_size=1, max_size=4, unique=True)
        tests.append(
            st.builds(
                lambda mode, found: Among(name, mode, tuple(sorted(found))),
                st.sampled_from(modes),
                values,
            )
        )
    if figure.type in NUMBERS:
        pair = st.tuples(_value(figure), _value(figure)).map(sorted)
        tests.append(pair.map(lambda both: Between(name, both[0], both[1])))
    return st.one_of(tests)


@cache
def _act(act: Act) -> st.SearchStrategy[ActOf]:
    names = st.sampled_from(["a", "b", "welcome"])
    of = st.sampled_from(act.options) if act.options else names
    if not act.of:
        return st.just(ActOf(act.name))
    if act.needs_of:
        return st.builds(ActOf, st.just(act.name), of)
    return st.builds(ActOf, st.just(act.name), st.none() | of)


@cache
def _window(*acts: Act) -> st.SearchStrategy[int]:
    most = min(act.most for act in acts)
    return st.sampled_from([60 * SECOND, 3_600 * SECOND, DAY, most]) | st.integers(
        60, most // SECOND
    ).map(lambda seconds: seconds * SECOND)


@st.composite
def counts(draw: st.DrawFn) -> Count:
    act = ACTS[draw(st.sampled_from([name for name, act in ACTS.items() if not act.last_only]))]
    operator = draw(st.sampled_from(OPERATORS))
    # 0 times is the least, so that some hold always or never.
    least = 1 if operator in (">=", "<") else 0
    return Count(draw(_act(act)), draw(_window(act)), operator, draw(st.integers(least, 5)))


@st.composite
def sequences(draw: st.DrawFn) -> Follows:
    is_same = draw(st.booleans())
    names = [name for name, act in ACTS.items() if not is_same or act.products is not None]
    first, then = (ACTS[draw(st.sampled_from(names))] for _ in range(2))
    acts = [ActOf(act.name) if is_same else draw(_act(act)) for act in (first, then)]
    within, lately = sorted((draw(_window(first, then)), draw(_window(first, then))))
    did = within == lately or draw(st.booleans())
    return Follows(acts[0], acts[1], did, within, lately, is_same)


LEAVES: st.SearchStrategy[Condition] = st.one_of(
    st.sampled_from(sorted(FIGURES)).flatmap(_of_figure), counts(), sequences()
)


def _combined(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(AllOf, several), st.builds(AnyOf, several), st.builds(Not, parts))


def conditions() -> st.SearchStrategy[Condition]:
    """Any condition, at most three deep."""
    return st.one_of(LEAVES, _combined(LEAVES), _combined(LEAVES | _combined(LEAVES)))
