"""Conditions: read as they are meant or refused with the reason; true, false or unknown of a state."""

import itertools
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns.language.conditions.compiled import compiled
from streams.campaigns.language.conditions.condition import (
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
    acts_of,
    figures_of,
)
from streams.campaigns.language.conditions.evaluating import all_of, any_of, evaluate
from streams.campaigns.language.conditions.outcome import Outcome, lines, unknowns
from streams.campaigns.language.conditions.reading import read_condition
from streams.campaigns.language.conditions.writing import write_condition
from streams.campaigns.language.figures.scene import Scene
from streams.campaigns.language.problems import Reader
from streams.campaigns.language.tree import tree_of
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state
from tests.campaigns.conditions_drawn import conditions
from tests.domain.events import DAY, MINUTE, SHOP, START, click, fold_all, order, profile
from tests.domain.sample import golden_state, life


def read(written: Any) -> Condition:
    """What is written, which must be right."""
    reader = Reader("CNY")
    found = read_condition(tree_of(written), "audience", reader)
    assert [each for each in reader.problems if each.severity == "error"] == []
    assert found is not None
    return found


def refused(written: Any) -> str:
    """Why it is not: every problem with its path."""
    reader = Reader("CNY")
    assert read_condition(tree_of(written), "audience", reader) is None
    assert reader.has_errors()
    return "\n".join(f"{each.path}: {each.message}" for each in reader.problems)


def judged(
    written: Any, state: CustomerState, at: int = START, shop: ShopSettings = SHOP
) -> Outcome:
    return evaluate(read(written), Scene(state, at, shop), "CNY")


@cache
def states() -> list[CustomerState]:
    """All kinds of states, which nobody changes."""
    lives = [
        msgspec.convert(msgspec.to_builtins(state), CustomerState)
        for number, (_, state) in enumerate(life(400, customers=2, length=6))
        if number in (3, 60, 398, 399)
    ]
    return [new_state("shop", "c1"), golden_state(), *lives]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ({"lifecycle": ["repeat", "active"]}, Among("lifecycle", "any", ("active", "repeat"))),
        ({"lifecycle": "active"}, Compare("lifecycle", "==", "active")),
        ({"rfm.m": ">=3"}, Compare("rfm.m", ">=", 3)),
        ({"rfm.m": "> 3"}, Compare("rfm.m", ">", 3)),
        ({"rfm.m": 3}, Compare("rfm.m", "==", 3)),
        ({"orders.net.amount": ">=99.5"}, Compare("orders.net.amount", ">=", 9950)),
        ({"orders.recency": "<=60d"}, Compare("orders.recency", "<=", 60 * DAY)),
        ({"profile.birthday.in": "0d"}, Compare("profile.birthday.in", "==", 0)),
        ({"orders.hour": {"between": [18, 22]}}, Between("orders.hour", 18, 22)),
        ({"tier": {"none_of": ["gold"]}}, Among("tier", "none", ("gold",))),
        ({"profile.tags": "vip"}, Among("profile.tags", "any", ("vip",))),
        ({"profile.tags": "!=vip"}, Among("profile.tags", "none", ("vip",))),
        ({"profile.tags": {"all_of": ["vip", "tea"]}}, Among("profile.tags", "all", ("tea", "vip"))),
        ({"member": True}, Compare("member", "==", True)),
        ({"member": "!=true"}, Compare("member", "==", False)),
        ({"rfm.m": {"known": True}}, IsKnown("rfm.m", True)),
        ({"not": {"member": True}}, Not(Compare("member", "==", True))),
        (
            {"rfm.m": 3, "member": True},
            AllOf((Compare("member", "==", True), Compare("rfm.m", "==", 3))),
        ),
        (
            {"any": [{"rfm.m": 3}, {"member": True}]},
            AnyOf((Compare("rfm.m", "==", 3), Compare("member", "==", True))),
        ),
        (
            {"count": {"act": "visit", "within": "7d", "is": ">=3"}},
            Count(ActOf("visit"), 7 * DAY, ">=", 3),
        ),
        (
            {"count": {"act": "come_by", "source": "live", "within": "7d", "is": 2}},
            Count(ActOf("come_by", "live"), 7 * DAY, "==", 2),
        ),
        (
            {
                "sequence": {
                    "first": {"act": "view", "sku": "A"}, "then_not": {"act": "buy", "sku": "A"},
                    "within": "2d", "lately": "7d",
                }
            },
            Follows(ActOf("view", "A"), ActOf("buy", "A"), False, 2 * DAY, 7 * DAY),
        ),
        (
            {
                "sequence": {
                    "first": {"act": "view"}, "then": {"act": "buy"}, "within": "2d", "lately": "7d",
                    "same": "product",
                }
            },
            Follows(ActOf("view"), ActOf("buy"), True, 2 * DAY, 7 * DAY, same_product=True),
        ),
    ],
)  # fmt: skip
def test_what_is_written_is_read(written: Any, found: Condition) -> None:
    assert read(written) == found


VIEWED = {"first": {"act": "view", "sku": "A"}, "within": "2d", "lately": "7d"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"lifecycel": "new"}, "audience.lifecycel: no figure 'lifecycel'; did you mean 'lifecycle'?"),
        ({"al": []}, "did you mean 'all'?"),
        ({"rfm.m": ">=6"}, "rfm.m is from 1 to 5, so this never holds"),
        ({"orders.paid.count": "<0"}, "so this never holds"),
        ({"orders.paid.count": "many"}, "'many' is not a whole number"),
        ({"orders.paid.count": ">="}, "here must be a whole number"),
        ({"orders.net.amount": ">=1.234"}, "more digits after the point than CNY"),
        ({"lifecycle": "dorment"}, "'dorment' is not known here; did you mean 'dormant'?"),
        ({"lifecycle": ">=new"}, "lifecycle has no order"),
        ({"lifecycle": []}, "a list of 0"),
        ({"lifecycle": ["new", "new"]}, "audience.lifecycle[1]: 'new': the same is there twice"),
        ({"lifecycle": {"all_of": ["new"]}}, "lifecycle is one value"),
        ({"lifecycle": {"between": ["new", "lost"]}}, "write a list of what it may be"),
        ({"rfm.m": {"between": [4, 3]}}, "4 is above 3: nothing is between them"),
        ({"rfm.m": {"between": [4]}}, "here must be two values"),
        ({"rfm.m": {"beetween": [1, 4]}}, "did you mean 'between'?"),
        ({"rfm.m": {"known": True, "between": [1, 2]}}, "not 2 fields"),
        ({"member": [True]}, "member is true or false"),
        ({"member": "yes"}, "'yes' is not true or false"),
        ({}, "not fields"),
        ("active", "not 'active'"),
        ({"all": {"member": True}}, "a list of conditions"),
        ({"not": []}, "audience.not: here must be"),
        ({"count": {"act": "visit", "within": "7d"}}, "is must be there"),
        ({"count": {"act": "visit", "within": "7d", "is": ">=0"}}, "holds always or never"),
        ({"count": {"act": "visit", "within": "7d", "is": "<0"}}, "holds always or never"),
        ({"count": {"act": "visit", "within": "400d", "is": 1}}, "at most 365d is allowed"),
        ({"count": {"act": "visit", "within": "7d", "is": 1, "as": 2}}, "no field 'as'"),
        ({"count": {"act": "vist", "within": "7d", "is": 1}}, "did you mean 'visit'?"),
        ({"count": {"act": "visit", "sku": "A", "within": "7d", "is": 1}}, "visit has no sku"),
        (
            {"count": {"act": "search", "within": "7d", "is": 1}},
            "keeps no times of them: ask for the figure clicks.search.count",
        ),
        ({"count": {"act": "view", "sku": "A", "within": "7d", "is": 1}}, "only the last time"),
        ({"count": {"act": "add_to_cart", "within": "8d", "is": 1}}, "keeps the times of add_to_cart for 7d"),
        ({"sequence": VIEWED}, "one of then and then_not"),
        ({"sequence": {**VIEWED, "then_not": {"act": "buy"}}}, "buy needs a sku"),
        (
            {"sequence": {**VIEWED, "then_not": {"act": "buy", "sku": "A"}, "lately": "2d"}},
            "audience.sequence.lately: only after 2d is it known",
        ),
        (
            {"sequence": {**VIEWED, "then_not": {"act": "buy"}, "same": "product"}},
            "no product is named",
        ),
        (
            {
                "sequence": {
                    "first": {"act": "visit"}, "then_not": {"act": "buy"}, "within": "1d",
                    "lately": "2d", "same": "product",
                }
            },
            "visit is of no product",
        ),
        ({"all": [{"member": True}] * 65}, "conditions: at most 64"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_says_why(written: Any, said: str) -> None:
    assert said in refused(written)


def test_all_problems_are_told() -> None:
    said = refused({"rfm.n": 1, "lifecycle": "x", "all": [{"member": 3}, {"tier": []}]})
    assert len(said.splitlines()) == 4


def test_conditions_within_conditions_end_somewhere() -> None:
    deep: Any = {"member": True}
    for _ in range(6):
        deep = {"not": deep}
    assert "within each other" in refused(deep)
    assert isinstance(read(deep["not"]), Not)


def test_what_no_state_tells_yet_is_warned_of() -> None:
    reader = Reader("CNY")
    assert read_condition(tree_of({"cart.value": ">=99.00"}), "audience", reader) is not None
    (problem,) = reader.problems
    assert problem.severity == "warning"
    assert "unknown for everybody" in problem.message


def test_what_always_holds_is_warned_of() -> None:
    reader = Reader("CNY")
    read_condition(tree_of({"rfm.m": ">=1"}), "audience", reader)
    assert [problem.severity for problem in reader.problems] == ["warning"]


@given(conditions(), st.sampled_from(["CNY", "JPY", "KWD"]))
def test_what_is_written_is_read_as_it_was(condition: Condition, currency: str) -> None:
    reader = Reader(currency)
    written = write_condition(condition, currency)
    assert read_condition(tree_of(written), "audience", reader) == condition, reader.problems
    assert not reader.has_errors()


@given(conditions(), st.data())
def test_the_order_of_fields_says_nothing(condition: Condition, data: st.DataObject) -> None:
    written = write_condition(condition, "CNY")
    assert read(_shuffled(written, data)) == condition


def _shuffled(written: Any, data: st.DataObject) -> Any:
    match written:
        case dict():
            names = data.draw(st.permutations(list(written)))
            return {name: _shuffled(written[name], data) for name in names}
        case list():
            return [_shuffled(each, data) for each in written]
    return written


@given(
    conditions(),
    st.integers(0, 20),
    st.integers(START - 400 * DAY, START + 4_000 * DAY),
    st.sampled_from(["Asia/Shanghai", "UTC", "America/St_Johns"]),
)
def test_evaluating_never_raises_and_comes_to_the_same(
    condition: Condition, number: int, at: int, zone: str
) -> None:
    state = states()[number % len(states())]
    before = msgspec.msgpack.encode(state)
    settings = ShopSettings("shop", zone, "CNY")
    first = evaluate(condition, Scene(state, at, settings), "CNY")
    # The same of what was read before, and in short.
    scene = Scene(state, at, settings)
    for test in (compiled(condition, "CNY"), compiled(Not(condition), "CNY")):
        test(scene)
    assert evaluate(condition, scene, "CNY") == first
    assert compiled(condition, "CNY")(Scene(state, at, settings)) is first.holds
    copy = msgspec.msgpack.decode(before, type=CustomerState)
    second = evaluate(condition, Scene(copy, at, settings), "CNY")
    assert first == second
    assert msgspec.msgpack.encode(state) == before
    assert msgspec.json.decode(msgspec.json.encode(first), type=Outcome) == first
    assert len(lines(first)) >= 1
    if first.holds is None:
        assert unknowns(first)
        assert all(why.split(": ", 1)[1] for why in unknowns(first))


@given(conditions(), st.integers(0, 20))
def test_not_turns_it_round_and_twice_is_itself(condition: Condition, number: int) -> None:
    scene = Scene(states()[number % len(states())], START + 12 * DAY, SHOP)
    once = evaluate(condition, scene, "CNY").holds
    assert evaluate(Not(Not(condition)), scene, "CNY").holds == once
    turned = evaluate(Not(condition), scene, "CNY").holds
    assert turned == (None if once is None else not once)
    assert evaluate(AnyOf((condition, Not(condition))), scene, "CNY").holds is not False
    assert evaluate(AllOf((condition, Not(condition))), scene, "CNY").holds is not True


def test_three_values_combine_as_kleene_has_them() -> None:
    rank = {False: 0, None: 1, True: 2}
    for both in itertools.product([False, None, True], repeat=2):
        assert rank[all_of(both)] == min(rank[each] for each in both)
        assert rank[any_of(both)] == max(rank[each] for each in both)


PAID = fold_all(
    [order("o1", START, "A", "paid", amount_paid=100_00), order("o2", START + DAY, "B", "paid")]
)


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        # 100.00 and an order of unknown amount: at least 100.00.
        (">=100.00", True), (">=100.01", None), (">99.99", True), ("<100.00", False),
        ("<=100.00", None), ("==100.00", None), ("==99.99", False), ("!=99.99", True),
        ("!=100.00", None), ({"between": ["50.00", "99.99"]}, False),
        ({"between": ["50.00", "200.00"]}, None), (["99.99"], False), (["100.00"], None),
        ({"none_of": ["99.99"]}, True),
    ],
)  # fmt: skip
def test_of_a_sum_that_lacks_something_only_what_is_sure_is_said(
    test: Any, holds: bool | None
) -> None:
    found = judged({"orders.paid.amount": test}, PAID)
    assert found.holds is holds
    assert (found.value, found.at_least) == ("100.00", True)


@pytest.mark.parametrize(
    ("test", "holds"),
    [(">=2", True), (">=3", False), ("==2", True), ("!=2", False), ("<2", False), ([1, 2], True)],
)
def test_a_number_that_is_known_is_compared(test: Any, holds: bool) -> None:
    assert judged({"orders.paid.count": test}, PAID).holds is holds


def test_a_condition_on_what_nobody_knows_is_neither_and_says_why() -> None:
    found = judged({"all": [{"rfm.m": ">=1"}, {"member": False}]}, new_state("shop", "c1"))
    assert found.holds is None
    assert unknowns(found) == ["rfm.m >= 1: the customer never bought anything"]
    assert judged({"rfm.m": {"known": False}}, new_state("shop", "c1")).holds is True
    assert judged({"not": {"rfm.m": ">=1"}}, new_state("shop", "c1")).holds is None
    # Where another part decides, what is not known does not matter.
    assert judged({"rfm.m": 1, "member": True}, new_state("shop", "c1")).holds is False


def test_an_explanation_has_every_part_with_what_was_seen() -> None:
    found = judged(
        {"any": [{"lifecycle": ["active", "repeat"]}, {"orders.recency": ">=60d"}], "member": True}, PAID,
        START + 40 * DAY,
    )  # fmt: skip
    assert lines(found) == [
        "no: all",
        "  yes: any",
        "    yes: lifecycle in [active, repeat] (repeat)",
        "    no: orders.recency >= 60d (39d)",
        "  no: member == true (false)",
    ]


@pytest.mark.parametrize(
    ("test", "holds"),
    [
        (["vip"], True), (["gold"], False), (["gold", "tea"], True), ({"none_of": ["vip"]}, False),
        ({"none_of": ["gold"]}, True), ({"all_of": ["tea", "vip"]}, True), ({"all_of": ["tea", "x"]}, False),
    ],
)  # fmt: skip
def test_sets_have_any_none_or_all(test: Any, holds: bool) -> None:
    state = fold_all([profile("p", START, "updated", tags=["vip", "tea"])])
    assert judged({"profile.tags": test}, state).holds is holds


def test_of_a_set_that_may_lack_some_only_what_is_there_is_sure() -> None:
    state = fold_all([click(f"k{n}", START + n, "favorite", sku=f"s{n}") for n in range(9)])
    for test, holds in (
        (["s8"], True),
        (["s0"], None),
        ({"none_of": ["s0"]}, None),
        ({"all_of": ["s8"]}, True),
    ):
        assert judged({"favorites": test}, state).holds is holds, test


def test_long_names_are_found() -> None:
    state = fold_all([click("k", START, "favorite", sku="sku" * 20)])
    assert judged({"favorites": ["sku" * 20]}, state).holds is True


def test_viewed_and_then_did_not_buy() -> None:
    written = {"sequence": {**VIEWED, "then_not": {"act": "buy", "sku": "A"}}}
    viewed = [click("k", START, sku="A")]
    bought = [*viewed, order("o", START + DAY, "O", "paid", "A")]
    late = [*viewed, order("o", START + 3 * DAY, "O", "paid", "A")]
    assert judged(written, fold_all(viewed), START + 2 * DAY - 1).holds is False
    found = judged(written, fold_all(viewed), START + 2 * DAY)
    assert found.holds is True
    assert (
        found.why == "view(A) at 2024-06-01T00:00:00.000Z, no buy(A) until 2024-06-03T00:00:00.000Z"
    )
    assert judged(written, fold_all(bought), START + 2 * DAY).holds is False
    # The state has the last purchase only: one before it may have been in time.
    assert judged(written, fold_all(late), START + 4 * DAY).holds is None
    assert judged(written, fold_all(viewed), START + 7 * DAY).holds is False
    assert judged(written, new_state("shop", "c1"), START).holds is False


def test_of_the_same_product_any_will_do() -> None:
    written = {
        "sequence": {
            "first": {"act": "view"}, "then_not": {"act": "buy"}, "within": "2d", "lately": "7d",
            "same": "product",
        }
    }  # fmt: skip
    state = fold_all(
        [
            click("k1", START, sku="A"), click("k2", START, sku="B"),
            order("o", START + MINUTE, "O", "paid", "A"),
        ]
    )  # fmt: skip
    found = judged(written, state, START + 3 * DAY)
    assert found.holds is True
    assert [(part.asked, part.holds) for part in found.parts] == [("A", False), ("B", True)]


def test_of_the_same_product_one_that_has_left_the_state_may_be_it() -> None:
    written = {
        "sequence": {
            "first": {"act": "view"}, "then_not": {"act": "buy"}, "within": "1d", "lately": "7d",
            "same": "product",
        }
    }  # fmt: skip
    # Ten are kept: those bought last. The first was looked at and not bought.
    skus = "ABCDEFGHIJK"
    viewed = [click(f"k{sku}", START + at, sku=sku) for at, sku in enumerate(skus)]
    bought = [order(f"o{sku}", START + MINUTE, sku, "paid", sku) for sku in skus[1:]]
    state = fold_all([*viewed, *bought])
    assert judged(written, state, START + 3 * DAY).holds is None
    assert judged(written, fold_all([*viewed[1:], *bought]), START + 3 * DAY).holds is None
    assert judged(written, fold_all([*viewed[2:], *bought[1:]]), START + 3 * DAY).holds is False


def test_what_a_condition_reads_is_told() -> None:
    condition = read(
        {
            "rfm.m": 3,
            "any": [{"member": True}, {"count": {"act": "visit", "within": "1d", "is": 1}}],
        }
    )
    assert figures_of(condition) == {"rfm.m", "member"}
    assert acts_of(condition) == {"visit"}
