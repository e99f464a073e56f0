"""What an operator does to a stack that stands still: damages something, or makes good what was refused."""

from streams.state.codec import CODEC_VERSION
from tests.simulation.excuses import Excuses
from tests.simulation.memory_kafka import Log
from tests.simulation.processes import Processes
from tests.simulation.redis_losses import RedisLosses
from tests.simulation.worker import TOPICS
from tests.simulation.world import World


class Operator:
    """``maintain`` does one thing that others must not notice, or that a recovery must refuse."""

    def __init__(
        self, world: World, excuses: Excuses, processes: Processes, losses: RedisLosses
    ) -> None:
        self._world = world
        self._excuses = excuses
        self._processes = processes
        self._losses = losses

    def maintain(self) -> None:
        """Everything stands still, something is damaged, and the workers start again."""
        self._processes.stop_all()
        rng = self._world.rng
        number = rng.randrange(self._world.partitions)
        damage = rng.choice(
            (
                self._empty,
                self._reset_offsets,
                self._remake_topic,
                self._cut_journal,
                self._deploy,
                self._downgrade,
            )
        )
        damage(number)

    def make_good(self) -> None:
        """Everything stands still, and whatever was refused is made good."""
        processes, excuses = self._processes, self._excuses
        processes.stop_all()
        keys = {(refused.case, refused.partition) for refused in processes.refusals}
        damages = excuses.damages()
        # What is rebuilt needs the topics whole.
        for key in (*sorted(damages), *sorted(keys - damages)):
            if key in excuses:
                excuses.repair(key)
        self._world.tally.events["repaired"] += len(keys)
        processes.refusals.clear()

    def _empty(self, _: int) -> None:
        self._losses.empty()

    def _reset_offsets(self, number: int) -> None:
        rng, offsets = self._world.rng, self._world.kafka.group.offsets
        held = {place: value for place, value in offsets.items() if place[1] == number}

        def undo() -> None:
            offsets.update(held)
            self._excuses.drop("reset", number)

        trimmed = int(self._world.meta(number).get(b"trimmed", b"0"))
        if not held or not trimmed:
            return
        for place, (offset, _) in held.items():
            if rng.random() < 0.5:
                offsets[place] = (rng.randint(0, offset), "")
            else:
                del offsets[place]
        self._excuses.add("reset", number, undo)

    def _remake_topic(self, number: int) -> None:
        world = self._world
        place = (world.rng.choice(TOPICS.customer), number)
        if not int(world.meta(number).get(f"offset:{place[0]}".encode(), b"0")):
            return
        # A topic that has grown past where Redis stands is not told from the old one; only the
        # sums in the journal tell, so nothing is sent to it.
        world.source.closed.add(place)
        held, world.kafka.logs[place] = world.kafka.logs[place], Log()

        def undo() -> None:
            world.kafka.logs[place] = held
            world.source.closed.discard(place)
            for case in cases:
                self._excuses.drop(case, number)

        # Not outside the log, but lost with it: what a Redis has not read yet that is put back meanwhile.
        cases = ("outside_log", "incomplete")
        for case in cases:
            self._excuses.add(case, number, undo)

    def _cut_journal(self, number: int) -> None:
        """Redis loses a suffix of which the journal is gone."""
        self._losses.put_back()
        log = self._world.kafka.logs[TOPICS.journal, number]
        held, log.start = log.start, log.end

        def undo() -> None:
            log.start = held
            self._excuses.drop("incomplete", number)

        self._excuses.add("incomplete", number, undo)

    def _deploy(self, _: int) -> None:
        """Another build, all at once or rolling."""
        new = self._processes.new_build()
        builds = self._processes.builds
        self._processes.builds = [new] if self._world.rng.random() < 0.5 else [*builds, new]
        self._losses.put_back()

    def _downgrade(self, number: int) -> None:
        """A newer build has written states, and this one is back."""
        meta = self._world.meta(number)
        held = meta.get(b"codec_min")
        if held is None:
            return
        meta[b"codec_min"] = b"%d" % (CODEC_VERSION + 1)

        def undo() -> None:
            # Unless it was put back to before the newer build, or emptied.
            meta = self._world.meta(number)
            if b"codec_min" in meta:
                meta[b"codec_min"] = held
            self._losses.copies.clear()  # some may be of the newer build
            self._excuses.drop("newer", number)

        self._excuses.add("newer", number, undo)
