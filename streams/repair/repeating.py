"""Commits made again from a log that an archive may be the beginning of."""

import msgspec

from schemas.clock import Skip, SkipCause, decode_clock
from schemas.journal import Skipped
from streams.archive.logs import Logs
from streams.engine.adoption import PublishedTriggers
from streams.engine.draft import FoldError
from streams.engine.log import LogReader
from streams.engine.partition import Partition
from streams.engine.partition_log import PartitionLog
from streams.engine.repetition import Repetition

#: Offsets of shop.clock read at a time.
CHUNK = 10_000


class RepetitionFrom(Repetition):
    """Repeats commits from ``logs``, set before ``run``."""

    logs: Logs

    def _open_along(self) -> PartitionLog:
        return self.logs.along()

    def _open_triggers(self, number: int, first_seq: int) -> PublishedTriggers:
        return PublishedTriggers(self.logs.reader(), self._topics.triggers, number, first_seq)

    def _word_on(self, partition: Partition, error: FoldError) -> Skipped | None:
        """As in a worker, which follows shop.clock; here it is looked through, as far as it is kept."""
        return _skips(self._bootstrap, self._topics.clock, partition.number).get(error.cause)


def _skips(bootstrap: str, topic: str, partition: int) -> dict[SkipCause | None, Skipped]:
    """What operators have had left out, by its cause; the first word counts. Raises a LogError."""
    found: dict[SkipCause | None, Skipped] = {}
    place = (topic, partition)
    with LogReader(bootstrap) as log:
        end = log.high_watermarks([place])[place]
        for start in range(log.log_starts([place])[place], end, CHUNK):
            for record in log.read_range(topic, partition, start, min(start + CHUNK, end)):
                try:
                    word = decode_clock(record.value or b"")
                except msgspec.MsgspecError:
                    continue  # workers count those
                if isinstance(word, Skip) and word.partition == partition:
                    found.setdefault(word.cause, Skipped(word.cause, word.reason))
    return found
