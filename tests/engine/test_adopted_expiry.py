"""A row of another build that issued a coupon and had a state go: it goes here, too, and stays away."""

import msgspec
import pytest

from schemas.trigger import TriggerEvent
from streams.domain.expiry import VISITOR_MS, touch
from streams.domain.state import CustomerState
from streams.domain.timers import next_due
from streams.engine.commit import Commit, Stamp
from streams.engine.partition import NEW_CLOCK, NEW_POSITION
from streams.state.codec import CODEC_VERSION, decode, encode
from tests.domain.events import START, cart, fold_all
from tests.simulation.worker import FixedDefinitions, make_processors

KEY = "shop/c1"
#: The cart was left alone long before the clock came to the visitor's end.
UNTIL = START + VISITOR_MS


def visitor(*, needed: bool) -> CustomerState:
    """With a cart that is due, and a look at UNTIL; ``needed``: somebody came on the day before it."""
    state = fold_all([cart("1", START, "add", "a")])
    touch(state, START)
    if needed:
        touch(state, UNTIL - 86_400_000)
    due = next_due(state)
    assert due is not None
    assert due < UNTIL
    return state


def fired(state: CustomerState, *, adopted: bool) -> tuple[Commit, dict[str, CustomerState]]:
    """The commit of a row that fires all that is due by UNTIL, as decided here or as another build did."""
    processor, definitions = make_processors(1)[0], FixedDefinitions().current()
    due = [(KEY, UNTIL)]
    states = {KEY: decode(encode(state))}
    draft = processor.fire(NEW_POSITION, due, states, {}, definitions)
    commit = draft.finish(Stamp(1, NEW_CLOCK, UNTIL, {}, "build", CODEC_VERSION, "config", "1"))
    if not adopted:
        return commit, states
    triggers = [msgspec.json.decode(row.value, type=TriggerEvent) for row in commit.rows]
    assert len(triggers) == 1
    states = {KEY: decode(encode(state))}
    again = processor.fire(NEW_POSITION, due, states, {}, definitions, adopted=triggers)
    return again.finish_as(commit.journal, commit.row), states


@pytest.mark.parametrize("needed", [False, True], ids=["goes", "stays"])
def test_what_is_taken_over_is_what_was_decided(needed: bool) -> None:
    state = visitor(needed=needed)
    own, kept = fired(state, adopted=False)
    taken_over, kept_there = fired(state, adopted=True)
    assert (own.expired, list(kept)) == ([], [KEY]) if needed else ([KEY], [])
    assert taken_over.expired == own.expired
    assert kept_there == kept
    assert taken_over.timers == own.timers
