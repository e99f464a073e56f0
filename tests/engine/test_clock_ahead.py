"""Looking through what is unread of the clock: as far as it is stable, without waiting for the rest.

On a real broker. A look may end before its time on a machine that is slow, so each is repeated until it has
seen what it must; what it must not see, an open transaction hides for as long as the test wants.
"""

from collections.abc import Iterable

import pytest

from schemas.catalogue import CLOCK
from schemas.clock import WALL, Rebase, Tick, encode_clock
from streams.engine.clock import TickQueue
from streams.engine.clock_ahead import ClockAhead
from streams.engine.partition import NEW_CLOCK, NEW_POSITION, Partition, StateCache
from tests.verify.kafka_log import LogWriter, make_topic
from tests.waiting import wait_for

TICK = encode_clock(Tick(0, 1_000, WALL, 1, {}))
REBASE = encode_clock(Rebase(0, 1_000, 2_000, "replay"))
PARTITIONS = 3


@pytest.fixture
def topic(kafka: str, prefix: str) -> str:
    return make_topic(kafka, f"{prefix}{CLOCK}", PARTITIONS)


@pytest.fixture
def ahead(kafka: str, topic: str) -> ClockAhead:
    return ClockAhead(topic, kafka)


def test_what_an_open_transaction_hides_is_seen_once_it_has_ended(
    kafka: str, prefix: str, topic: str, ahead: ClockAhead
) -> None:
    LogWriter(kafka).plain(topic, [TICK] * 2)
    writer = LogWriter(kafka, f"{prefix}open")
    writer.begin(topic, [TICK])
    LogWriter(kafka).plain(topic, [TICK] * 3)
    partition = _partition(0, wanted=6)
    _look_until(ahead, [partition], [2])
    for _ in range(3):
        ahead.look([partition])
    assert ahead.free(partition) == 2
    writer.commit()
    _look_until(ahead, [partition], [6])


def test_an_open_transaction_holds_up_its_partition_alone(
    kafka: str, prefix: str, topic: str, ahead: ClockAhead
) -> None:
    writer = LogWriter(kafka, f"{prefix}open")
    writer.begin(topic, [TICK], partition=1)
    for number in range(PARTITIONS):
        LogWriter(kafka).plain(topic, [TICK] * 4, partition=number)
    partitions = [_partition(number, wanted=4) for number in range(PARTITIONS)]
    _look_until(ahead, partitions, [4, 0, 4])
    writer.abort()
    _look_until(ahead, partitions, [4, 4, 4])


def test_a_tool_s_taking_over_is_as_far_as_a_look_goes(
    kafka: str, topic: str, ahead: ClockAhead
) -> None:
    LogWriter(kafka).plain(topic, [TICK, b"broken", REBASE, TICK, TICK])
    partition = _partition(0, wanted=5)
    _look_until(ahead, [partition], [2])
    ahead.look([partition])
    assert ahead.free(partition) == 2
    partition.clock_read = 3
    _look_until(ahead, [partition], [5])


def test_a_tool_that_gave_up_is_none(
    kafka: str, prefix: str, topic: str, ahead: ClockAhead
) -> None:
    writer = LogWriter(kafka, f"{prefix}aborted")
    writer.aborted(topic, [REBASE])
    writer.committed(topic, [TICK])
    # Two markers, of which the last is what is waited for.
    partition = _partition(0, wanted=4)
    _look_until(ahead, [partition], [4])


def test_a_partition_that_reads_its_clock_again_is_looked_through_again(
    kafka: str, topic: str, ahead: ClockAhead
) -> None:
    LogWriter(kafka).plain(topic, [REBASE, TICK, TICK, TICK])
    partition = _partition(0, wanted=4)
    partition.clock_read = 2
    _look_until(ahead, [partition], [4])
    partition.clock_read = 3
    assert ahead.free(partition) == 4
    partition.clock_read = 0
    _look_until(ahead, [partition], [0])
    partition.clock_read = 1
    _look_until(ahead, [partition], [4])
    partition.clock_read = 7
    assert ahead.free(partition) == 7


def test_a_log_that_does_not_hold_what_is_wanted_holds_up_no_other(
    kafka: str, topic: str, ahead: ClockAhead
) -> None:
    LogWriter(kafka).plain(topic, [TICK] * 4, partition=1)
    beyond, held = _partition(0, wanted=120), _partition(1, wanted=4)
    beyond.clock_read = 99
    _look_until(ahead, [beyond, held], [99, 4])
    ahead.look([beyond, held])


def test_a_broker_that_does_not_answer_is_no_error() -> None:
    ahead = ClockAhead(CLOCK, "127.0.0.1:1")
    partition = _partition(0, wanted=5)
    for _ in range(3):
        ahead.look([partition])
    assert ahead.free(partition) == 0


def _partition(number: int, wanted: int) -> Partition:
    partition = Partition(number, 1, NEW_POSITION, {}, NEW_CLOCK, 0, 0, StateCache(1), TickQueue())
    partition.unsettled.ask(wanted)
    return partition


def _look_until(ahead: ClockAhead, partitions: list[Partition], free: Iterable[int]) -> None:
    wanted = list(free)

    def looked() -> bool:
        ahead.look(partitions)
        return [ahead.free(partition) for partition in partitions] == wanted

    wait_for(looked, 120, f"looked through up to {wanted}")
