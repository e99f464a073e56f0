"""Is the clock read as far as it was written? Only then is it known which clock rules an event's timers.

Topics are read side by side, so events that a tool has sent may come before the record by which it took
the clock over. Ticks of the clock before it know nothing of their time: they may lie years ahead, and a
timer that such an event sets would fire before the event that cancels it is read. A tool sends only after
its rebase is in the log; so once a partition has read its clock up to the end that is asked for after an
event has come, whatever rules that event is known.

Polls with the clock's records may wait behind others whose events set timers that were due hours ago: each
answer would come too late, and nothing fire as long as a worker catches up. So what is unread is looked
through at once (streams.engine.clock_ahead), as far as that can be done without waiting for it.
"""

from collections.abc import Collection

from streams.engine.clock_ahead import ClockAhead
from streams.engine.log import LogReader
from streams.engine.partition import Partition


class ClockReading:
    """Asks Kafka for the clock's ends: one request, and only where an answer is needed."""

    def __init__(self, topic: str, log: LogReader, ahead: ClockAhead) -> None:
        """``log``: only questions for offsets are put to it, so it may be another thread's too."""
        self._topic = topic
        self._log = log
        self._ahead = ahead

    def behind(self, partitions: Collection[Partition]) -> set[int]:
        """The numbers of those whose clock has records that are not read yet.

        Blocks for a round trip, but for none of none; raises a LogError.
        """
        ends = self._ends(partitions)
        return {p.number for p in partitions if p.clock_read < ends[p.number]}

    def settle(self, partitions: Collection[Partition]) -> None:
        """Settle the timers of these, as far as their clocks are read or can be looked through at once.

        Blocks and raises as ``behind``; also for a look (ClockAhead.look) where one is not read to its end.
        """
        for partition in partitions:
            self._settle(partition)
        asking = [p for p in partitions if not p.fires and p.unsettled.wanted is None]
        # The end of all that is written: a tool's rebase may lie behind an open transaction.
        ends = self._ends(asking)
        for partition in asking:
            partition.unsettled.ask(ends[partition.number])
            self._settle(partition)
        # Where a tool waits for its turn, what lies behind its rebase settles nothing.
        unread = [p for p in partitions if not p.fires and p.ticks.hands_over_at is None]
        if unread:
            self._ahead.look(unread)
            for partition in unread:
                self._settle(partition)

    def _settle(self, partition: Partition) -> None:
        partition.settle()
        if partition.ticks.hands_over_at is None:
            partition.unsettled.read(self._ahead.free(partition))

    def _ends(self, partitions: Collection[Partition]) -> dict[int, int]:
        ends = self._log.high_watermarks([(self._topic, p.number) for p in partitions])
        return {p.number: ends[self._topic, p.number] for p in partitions}
