"""What an operator does about a paused partition: has a record or timer left out, or deploys another build.

And what must not undo it: Redis loses the suffix with what was left out, or repeats it with another build.
"""

import json

from schemas.clock import RecordCause, Skip, SkipCause, TimerCause, encode_clock
from schemas.journal import decode_row
from streams.engine.partition import Partition
from tests.simulation.frail import OUTGROWN, can_fold_all
from tests.simulation.memory_redis import Value
from tests.simulation.processes import Processes
from tests.simulation.redis_losses import RedisLosses
from tests.simulation.worker import TOPICS, Worker
from tests.simulation.world import World

#: What is to be left out, and of which partition.
Word = tuple[int, SkipCause]


class Skipping:
    """Each word is said once and must hold, but for some of timers; ``said`` has them all."""

    def __init__(self, world: World, processes: Processes, losses: RedisLosses) -> None:
        self.said: list[Word] = []
        self._world = world
        self._processes = processes
        self._losses = losses
        #: Redis as it was when a word was said.
        self._before: dict[Word, dict[bytes, Value]] = {}

    def unsaid(self) -> list[Word]:
        """What partitions are paused for, as `huitou skip` lists it, but for what was said already."""
        return [
            word
            for _, number, partition in self._paused()
            if partition.paused
            and (cause := partition.paused.cause)
            and ((word := (number, cause)) not in self.said or self._is_forgotten(word, partition))
            and not self._is_outgrown(*word)
        ]

    def _is_forgotten(self, word: Word, partition: Partition) -> bool:
        """Whether a timer has to be named again: all that was said is read, and it is paused for it.

        Redis lost a suffix, and the word was read again before the late event that sets the timer: no timer
        stood there that it could be for.
        """
        number, cause = word
        end = self._world.kafka.logs[TOPICS.clock, number].end
        return isinstance(cause, TimerCause) and partition.clock_read >= end

    def skip(self) -> None:
        """`huitou skip`: has one of these left out."""
        word = self._world.rng.choice(self.unsaid())
        self.said.append(word)
        self._before[word] = self._losses.copy()
        self._say(*word)

    def skip_again(self) -> None:
        """The same again, however long ago it was."""
        self._say(*self._world.rng.choice(self.said))

    def outgrown(self) -> list[Worker]:
        """Workers with a partition that is paused for what another build can fold.

        It is never skipped here: what recovery leaves out of a row that another build wrote, no journal
        names, so nobody could say by it what the state must be. tests/engine/test_skip_in_recovery.py does.
        """
        return [
            worker
            for worker, number, partition in self._paused()
            if partition.paused
            and partition.paused.cause
            and self._is_outgrown(number, partition.paused.cause)
        ]

    def deploy(self) -> None:
        """A build that can fold everything that any of them could takes the place of such a worker."""
        worker = self._world.rng.choice(self.outgrown())
        while not can_fold_all(new := self._processes.new_build()):
            pass
        self._processes.builds = [new]
        self._processes.end(worker, "replaced")

    def lose_skip(self) -> None:
        """Redis loses a suffix with something left out that is published; perhaps a new build repeats it."""
        published = [word for word in self._before if self._is_published(*word)]
        if not published:
            return
        copy = self._before.pop(self._world.rng.choice(published))
        if self._losses.put_back_to(copy) and self._world.rng.random() < 0.5:
            self._processes.builds.append(self._processes.new_build())

    def _paused(self) -> list[tuple[Worker, int, Partition]]:
        return [
            (worker, number, partition)
            for worker in self._processes.alive()
            for number, partition in worker.cycle.partitions.items()
            if partition.paused
        ]

    def _is_outgrown(self, number: int, cause: SkipCause) -> bool:
        if not isinstance(cause, RecordCause):
            return False
        entry = self._world.kafka.logs[cause.topic, number].entries[cause.offset]
        shop: str = json.loads(entry.value or b"")["data"]["shop_id"]
        return shop == OUTGROWN

    def _is_published(self, number: int, cause: SkipCause) -> bool:
        log = self._world.kafka.logs[TOPICS.journal, number]
        return any(
            skipped.cause == cause
            for _, entry in log.visible(log.start, log.stable_end)
            for skipped in decode_row(entry.value or b"").skip or ()
        )

    def _say(self, number: int, cause: SkipCause) -> None:
        word = encode_clock(Skip(number, cause, "planted"))
        self._world.kafka.append((TOPICS.clock, number), None, word)
        kind = "record" if isinstance(cause, RecordCause) else "timer"
        self._world.tally.events[f"skip of a {kind} said"] += 1
