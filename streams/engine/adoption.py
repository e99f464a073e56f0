"""Triggers as they were published: what a replay takes over from a build that is not this one."""

from collections.abc import Iterator
from itertools import chain
from typing import Self

import msgspec

from schemas.decoding import RawRecord
from schemas.trigger import TriggerEvent
from streams.engine.log import LogReader

#: Offsets read at a time.
CHUNK = 2_000

_decode = msgspec.json.Decoder(TriggerEvent).decode


class PublishedTriggers:
    """The triggers of one partition from a seq on, handed out seq by seq, rising.

    Waits until no transaction stands open there. Raises LogIncomplete when that takes long.
    """

    def __init__(self, log: LogReader, topic: str, partition: int, first_seq: int) -> None:
        """``log`` is this object's own: ``close`` closes it."""
        self._log = log
        self._topic = topic
        self._partition = partition
        place = (topic, partition)
        # Anybody's open transaction hides what was published behind it; taken over it must be.
        self._log.wait_stable(topic, partition)
        self._start = self._log.log_starts([place])[place]
        self._end = self._log.stable_ends([place])[place]
        self._events = self._from(self._before(first_seq))
        self._next = next(self._events, None)

    def of(self, seq: int) -> list[TriggerEvent]:
        """Those that the commit ``seq`` issued, in order. Raises a LogError."""
        found = []
        while self._next is not None and self._next.data.seq <= seq:
            if self._next.data.seq == seq:
                found.append(self._next)
            self._next = next(self._events, None)
        return found

    def close(self) -> None:
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _before(self, seq: int) -> int:
        """An offset at or before the first trigger of ``seq``; seqs rise along the partition."""
        step, position = CHUNK, self._end
        while position > self._start:
            position = max(self._start, position - step)
            records = self._log.read_range(self._topic, self._partition, position, self._end)
            if records and _event(records[0]).data.seq < seq:
                break
            step *= 4
        return position

    def _from(self, position: int) -> Iterator[TriggerEvent]:
        chunks = (
            self._log.read_range(self._topic, self._partition, start, min(start + CHUNK, self._end))
            for start in range(position, self._end, CHUNK)
        )
        return map(_event, chain.from_iterable(chunks))


def _event(record: RawRecord) -> TriggerEvent:
    return _decode(record.value or b"")
