"""Commits made again from a log that an archive may be the beginning of."""

from streams.archive.logs import Logs
from streams.engine.adoption import PublishedTriggers
from streams.engine.partition_log import PartitionLog
from streams.engine.repetition import Repetition


class RepetitionFrom(Repetition):
    """Repeats commits from ``logs``, set before ``run``."""

    logs: Logs

    def _open_along(self) -> PartitionLog:
        return self.logs.along()

    def _open_triggers(self, number: int, first_seq: int) -> PublishedTriggers:
        return PublishedTriggers(self.logs.reader(), self._topics.triggers, number, first_seq)
