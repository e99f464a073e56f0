"""A visitor turns out to be a customer: nothing is lost or counted twice, whatever comes first."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.exchange import EXCHANGE_BYTES, Exchange, ExchangeEvent, Resent, Visitor
from schemas.profile import Profile, ProfileEvent
from streams.domain.codec import encode
from streams.domain.exchange import fold_event
from streams.domain.handover import HOPS
from streams.domain.identity import ALIASES, ALIASES_BYTES, Alias, with_alias
from streams.domain.state import CustomerState, new_state
from streams.domain.timers import next_due
from tests.domain.events import (
    DAY,
    MINUTE,
    SHOP,
    START,
    Timed,
    build,
    cart,
    click,
    fold_all,
    order,
    profile,
)
from tests.domain.network import Network, as_of
from tests.domain.test_any_order import everything, figures
from tests.domain.test_size import full_state

COOKIE = "cookie"


def alias(event_id: str, time: int, visitor: str = COOKIE, customer: str = "c1") -> Timed:
    event, _ = as_of(visitor, profile(event_id, time, "alias", alias_of="somebody"))
    data = Profile(shop_id="shop", action="alias", alias_of=customer)
    return msgspec.structs.replace(event, data=data), time


def erasure(event_id: str, time: int, customer: str = "c1") -> Timed:
    return as_of(customer, profile(event_id, time, "erase"))


def known(state: CustomerState) -> dict[str, Any]:
    """All figures of a state but who it was."""
    shown = figures(state)
    del shown["identity"]
    return shown


def nothing_but_the_erasure(state: CustomerState) -> bool:
    blank = new_state("shop", state.customer_id)
    blank.erased_at, blank.seen = state.erased_at, state.seen
    return state.erased_at is not None and state == blank


@settings(max_examples=80, deadline=None)
@given(
    everything,
    st.lists(st.booleans(), min_size=30, max_size=30),
    st.randoms(use_true_random=False),
)
def test_whatever_comes_first_the_customer_has_all_of_it_once(
    drawn: list[tuple[Any, ...]], sides: list[bool], shuffler: random.Random
) -> None:
    events = build(drawn)
    at = START + DAY
    # An alias is an event of the customer's too, which says nothing but that they were there.
    expected = known(fold_all([*events, profile("alias", at, "updated")]))

    sent = [as_of(COOKIE, e) if cookie else e for e, cookie in zip(events, sides, strict=False)]
    sent.append(alias("alias", at))
    sent += sent[: len(sent) // 2]
    shuffler.shuffle(sent)
    network = Network()
    for event, time in sent:
        network.receive(event, time)
        while network.told and shuffler.random() < 0.4:
            network.deliver(shuffler.randrange(len(network.told)))
    network.settle(shuffler)

    assert known(network.of("c1")) == expected
    mark = network.of(COOKIE)
    assert (mark.identity and mark.identity.moved_to, next_due(mark)) == ("c1", None)
    assert known(mark) == known(new_state("shop", COOKIE))
    aliases = (network.of("c1").identity or pytest.fail("no alias")).aliases
    assert aliases == [Alias(at, COOKIE)]
    assert network.kinds["visitor"] == 1


def test_later_events_are_sent_on_once_and_their_repeats_are_known() -> None:
    network = Network()
    network.receive(*as_of(COOKIE, click("1", START)))
    network.receive(*alias("2", START + 1))
    later = as_of(COOKIE, cart("3", START + 2, "add", "a"))
    for event, time in (later, later, as_of(COOKIE, click("1", START))):
        network.receive(event, time)
    network.settle()
    customer = network.of("c1")
    assert network.kinds == {"visitor": 1, "event": 3}
    assert customer.browsing.actions.view == 1
    assert customer.cart is not None
    assert customer.cart.adds == 1
    assert next_due(customer) == START + 2 + 30 * MINUTE


def test_a_repeat_of_the_alias_says_nothing_new() -> None:
    network = Network()
    assert network.receive(*alias("1", START))
    assert not network.receive(*alias("1", START))
    assert network.receive(*alias("other id", START + 5))
    assert len(network.told) == 1
    network.told *= 2
    network.settle()
    assert len(network.of("c1").seen) == 2 * 12  # the alias, and the fact that tells of it


def test_a_repeat_that_has_gone_round_a_circle_leaves_the_mark() -> None:
    """Nothing of a repeat is committed, so it must not take the mark away in memory either."""
    network = Network()
    network.receive(*alias("1", START))
    state = network.of(COOKIE)
    event, time = as_of(COOKIE, profile("gone", START - 1, "erase"))
    network.receive(event, time)
    returned = Resent(visitor=COOKIE, event=event, hops=1)
    envelope = msgspec.structs.replace(
        network.told[0][1],
        subject=COOKIE, data=Exchange(shop_id="shop", body=returned), id="0-99-0",
    )  # fmt: skip
    before = encode(state)
    assert fold_event(state, envelope, time, SHOP) is None
    assert encode(state) == before


def test_the_first_alias_counts_and_another_is_counted() -> None:
    network = Network()
    network.receive(*alias("1", START + 9, customer="c1"))
    assert network.receive(*alias("2", START, customer="c2"))
    network.settle()
    mark = network.of(COOKIE).identity
    assert mark is not None
    assert (mark.moved_to, mark.refused) == ("c1", 1)
    assert "shop/c2" not in network.states


def test_an_alias_of_itself_is_no_event() -> None:
    data = Profile(shop_id="shop", action="alias", alias_of=COOKIE)
    event, _ = alias("1", START)
    with pytest.raises(ValueError, match="alias of the subject itself"):
        ProfileEvent(
            specversion="1.0", id="1", source="s", subject=COOKIE, time=event.time, data=data
        )
    raw = msgspec.json.encode(event).replace(b'"c1"', b'"cookie"')
    with pytest.raises(msgspec.ValidationError, match="alias of the subject itself"):
        msgspec.json.decode(raw, type=ProfileEvent)


# Chains and circles of aliases ------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(6)), st.randoms(use_true_random=False))
def test_a_chain_of_aliases_ends_at_its_last_link(
    order_of: list[int], shuffler: random.Random
) -> None:
    sent = [
        as_of("v1", click("k1", START)), as_of("v2", click("k2", START)), click("k3", START),
        alias("a1", START + 1, "v1", "v2"), alias("a2", START + 2, "v2", "c1"),
        as_of("v1", click("k4", START + 5)),
    ]  # fmt: skip
    network = Network()
    for at in order_of:
        network.receive(*sent[at])
        if network.told and shuffler.random() < 0.5:
            network.deliver(shuffler.randrange(len(network.told)))
    network.settle(shuffler)
    customer = network.of("c1")
    assert customer.browsing.actions.view == 4
    aliases = customer.identity.aliases if customer.identity else []
    assert {each.visitor for each in aliases} == {"v1", "v2"}


@settings(max_examples=80, deadline=None)
@given(st.data(), st.randoms(use_true_random=False))
def test_aliases_in_circles_end_and_lose_nothing(data: Any, shuffler: random.Random) -> None:
    names = [f"v{number}" for number in range(data.draw(st.integers(2, 5)))]
    sent = [as_of(name, click(f"k-{name}-{n}", START + n)) for name in names for n in range(2)]
    pairs = data.draw(
        st.lists(st.tuples(st.sampled_from(names), st.sampled_from(names)), min_size=2, max_size=9)
    )
    sent += [
        alias(f"a{number}", START + number, *pair)
        for number, pair in enumerate(pairs)
        if pair[0] != pair[1]
    ]
    shuffler.shuffle(sent)
    network = Network()
    for event, time in sent:
        network.receive(event, time)
        while network.told and shuffler.random() < 0.5:
            network.deliver(shuffler.randrange(len(network.told)))
    network.settle(shuffler)
    views = sum(state.browsing.actions.view for state in network.states.values())
    assert views == 2 * len(names)


def test_two_who_name_each_other_stay_two() -> None:
    network = Network()
    network.receive(*as_of("v1", click("k1", START)))
    network.receive(*as_of("v2", click("k2", START)))
    network.receive(*alias("a1", START + 1, "v1", "v2"))
    network.receive(*alias("a2", START + 2, "v2", "v1"))
    network.settle()
    assert [network.of(name).browsing.actions.view for name in ("v1", "v2")] == [1, 1]
    for name in ("v1", "v2"):
        identity = network.of(name).identity
        assert identity is not None
        assert (identity.moved_to, identity.aliases) == ("", [])


def test_a_circle_that_a_visitor_only_enters_is_left_after_some_hops() -> None:
    network = Network()
    for name, to in (("v1", "v2"), ("v2", "v1")):
        state = network.states[f"shop/{name}"] = new_state("shop", name)
        fold_all([alias(f"a-{name}", START, name, to)], state)
    network.receive(*as_of("v3", click("k", START)))
    network.receive(*alias("a3", START + 1, "v3", "v1"))
    network.settle(most=HOPS + 2)
    assert sum(state.browsing.actions.view for state in network.states.values()) == 1


# Erasure -------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    everything,
    st.lists(st.booleans(), min_size=30, max_size=30),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_erase_and_alias_in_any_order_leave_nothing(
    drawn: list[tuple[Any, ...]], sides: list[bool], of_cookie: bool, shuffler: random.Random
) -> None:
    """All of it happened until the erase: of the customer, or of the visitor after the alias."""
    events = build(drawn)
    end = START + 40 * DAY
    sent = [as_of(COOKIE, e) if cookie else e for e, cookie in zip(events, sides, strict=False)]
    sent.append(alias("alias", end - 1))
    if not of_cookie:
        sent.append(erasure("erase", end))
        shuffler.shuffle(sent)
    else:
        # An erase that a visitor's partition folds before it knows the alias is of the visitor alone.
        shuffler.shuffle(sent)
        sent.insert(
            shuffler.randint(sent.index(alias("alias", end - 1)) + 1, len(sent)),
            erasure("erase", end, COOKIE),
        )
    network = Network()
    for event, time in sent:
        network.receive(event, time)
        while network.told and shuffler.random() < 0.4:
            network.deliver(shuffler.randrange(len(network.told)))
    network.settle(shuffler)
    assert nothing_but_the_erasure(network.of("c1"))
    assert nothing_but_the_erasure(network.of(COOKIE))


def test_an_erased_visitor_is_one_of_their_own_from_then_on() -> None:
    network = Network()
    network.receive(*alias("1", START))
    network.receive(*erasure("2", START + 5))
    network.settle()
    network.receive(*as_of(COOKIE, click("3", START + 9)))
    assert not network.told
    assert network.of(COOKIE).browsing.actions.view == 1
    # Whose they are is said anew.
    network.receive(*alias("4", START + 10))
    network.settle()
    assert network.of("c1").browsing.actions.view == 1


def test_an_alias_later_than_the_erase_stands() -> None:
    for late_erase in (False, True):
        network = Network()
        sent = [as_of(COOKIE, click("1", START + 9)), alias("2", START + 10)]
        erased = erasure("3", START + 5)
        for event, time in [*sent, erased] if late_erase else [erased, *sent]:
            network.receive(event, time)
            network.settle()
        mark = network.of(COOKIE).identity
        assert mark is not None
        assert mark.moved_to == "c1"
        identity = network.of("c1").identity
        assert identity is not None
        assert identity.aliases == [Alias(START + 10, COOKIE)]
        # An erase that comes last takes what is later with it; that is known of erasures.
        assert network.of("c1").browsing.actions.view == (0 if late_erase else 1)


def test_a_visitor_with_a_past_before_the_erase_brings_nothing() -> None:
    network = Network()
    network.receive(*erasure("e", START + 5))
    network.receive(*as_of(COOKIE, click("1", START)))
    network.receive(*as_of(COOKIE, click("2", START + 8)))
    network.receive(*alias("3", START + 10))
    network.settle()
    customer = network.of("c1")
    assert customer.browsing.actions.view == 0
    # What is later is known, so that a repeat does not bring it back.
    network.receive(*as_of(COOKIE, click("2", START + 8)))
    network.receive(*as_of(COOKIE, click("4", START + 11)))
    network.settle()
    assert customer.browsing.actions.view == 1


def test_an_alias_that_left_the_list_is_told_at_its_next_event() -> None:
    network = Network()
    names = [f"cookie-{number}" for number in range(ALIASES + 2)]
    for number, name in enumerate(names):
        network.receive(*alias(f"a{number}", START + number, name))
    network.settle()
    network.receive(*erasure("e", START + DAY))
    network.settle()
    first = network.of(names[0])
    assert first.identity is not None
    assert first.identity.moved_to == "c1"
    assert all(nothing_but_the_erasure(network.of(name)) for name in names[2:])
    network.receive(*as_of(names[0], click("k", START + 2 * DAY)))
    network.settle()
    assert nothing_but_the_erasure(first)


# What a fact is ---------------------------------------------------------------------------------


def test_the_largest_state_and_the_largest_event_fit() -> None:
    state = full_state("𠮷")
    state.identity = None
    network = Network()
    network.states[f"shop/{COOKIE}"] = state
    state.customer_id = COOKIE
    network.receive(*alias("a", START + 500 * DAY))
    ((_, event, _),) = network.told
    assert len(msgspec.json.encode(event)) < EXCHANGE_BYTES // 2


def test_coupons_stay_known_on_both_sides() -> None:
    state = full_state("x")
    state.identity, state.customer_id = None, COOKIE
    before = list(state.coupons)
    network = Network()
    network.states[f"shop/{COOKIE}"] = state
    network.receive(*alias("a", START + 500 * DAY))
    network.settle()
    assert state.coupons == before
    assert {each.trigger_id for each in network.of("c1").coupons} == {
        each.trigger_id for each in before
    }


def test_a_body_that_nobody_folds_is_an_error() -> None:
    state = new_state("shop", "c1")
    event, time = click("1", START)
    broken = ExchangeEvent(
        specversion="1.0", id="1", source="s", subject="c1", time=event.time,
        data=Exchange(shop_id="shop", body=Visitor(visitor=COOKIE, state=encode(state))),
    )  # fmt: skip
    broken.data.body = "nothing"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="no body of shop"):
        fold_event(state, broken, time, SHOP)


def test_the_aliases_that_are_kept() -> None:
    aliases: list[Alias] = []
    for number in range(20):
        aliases = with_alias(aliases, Alias(START + number, f"v{number:02}"))
    assert [each.visitor for each in aliases] == [f"v{n}" for n in range(20 - ALIASES, 20)]
    assert with_alias(aliases, Alias(START + 99, "v19")) == aliases
    long = with_alias(aliases, Alias(START + 100, "图" * 64))
    assert sum(len(each.visitor.encode()) for each in long) <= ALIASES_BYTES
    assert long[-1].visitor == "图" * 64


def test_an_order_of_the_guest_is_paid_by_the_customer() -> None:
    network = Network()
    network.receive(*as_of(COOKIE, order("1", START, "o1", "placed", "ab", amount_paid=300)))
    network.receive(*order("2", START + 5, "o1", "paid"))
    network.receive(*alias("3", START + 9))
    network.settle()
    orders = network.of("c1").orders
    assert orders is not None
    assert (orders.totals.placed, orders.totals.paid, orders.totals.paid_amount) == (1, 1, 300)
    assert len(orders.open) == 1
