"""Service cases: which are open, how soon the shop replied and resolved, and the last survey."""

import itertools

import msgspec
import pytest

from streams.domain.facts import CaseOpened, CaseResolved, SurveyAnswered
from streams.domain.fold import fold
from streams.domain.service import CASES, PAST_CASES, REPLIES, Service
from streams.domain.state import CustomerState
from tests.domain.events import DAY, MINUTE, SHOP, START, Timed, fold_all, service


def found(state: CustomerState) -> Service:
    assert state.service is not None
    return state.service


def test_a_case_in_any_order_has_the_times_of_its_earliest_opening() -> None:
    events = [
        service("1", START - MINUTE, "replied", "k"),
        service("2", START, "inquiry", "k"),
        service("3", START + 5 * MINUTE, "complaint", "k"),
        service("4", START + 9 * MINUTE, "replied", "k"),
        service("5", START + 2 * MINUTE, "replied", "k"),
        service("6", START + DAY, "resolved", "k"),
    ]
    for shuffled in itertools.permutations(events):
        got = found(fold_all(list(shuffled)))
        assert (got.opened, got.complaints, got.resolved) == (1, 1, 1)
        assert (got.replied, got.reply_ms) == (1, 2 * MINUTE)
        assert (got.resolved_timed, got.resolution_ms) == (1, DAY)


def test_what_was_said_before_the_opening_has_no_time() -> None:
    events = [
        service("1", START, "inquiry", "k"),
        service("2", START - 1, "replied", "k"),
        service("3", START - 1, "resolved", "k"),
    ]
    got = found(fold_all(events))
    assert (got.opened, got.resolved, got.replied, got.resolved_timed) == (1, 1, 0, 0)


def test_without_an_opening_nothing_counts_yet() -> None:
    events = [service("1", START, "replied", "k"), service("2", START, "resolved", "k")]
    state = fold_all(events)
    got = found(state)
    assert (got.opened, got.resolved, got.replied, got.resolved_timed) == (0, 0, 0, 0)
    fold_all([service("3", START - MINUTE, "complaint", "k")], state)
    assert (got.opened, got.complaints, got.resolved, got.reply_ms) == (1, 1, 1, MINUTE)


@pytest.mark.parametrize("action", ["inquiry", "complaint", "replied", "resolved"])
def test_the_same_said_again_under_another_id_changes_nothing_and_is_no_fact(action: str) -> None:
    state = fold_all([service("1", START, action, "k")])
    before = msgspec.json.encode(found(state))
    event, time = service("2", START, action, "k")
    assert fold(state, event, time, SHOP) == ()
    assert msgspec.json.encode(found(state)) == before


def test_what_is_said_again_at_another_time_does_not_go_by_arrival() -> None:
    events = [
        service("1", START, "inquiry", "k"),
        service("2", START + MINUTE, "inquiry", "k"),
        service("3", START + 2 * MINUTE, "resolved", "k"),
        service("4", START + DAY, "resolved", "k"),
        service("5", START + DAY, "survey_answered", "k", score=2),
        service("6", START + 2 * DAY, "survey_answered", "k", score=9),
    ]
    for shuffled in itertools.permutations(events):
        got = found(fold_all(list(shuffled)))
        assert (got.opened, got.resolved, got.resolution_ms) == (1, 1, DAY)
        assert (got.survey_score, got.survey_at) == (9, START + 2 * DAY)


def test_an_answer_that_is_corrected_is_news_and_one_that_was_is_not() -> None:
    state = fold_all([service("1", START + DAY, "survey_answered", "k", score=9)])
    corrected, time = service("2", START + 2 * DAY, "survey_answered", "k", score=2)
    assert fold(state, corrected, time, SHOP) == (SurveyAnswered("k", 2),)
    late, time = service("3", START, "survey_answered", "k", score=5)
    assert fold(state, late, time, SHOP) == ()
    assert found(state).survey_score == 2


def test_the_last_answer_by_event_time_stands() -> None:
    state = fold_all(
        [
            service("1", START + DAY, "survey_answered", None, score=2),
            service("2", START, "survey_answered", "k", score=9),
        ]
    )
    assert (found(state).survey_score, found(state).survey_at) == (2, START + DAY)
    assert found(state).opened == 0


def test_what_campaigns_are_told() -> None:
    events = [
        service("1", START, "complaint", "k"),
        service("2", START + MINUTE, "replied", "k"),
        service("3", START + DAY, "resolved", "k"),
        service("4", START, "resolved", "other"),
        service("5", START, "survey_answered", None, score=0),
    ]
    state = fold_all([])
    told = [fold(state, event, time, SHOP) for event, time in events]
    assert told == [
        (CaseOpened("k", complaint=True),), (), (CaseResolved("k", DAY),),
        (CaseResolved("other", None),), (SurveyAnswered("", 0),),
    ]  # fmt: skip


def test_cases_beyond_the_bound_leave_resolved_ones_first_and_still_count() -> None:
    events: list[Timed] = [
        service("r", START, "inquiry", "resolved-one"),
        service("s", START + DAY, "resolved", "resolved-one"),
        *(
            service(f"i{number}", START + number, "inquiry", f"k{number}")
            for number in range(CASES)
        ),
    ]
    state = fold_all(events)
    got = found(state)
    assert [case.case_id for case in got.cases] == [f"k{number}" for number in range(CASES)]
    fold_all([service("i9", START + 9, "inquiry", "k9")], state)
    assert "k0" not in {case.case_id for case in got.cases}
    # Known still: what is said again changes nothing, and its resolution counts, without a time.
    before = msgspec.json.encode(got)
    event, time = service("again", START, "inquiry", "k0")
    assert fold(state, event, time, SHOP) == ()
    assert msgspec.json.encode(got) == before
    fold_all([service("z", START + DAY, "resolved", "k0")], state)
    assert (got.opened, got.resolved, got.resolved_timed) == (CASES + 2, 2, 1)


@pytest.mark.parametrize("case_id", [None, "k"])
def test_an_answer_said_again_is_no_fact_whatever_its_id(case_id: str | None) -> None:
    first, time = service("1", START, "survey_answered", case_id, score=7)
    for number in range(20):
        state = fold_all([(first, time)])
        again, _ = service(f"again-{number}", START, "survey_answered", case_id, score=7)
        assert fold(state, again, START, SHOP) == ()
        other, _ = service("other", START + 1, "survey_answered", case_id, score=7)
        assert fold(state, other, START + 1, SHOP) == (SurveyAnswered(case_id or "", 7),)


def test_the_first_reply_stays_whatever_else_was_said() -> None:
    early = [service(f"e{n}", START + n, "replied", "k") for n in range(REPLIES)]
    late = service("l", START + DAY, "replied", "k")
    state = fold_all([service("1", START + MINUTE, "inquiry", "k"), *early, late])
    assert found(state).reply_ms == DAY - MINUTE
    (case,) = found(state).cases
    assert len(case.replies) == REPLIES


def test_the_bounds_hold() -> None:
    state = fold_all([service(f"e{n}", START + n, "inquiry", f"k{n}") for n in range(100)])
    got = found(state)
    assert (len(got.cases), len(got.past), got.opened) == (CASES, PAST_CASES * 9, 100)
