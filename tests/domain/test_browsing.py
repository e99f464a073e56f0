"""Sessions: the upstream id where there is one, else a gap of 30 minutes."""

from streams.domain.browsing import SESSIONS
from tests.domain.events import DAY, MINUTE, START, click, fold_all


def test_a_gap_of_thirty_minutes_ends_a_session() -> None:
    gap = 30 * MINUTE
    browsing = fold_all(
        [click("1", START), click("2", START + gap - 1), click("3", START + 2 * gap - 1)]
    ).browsing
    assert browsing.sessions == 2
    assert browsing.session is not None
    assert (browsing.session.start, browsing.session.clicks) == (START + 2 * gap - 1, 1)


def test_a_late_click_joins_the_sessions_around_it() -> None:
    events = [click("1", START), click("2", START + 40 * MINUTE), click("3", START + 20 * MINUTE)]
    assert fold_all(events[:2]).browsing.sessions == 2
    browsing = fold_all(events).browsing
    assert browsing.sessions == 1
    assert browsing.session is not None
    assert (browsing.session.start, browsing.session.end, browsing.session.clicks) == (
        START, START + 40 * MINUTE, 3,
    )  # fmt: skip


def test_a_session_id_holds_over_any_gap_and_is_told_apart() -> None:
    browsing = fold_all(
        [
            click("1", START, session_id="s1"),
            click("2", START + 1, session_id="s2"),
            click("3", START + 2),
            click("4", START + 3 * 60 * MINUTE, session_id="s1", dwell_ms=700),
        ]
    ).browsing
    assert browsing.sessions == 3
    assert browsing.session is not None
    assert (browsing.session.id, browsing.session.clicks) == ("s1", 2)
    assert browsing.dwell_ms == 700


def test_a_click_older_than_all_kept_sessions_counts_but_belongs_to_none() -> None:
    events = [click(f"e{number}", START + number * DAY) for number in range(SESSIONS + 8)]
    state = fold_all(events)
    assert state.browsing.sessions == SESSIONS + 8
    fold_all([click("late", START + DAY // 2)], state)
    assert state.browsing.sessions == SESSIONS + 8
    assert state.browsing.actions.view == SESSIONS + 9
    fold_all([click("less late", START + 20 * DAY + 10 * MINUTE)], state)
    assert state.browsing.sessions == SESSIONS + 8
