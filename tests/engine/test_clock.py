"""The watermark moves by ticks alone, and only once everything before them is processed."""

from schemas.clock import WALL, ClockRecord, Close, Rebase, RecordCause, Skip, Tick, TimerCause
from schemas.journal import ClockState, Skipped
from streams.engine.clock import WAITING_TICKS, Applied, TickQueue
from streams.engine.partition import NEW_CLOCK

LATENESS = 5_000


class Clock:
    """A queue with the partition's side of it."""

    def __init__(self) -> None:
        self.queue = TickQueue()
        self.state = NEW_CLOCK
        self.offset = 0
        self.vector: dict[str, int] = {}
        self.definitions: dict[str, int] = {}
        self.next_due: int | None = None
        #: Whether a timer is about to fire.
        self.fires = False

    def add(self, *records: ClockRecord) -> None:
        for record in records:
            self.queue.add(record, self.offset, appended=0)
            self.offset += 1

    def apply(self) -> Applied | None:
        applied = self.queue.apply(
            self.state, self.vector, self.definitions, LATENESS, self.next_due, fires=self.fires
        )
        if applied is not None:
            self.state = applied.clock
        return applied


def tick(time: int, clock: str = WALL, epoch: int = 1, **ends: int) -> Tick:
    return Tick(0, time, clock, epoch, ends)


def test_a_tick_waits_until_every_topic_is_processed_up_to_its_ends() -> None:
    clock = Clock()
    clock.add(tick(10_000, clicks=5, carts=2))
    clock.vector = {"clicks": 5, "carts": 1}
    assert clock.apply() is None
    clock.vector["carts"] = 2
    applied = clock.apply()
    assert applied is not None
    assert applied.clock.watermark == 5_000
    assert applied.offset == 1


def test_a_tick_waits_for_the_definitions_it_names() -> None:
    clock = Clock()
    clock.add(Tick(0, 10_000, WALL, 1, {}, {"settings": 3}))
    assert clock.apply() is None
    clock.definitions["settings"] = 3
    assert clock.apply() is not None


def test_a_topic_without_an_end_counts_as_passed() -> None:
    clock = Clock()
    clock.add(tick(10_000))
    assert clock.apply() is not None


def test_all_ticks_that_may_apply_do_and_the_newest_rules() -> None:
    clock = Clock()
    clock.add(tick(10_000, clicks=1), tick(11_000, clicks=2), tick(12_000, clicks=9))
    clock.vector["clicks"] = 2
    applied = clock.apply()
    assert applied is not None
    assert (applied.clock.tick, applied.offset, len(clock.queue)) == (11_000, 2, 1)


def test_an_older_owner_is_ignored() -> None:
    clock = Clock()
    clock.add(tick(10_000, epoch=2), tick(99_000, epoch=1))
    clock.apply()
    assert clock.state.tick == 10_000
    assert clock.state.epoch == 2


def test_the_watermark_never_goes_back_on_one_clock() -> None:
    clock = Clock()
    clock.add(tick(10_000), tick(9_000))
    clock.apply()
    assert clock.state.watermark == 5_000


def test_a_rebase_starts_the_watermark_anew_and_silences_the_wall() -> None:
    clock = Clock()
    clock.add(tick(1_000_000), Rebase(0, 50_000, 90_000, "replay"), tick(1_001_000))
    clock.add(tick(60_000, clock="replay", epoch=0))
    clock.apply()
    assert clock.state.watermark == 995_000
    clock.apply()
    assert clock.state == ClockState("replay", 60_000, 90_000, 1.0, 55_000, 1)


def test_a_rebase_to_a_later_time_moves_no_watermark() -> None:
    """It names no ends, so what is not read yet would be overtaken."""
    clock = Clock()
    clock.add(tick(10_000))
    clock.apply()
    clock.add(Rebase(0, 50_000, 90_000, "simulator"))
    clock.apply()
    assert clock.state == ClockState("simulator", 50_000, 90_000, 0.0, 5_000, 1)
    clock.add(tick(60_000, clock="simulator", epoch=0, clicks=1))
    clock.apply()
    assert clock.state.watermark == 5_000
    clock.vector["clicks"] = 1
    clock.apply()
    assert clock.state.watermark == 55_000


def test_a_rebase_waits_for_what_the_clock_before_made_due() -> None:
    clock = Clock()
    clock.add(Rebase(0, 50_000, 90_000, "one"), Close(0, 90_000, "one", {}))
    clock.add(Rebase(0, 1_000, 2_000, "two"))
    clock.apply()
    assert clock.state == ClockState(WALL, 90_000, 0, 1.0, 85_000, 0)
    clock.fires = True
    assert clock.apply() is None
    clock.fires = False
    clock.apply()
    assert clock.state.clock == "two"
    assert clock.state.watermark == 1_000


def test_a_second_tool_is_ignored_until_the_first_has_closed() -> None:
    clock = Clock()
    clock.add(Rebase(0, 50_000, 90_000, "one"), Rebase(0, 1_000, 2_000, "two"))
    clock.add(tick(1_500, clock="two", epoch=0), tick(60_000, clock="one", epoch=0))
    clock.apply()
    assert clock.state.clock == "one"
    assert clock.state.watermark == 55_000


def test_a_close_waits_for_its_ends_and_hands_back_to_the_wall() -> None:
    clock = Clock()
    clock.add(Rebase(0, 50_000, 90_000, "replay"), Close(0, 90_000, "replay", {"clicks": 7}))
    clock.add(tick(1_000_000))
    clock.apply()
    assert clock.state.clock == "replay"
    clock.vector["clicks"] = 7
    clock.apply()
    assert clock.state.clock == WALL
    assert clock.state.watermark == 995_000


def test_a_close_of_another_tool_changes_nothing() -> None:
    clock = Clock()
    clock.add(Rebase(0, 50_000, 90_000, "one"), Close(0, 90_000, "two", {}))
    clock.apply()
    assert clock.state.clock == "one"


def test_waiting_ticks_are_bounded_and_hand_over_records_are_never_dropped() -> None:
    clock = Clock()
    for second in range(10 * WAITING_TICKS):
        clock.add(tick(second * 1_000, clicks=1))
    clock.add(Rebase(0, 50_000, 90_000, "replay"))
    for second in range(10 * WAITING_TICKS):
        clock.add(tick(50_000 + second, clock="replay", epoch=0, clicks=1))
    assert len(clock.queue) <= WAITING_TICKS + 1
    clock.vector["clicks"] = 1
    applied = clock.apply()
    assert applied is not None
    assert applied.clock.clock == "replay"
    assert applied.clock.tick == 50_000 + 10 * WAITING_TICKS - 1
    assert applied.offset == clock.offset


def test_a_tool_that_waits_to_take_over_is_seen() -> None:
    clock = Clock()
    clock.add(tick(10_000, clicks=5))
    assert clock.queue.hands_over_at is None
    clock.add(Rebase(0, 50_000, 90_000, "replay"))
    assert clock.queue.hands_over_at == 1
    clock.vector["clicks"] = 5
    clock.apply()
    assert clock.queue.hands_over_at == 1
    clock.apply()
    assert clock.queue.hands_over_at is None


def test_a_timer_that_a_skip_waits_for_does_not_wait_for_the_tool_behind_it() -> None:
    clock = Clock()
    clock.next_due = 4_000
    clock.add(tick(10_000), Skip(0, TimerCause("shop/anna", "abandoned-cart", 4_000)))
    clock.add(Rebase(0, 50_000, 90_000, "replay"))
    clock.apply()
    assert len(clock.queue) == 2
    assert clock.queue.hands_over_at is None


def test_future_times_are_judged_by_what_is_known_even_while_it_waits() -> None:
    clock = Clock()
    clock.add(tick(10_000, clicks=99))
    assert clock.queue.latest == 10_000
    clock.add(Rebase(0, 50_000, 90_000, "replay"))
    assert clock.queue.latest == 90_000


def test_a_skip_holds_at_once_and_is_applied_once_its_record_is_passed() -> None:
    """Until then it keeps its place, so that it is read again after a crash."""
    cause = RecordCause("orders", 7)
    clock = Clock()
    clock.vector = {"orders": 5}
    clock.add(tick(10_000, orders=9), Skip(0, cause, "bad"), tick(11_000))
    assert clock.queue.skips == {cause: Skipped(cause, "bad")}
    assert clock.apply() is None
    clock.vector["orders"] = 9
    applied = clock.apply()
    assert applied is not None
    assert applied.offset == 3
    assert clock.queue.skips == {}


def test_a_skip_keeps_its_place_before_later_ticks() -> None:
    clock = Clock()
    clock.vector = {"orders": 7}
    clock.add(tick(10_000), Skip(0, RecordCause("orders", 7)), tick(11_000))
    applied = clock.apply()
    assert applied is not None
    assert applied.offset == 1
    assert clock.apply() is None
    clock.vector["orders"] = 8
    applied = clock.apply()
    assert applied is not None
    assert applied.offset == 3


def test_the_first_word_on_a_record_counts_and_a_later_one_is_passed_over() -> None:
    cause = RecordCause("orders", 7)
    clock = Clock()
    clock.add(Skip(0, cause, "first"), Skip(0, cause, "second"))
    assert clock.queue.skips == {cause: Skipped(cause, "first")}
    clock.vector = {"orders": 8}
    applied = clock.apply()
    assert applied is not None
    assert applied.offset == 2


def test_the_skip_of_a_due_timer_waits_until_the_timer_is_gone() -> None:
    cause = TimerCause("shop/anna", "abandoned-cart", 4_000)
    clock = Clock()
    clock.next_due = 4_000
    clock.add(tick(10_000), Skip(0, cause), tick(11_000))
    applied = clock.apply()
    assert applied is not None
    assert applied.offset == 1
    assert cause in clock.queue.skips
    clock.next_due = 4_001
    applied = clock.apply()
    assert applied is not None
    assert applied.offset == 3
    assert clock.queue.skips == {}


def test_the_skip_of_a_timer_that_is_not_due_holds_back_no_tick() -> None:
    """The tick behind it may be the one that makes the timer due."""
    cause = TimerCause("shop/anna", "abandoned-cart", 20_000)
    clock = Clock()
    clock.next_due = 20_000
    clock.add(tick(10_000), Skip(0, cause), tick(30_000))
    applied = clock.apply()
    assert applied is not None
    assert applied.clock.watermark == 25_000
    assert cause in clock.queue.skips


def test_a_skip_of_a_topic_that_is_not_read_holds_back_nothing() -> None:
    clock = Clock()
    clock.add(Skip(0, RecordCause("nothing", 7)), tick(10_000))
    applied = clock.apply()
    assert applied is not None
    assert applied.offset == 2
