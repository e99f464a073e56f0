"""Is the clock read as far as it was written? Only then is what ruled an event's folding known.

Topics are read side by side, so events that a tool has sent may come before the record by which it took
the clock over, and the clock that rules until then knows nothing of their time: its watermark may be years
ahead, and a timer that such an event sets would fire before the event that cancels it is read. A tool
sends only after its rebase is in the log; so once a partition has read its clock up to the end that is
asked for after an event has come, whatever ruled that event is known.
"""

from collections.abc import Collection

from streams.engine.log import LogReader
from streams.engine.partition import Partition


class ClockReading:
    """Asks Kafka for the clock's ends: one request, and only where an answer is needed."""

    def __init__(self, topic: str, log: LogReader) -> None:
        """``log``: only questions for offsets are put to it, so it may be another thread's too."""
        self._topic = topic
        self._log = log

    def behind(self, partitions: Collection[Partition]) -> set[int]:
        """The numbers of those whose clock has records that are not read yet.

        Blocks for a round trip, but for none of none; raises a LogError.
        """
        ends = self._log.high_watermarks([(self._topic, p.number) for p in partitions])
        return {p.number for p in partitions if p.clock_read < ends[self._topic, p.number]}
