"""What a poll brings to the owned partitions: what is new and wanted of it, decoded; ticks queued.

Records that were fetched before a seek are passed over, a gap is a doubt, and a topic that is mostly
broken is paused before any of it is eaten.
"""

import time
from collections.abc import Callable, Mapping

import msgspec
import structlog

from schemas.clock import decode_clock
from schemas.deadletter import DeadLetter
from streams.engine.clock_reading import ClockReading
from streams.engine.commit import Fetched
from streams.engine.partition import Partition
from streams.engine.poison import PoisonGuard
from streams.engine.process import PartitionProcessor, Work
from streams.engine.topicnames import TopicNames
from streams.engine.transport import Poll
from streams.operations.metrics import Metrics

log = structlog.get_logger(__name__)


class GapError(Exception):
    """Records were skipped between the transport and the cycle: the process must end."""


class Intake:
    """Holds nothing of its own: what a partition has read stands in the partition."""

    def __init__(
        self,
        topics: TopicNames,
        processors: Mapping[int, PartitionProcessor],
        guard: PoisonGuard,
        metrics: Metrics,
        clock_reading: ClockReading,
        pause: Callable[[str, int | None, str], None],
        unpause: Callable[[Partition], None],
        fetch_again: Callable[[Partition], None],
    ) -> None:
        """``pause`` (topic, None, reason) stops the fetching of a topic; ``unpause`` is called with a
        partition once what it is paused for is to be left out, ``fetch_again`` with one of which what
        was fetched is not taken now."""
        self._topics = topics
        self._processors = processors
        self._guard = guard
        self._metrics = metrics
        self._pause = pause
        self._clock_reading = clock_reading
        self._unpause = unpause
        self._fetch_again = fetch_again

    def take(self, poll: Poll, partitions: Mapping[int, Partition]) -> dict[int, Work]:
        """The poll's records, decoded, by partition. Raises GapError."""
        works = {}
        for number, fetched in self._accept(poll, partitions).items():
            ticks = partitions[number].ticks
            works[number] = self._processors[number].prepare(
                fetched, ticks.latest, ticks.skips.values()
            )
        self._put_off(works, partitions)
        poisoned = self._poisoned(works)
        if not poisoned:
            return works
        return {
            number: kept
            for number, work in works.items()
            if (kept := _without(work, poisoned)) is not None
        }

    def _put_off(self, works: dict[int, Work], partitions: Mapping[int, Partition]) -> None:
        """Times that are too far ahead may lie in a window that the clock has yet to tell of."""
        ahead = [partitions[number] for number, work in works.items() if work.ahead]
        for number in self._clock_reading.behind(ahead):
            del works[number]
            self._fetch_again(partitions[number])

    def _accept(self, poll: Poll, partitions: Mapping[int, Partition]) -> dict[int, list[Fetched]]:
        """What is new and wanted, per partition, topics in fold order; clock records are queued."""
        accepted: dict[int, list[Fetched]] = {}
        for topic in self._topics.inputs:
            for number, partition in partitions.items():
                part = poll.fetched.get((topic, number))
                is_clock = topic == self._topics.clock
                if part is None or topic in self._guard.paused:
                    continue
                if partition.paused and not is_clock:
                    continue
                expected = partition.clock_read if is_clock else partition.vector[topic]
                if topic in partition.rereading:
                    if part.start > expected:
                        continue  # fetched before the seek back
                    partition.rereading.discard(topic)
                part = _from(part, expected, number)
                if part is None:
                    continue
                if is_clock:
                    self._queue(partition, part)
                else:
                    accepted.setdefault(number, []).append(part)
        return accepted

    def _queue(self, partition: Partition, part: Fetched) -> None:
        for record in part.records:
            try:
                clock = decode_clock(record.value or b"")
            except msgspec.MsgspecError as error:
                self._metrics.events(part.topic, "ignored").inc()
                log.warning(
                    "clock record ignored", topic=part.topic, partition=partition.number,
                    offset=record.offset, error=str(error),
                )  # fmt: skip
                continue
            if clock.partition == partition.number:
                partition.ticks.add(clock, record.offset, record.timestamp)
        partition.clock_read = part.end
        paused = partition.paused
        if paused is not None and paused.cause in partition.ticks.skips:
            self._unpause(partition)

    def _poisoned(self, works: dict[int, Work]) -> set[str]:
        totals: dict[str, tuple[int, int]] = {}
        for number, work in works.items():
            for part, items in zip(work.fetched, work.items, strict=True):
                if self._guard.accepts(part.topic, number, part.start):
                    continue
                bad = sum(type(item) is DeadLetter for item in items)
                records, known = totals.get(part.topic, (0, 0))
                totals[part.topic] = (records + len(items), known + bad)
        now = time.monotonic()
        poisoned = {
            t for t, (records, bad) in totals.items() if self._guard.trips(t, records, bad, now)
        }
        for topic in poisoned:
            self._pause(topic, None, self._guard.paused[topic])
        return poisoned


def _from(part: Fetched, expected: int, number: int) -> Fetched | None:
    """The part of a fetch at and after ``expected``; None when all of it is known already."""
    if part.end <= expected:
        return None
    if part.start > expected:
        raise GapError(
            f"{part.topic}[{number}]: fetched from offset {part.start} where {expected} is next"
        )
    if part.start == expected:
        return part
    records = [record for record in part.records if record.offset >= expected]
    return Fetched(part.topic, expected, part.end, records)


def _without(work: Work, topics: set[str]) -> Work | None:
    """The work but for these topics; None when nothing is left."""
    kept = [
        (part, items)
        for part, items in zip(work.fetched, work.items, strict=True)
        if part.topic not in topics
    ]
    if not kept:
        return None
    return Work(
        [part for part, _ in kept], [items for _, items in kept], work.keys, skipped=work.skipped
    )
