"""Timers wait for the clock to be read, and for nothing else."""

from streams.engine.unsettled import Unsettled


def settled() -> Unsettled:
    unsettled = Unsettled()
    unsettled.ask(0)
    unsettled.read(0)
    return unsettled


def test_after_a_recovery_no_timer_may_fire_until_the_clock_is_read() -> None:
    unsettled = Unsettled()
    assert unsettled.limit(1_000) < 0
    unsettled.read(99)  # nobody asked
    assert unsettled.limit(1_000) < 0
    unsettled.ask(7)
    unsettled.read(6)
    assert unsettled.limit(1_000) < 0
    unsettled.read(7)
    assert unsettled.limit(1_000) == 1_000


def test_a_timer_holds_up_itself_and_later_ones() -> None:
    unsettled = settled()
    unsettled.add([None, 700, 500])
    assert unsettled.limit(1_000) == 499
    assert unsettled.limit(300) == 300
    unsettled.add([None])
    assert unsettled.limit(1_000) == 499


def test_one_that_is_set_after_the_question_needs_another() -> None:
    unsettled = settled()
    unsettled.add([500])
    unsettled.ask(10)
    unsettled.add([800])
    unsettled.read(10)
    assert unsettled.limit(1_000) == 799
    unsettled.read(99)
    assert unsettled.limit(1_000) == 799
    unsettled.ask(12)
    unsettled.read(12)
    assert unsettled.limit(1_000) == 1_000


def test_a_later_question_keeps_what_the_one_before_was_about() -> None:
    unsettled = settled()
    unsettled.add([500])
    unsettled.ask(10)
    unsettled.add([400])
    unsettled.ask(20)
    unsettled.read(10)
    assert unsettled.limit(1_000) == 399
    unsettled.read(20)
    assert unsettled.limit(1_000) == 1_000
