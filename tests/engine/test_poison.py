"""A topic that turned bad is not eaten: the guard trips on a share of enough records in a window."""

import pytest

from streams.engine.poison import PoisonGuard

TOPIC = "shop.clicks"


@pytest.fixture
def guard() -> PoisonGuard:
    return PoisonGuard(share=0.5, least=1_000, window=60.0)


def test_few_bad_records_never_trip(guard: PoisonGuard) -> None:
    assert not guard.trips(TOPIC, 999, 999, now=0.0)


def test_half_is_not_too_much_but_more_is(guard: PoisonGuard) -> None:
    assert not guard.trips(TOPIC, 2_000, 1_000, now=0.0)
    assert guard.trips(TOPIC, 1, 1, now=1.0)
    assert TOPIC in guard.paused


def test_what_is_older_than_the_window_no_longer_counts(guard: PoisonGuard) -> None:
    assert not guard.trips(TOPIC, 900, 900, now=0.0)
    assert not guard.trips(TOPIC, 900, 400, now=61.5)


def test_topics_are_judged_apart(guard: PoisonGuard) -> None:
    assert guard.trips(TOPIC, 1_000, 1_000, now=0.0)
    assert not guard.trips("shop.carts", 1_000, 0, now=0.0)


def test_a_resume_accepts_what_is_there_and_judges_anew(guard: PoisonGuard) -> None:
    guard.trips(TOPIC, 1_000, 1_000, now=0.0)
    assert guard.resume(TOPIC, {0: 500})
    assert TOPIC not in guard.paused
    assert guard.accepts(TOPIC, 0, 499)
    assert not guard.accepts(TOPIC, 0, 500)
    assert guard.trips(TOPIC, 1_000, 1_000, now=1.0)


def test_resuming_what_is_not_paused_says_so(guard: PoisonGuard) -> None:
    assert not guard.resume(TOPIC, {})
