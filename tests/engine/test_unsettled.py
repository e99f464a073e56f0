"""Timers wait for the clock to be read, and for nothing else."""

import json
from datetime import UTC, datetime, timedelta

from schemas.clock import WALL, Rebase, Tick
from schemas.decoding import Decoder, RawRecord
from schemas.journal import ClockState
from streams.domain.state import CustomerState
from streams.engine.clock import TickQueue
from streams.engine.commit import Commit, Fetched
from streams.engine.partition import NEW_CLOCK, NEW_POSITION, Partition, StateCache
from streams.engine.process import PartitionProcessor
from streams.engine.unsettled import Unsettled
from streams.state.codes import CouponCodes
from tests.definitions import NO_DEFINITIONS
from tests.histories.folding import STAMP

MINUTE = 60_000
WAIT = 30 * MINUTE
START = datetime(2026, 1, 1, tzinfo=UTC)
START_MS = int(START.timestamp()) * 1_000


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
    unsettled.add(500)
    assert unsettled.limit(1_000) == 499
    assert unsettled.limit(300) == 300
    unsettled.add(None)
    assert unsettled.limit(1_000) == 499


def test_one_that_is_set_after_the_question_needs_another() -> None:
    unsettled = settled()
    unsettled.add(500)
    unsettled.ask(10)
    unsettled.add(800)
    unsettled.read(10)
    assert unsettled.limit(1_000) == 799
    unsettled.read(99)
    assert unsettled.limit(1_000) == 799
    unsettled.ask(12)
    unsettled.read(12)
    assert unsettled.limit(1_000) == 1_000


def test_a_later_question_keeps_what_the_one_before_was_about() -> None:
    unsettled = settled()
    unsettled.add(500)
    unsettled.ask(10)
    unsettled.add(400)
    unsettled.ask(20)
    unsettled.read(10)
    assert unsettled.limit(1_000) == 399
    unsettled.read(20)
    assert unsettled.limit(1_000) == 1_000


def test_a_commit_says_of_what_it_set_the_earliest_also_behind_an_earlier_one() -> None:
    states: dict[str, CustomerState] = {}
    assert _commit(states, ("anna", 0)).earliest_set == START_MS + WAIT
    # Redis keeps the earliest timer of a customer only, and that one is settled already.
    hidden = _commit(states, ("anna", 90 * MINUTE), ("berta", 100 * MINUTE))
    assert hidden.timers == {"tea/berta": START_MS + 100 * MINUTE + WAIT}
    assert hidden.earliest_set == START_MS + 90 * MINUTE + WAIT


def test_a_commit_that_sets_no_timer_unsettles_none() -> None:
    states: dict[str, CustomerState] = {}
    _commit(states, ("anna", 0), ("anna", 60 * MINUTE))
    processor = _processor()
    due = [("tea/anna", START_MS + WAIT)]
    fired = processor.fire(NEW_POSITION, due, states, {}, NO_DEFINITIONS).finish(STAMP)
    assert fired.timers == {"tea/anna": START_MS + 60 * MINUTE + WAIT}
    assert fired.earliest_set is None


def test_a_tool_that_waits_to_take_over_rules_only_what_was_asked_for_after_it() -> None:
    partition = _partition(clock_read=3)
    partition.ticks.add(Tick(0, 9_000, WALL, 1, {"shop.carts": 7}), 3, 0)
    partition.ticks.add(Rebase(0, 1_000, 5_000, "replay"), 4, 0)
    partition.clock_read = 5
    partition.unsettled.ask(4)
    partition.settle()
    assert partition.unsettled.limit(1_000) == 1_000
    partition.unsettled.add(500)
    partition.unsettled.ask(5)
    partition.settle()
    assert partition.unsettled.limit(1_000) == 499


def test_what_is_settled_fires_before_a_tool_takes_the_clock_over() -> None:
    """The question was put before the tool came; its answer and the tool are read in one poll."""
    partition = _partition(clock_read=4)
    partition.next_due, partition.clock = 8_000, ClockState(WALL, 9_000, 0, 1.0, 9_000)
    partition.unsettled.ask(4)
    assert not partition.fires
    partition.ticks.add(Rebase(0, 1_000, 5_000, "replay"), 4, 0)
    partition.clock_read = 5
    assert partition.apply_ticks({}, {}, 5_000) is None
    assert partition.fires
    partition.next_due = None
    applied = partition.apply_ticks({}, {}, 5_000)
    assert applied is not None
    assert applied.clock.clock == "replay"


def _partition(clock_read: int) -> Partition:
    return Partition(
        0, 1, NEW_POSITION, {}, NEW_CLOCK, clock_read, clock_read, StateCache(1), TickQueue()
    )


def _commit(states: dict[str, CustomerState], *added: tuple[str, int]) -> Commit:
    """Carts to which something was added, of customers at ms after START."""
    records = [
        RawRecord("shop.carts", 0, at, START_MS + ms, customer.encode(), _added(customer, ms))
        for at, (customer, ms) in enumerate(added)
    ]
    processor = _processor()
    work = processor.prepare([Fetched("shop.carts", 0, len(records), records)], START_MS)
    return processor.fold(NEW_POSITION, work, states, {}, NO_DEFINITIONS).finish(STAMP)


def _processor() -> PartitionProcessor:
    return PartitionProcessor(
        0, Decoder(1, {"shop.carts": "shop.carts"}), CouponCodes("key", "1"),
        triggers_topic="triggers", verdicts_topic="verdicts",
        decisions_topic="decisions", deadletters_topic="letters",
        exchange_topic="exchange", partitions=1,
    )  # fmt: skip


def _added(customer: str, ms: int) -> bytes:
    event = {
        "specversion": "1.0", "type": "shop.cart.v1", "id": f"{customer}-{ms}", "source": "test",
        "subject": customer, "time": (START + timedelta(milliseconds=ms)).isoformat(),
        "data": {"shop_id": "tea", "action": "add", "sku": f"s{ms}"},
    }  # fmt: skip
    return json.dumps(event).encode()
