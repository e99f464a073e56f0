"""Whether a generation can be closed: everything it committed is published, and no tool holds its clock."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from schemas.clock import WALL, Tick, decode_clock
from schemas.journal import ClockState
from streams.engine.group_offsets import Published
from streams.engine.log import LogReader
from streams.engine.partition import NEW_CLOCK
from streams.engine.topicnames import TopicNames
from streams.repair.refused import RepairRefused
from streams.state.redis_store import RedisStore, Stored

#: Offsets read at a time.
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Drained:
    """Where a generation ended."""

    #: (topic, partition) -> next offset, of every input topic.
    offsets: dict[tuple[str, int], int]
    #: Partition -> seq and chain of its last commit.
    positions: dict[int, str]
    #: Records beyond ``offsets`` that a reader sees.
    waiting: int
    #: What the partitions of another generation begin with.
    clock: ClockState


def drained(
    topics: TopicNames,
    store: RedisStore,
    log: LogReader,
    published: Mapping[int, Published],
    *,
    forward: bool,
) -> Drained:
    """Where every partition of ``published`` stands. Raises RepairRefused unless nothing is under way.

    Records that wait in the inputs are refused too, unless they will be forwarded.
    """
    places = [(topic, number) for topic in topics.inputs for number in published]
    starts, ends = log.log_starts(places), log.stable_ends(places)
    offsets: dict[tuple[str, int], int] = {}
    positions: dict[int, str] = {}
    waiting, clocks = 0, []
    for number, kafka in published.items():
        stored = store.stored(number)
        _require_level(topics, number, stored, kafka, log)
        clocks.append(stored.clock or NEW_CLOCK)
        positions[number] = f"{kafka.seq},{kafka.chain.hex()}"
        for topic in topics.inputs:
            place = (topic, number)
            at = stored.vector.get(topic, starts[place])
            if topic == topics.clock:
                _require_no_tool(
                    number, clocks[-1], log, topic, max(at, starts[place]), ends[place]
                )
            else:
                waiting += _count(log, topic, number, at, ends[place])
            offsets[place] = at
    if waiting and not forward:
        raise RepairRefused(
            f"{waiting:,} records wait in the inputs: stop the producers, let the workers process "
            "them and stop those, or have the records forwarded to the new topics with --forward"
        )
    # The least of all: nothing up to it has a timer left anywhere. The group's generations, and with
    # them the ticks' epochs, begin anew.
    clock = ClockState(WALL, min(c.tick for c in clocks), 0, 1.0, min(c.watermark for c in clocks))
    return Drained(offsets, positions, waiting, clock)


def _count(log: LogReader, topic: str, number: int, start: int, end: int) -> int:
    """Records of [start, end): offsets of markers and of aborted transactions are none."""
    return sum(
        len(log.read_range(topic, number, at, min(at + CHUNK, end)))
        for at in range(start, end, CHUNK)
    )


def _require_level(
    topics: TopicNames, number: int, stored: Stored, kafka: Published, log: LogReader
) -> None:
    """Redis and Kafka have the same commits of the partition."""
    if kafka.foreign is not None:
        raise RepairRefused(
            f"partition {number}: the group's offsets were changed from outside ({kafka.foreign}); "
            "adopt them with: huitou group adopt"
        )
    last = None if kafka.seq else log.last_row(topics.journal, number)
    if last is not None:
        raise RepairRefused(
            f"partition {number}: the journal has seq {last.row.seq} and the group no offsets; its "
            "offsets expired or were deleted. Adopt them with: huitou group adopt"
        )
    if stored.position.seq == kafka.seq and stored.position.chain == kafka.chain:
        return
    raise RepairRefused(
        f"partition {number}: Redis stands at seq {stored.position.seq}, published is "
        f"{kafka.seq}. Start the workers of this generation: they publish or repeat what is "
        "missing, or say what is wrong. Then stop them and run this again"
    )


def _require_no_tool(
    number: int, clock: ClockState, log: LogReader, topic: str, start: int, end: int
) -> None:
    """No replay or simulator holds the clock, and none has used it that workers do not know of."""
    held = clock.clock != WALL
    for record in log.read_range(topic, number, start, end):
        with suppress(msgspec.MsgspecError):  # no clock record: workers ignore it too
            held = not isinstance(decode_clock(record.value or b""), Tick) or held
    if held:
        raise RepairRefused(
            f"partition {number}: a replay or simulator holds the clock, or has held it while no "
            "worker ran. Let it end (`huitou clock`), let the workers follow it, stop them and run "
            "this again"
        )
