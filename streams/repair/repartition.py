"""Another partition count: a new generation of topics, keys and group that goes on where the old one ended.

The steps, what each leaves when it is cut short, and why nothing is lost or doubled:
docs/decisions/0007-repartition.md. A run that was cut short is run again, with the same arguments.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from schemas.catalogue import kafka_names
from streams.definitions_reader import DefinitionsReader
from streams.engine.generation import CLOSING, FENCE_EPOCH, LOADING, Successor
from streams.engine.group_offsets import GroupOffsets, Published
from streams.engine.log import LogReader
from streams.engine.topicnames import TopicNames
from streams.repair.generation import settings_of
from streams.repair.group import require_no_workers
from streams.repair.refused import RepairRefused
from streams.repair.repartition_checks import Drained, drained
from streams.repair.repartition_days import MovedDays, read_moved_days
from streams.repair.repartition_forward import Forwarder
from streams.repair.repartition_load import Loader
from streams.repair.repartition_origin import Began, OriginWriter
from streams.repair.repartition_states import MovedState, Tally, read_states
from streams.repair.repartition_switch import published, successor_in, switch
from streams.repair.repartition_transactions import Transactions
from streams.settings import Settings
from streams.state.keys import PartitionKeys
from streams.state.redis_store import RedisStore, connect
from streams.topics import create_topics

#: Told the step, how much of it is done and how much there is (0: not known). Called at the beginning
#: of each step and before whatever it writes counts.
Progress = Callable[[str, int, int], None]
#: Between two looks for records to forward, seconds.
FOLLOW_SECONDS: Final = 0.5


@dataclass(slots=True)
class Repartitioned:
    """How things stand after a run."""

    successor: Successor
    #: Whether the new generation has taken the old one's place.
    switched: bool = False
    #: What this run moved, or would: states, timers and their digest; of each new partition, if moved.
    moved: Tally = field(default_factory=Tally)
    partitions: dict[int, Tally] = field(default_factory=dict)
    #: Records of customers that this run forwarded, and those that wait.
    forwarded: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """What is left of the old generation: topics that nothing of ours reads any more."""

    dropped_keys: int
    topics: list[str]


class Repartition:
    """One run of the command, from ``settings`` to ``successor``. A context manager; every call blocks.

    Calls raise RepairRefused where an operator must act first, and else what Kafka and Redis raise when
    they do not answer: the outcome is in doubt then, and the command is to be run again.
    """

    def __init__(self, settings: Settings, successor: Successor, progress: Progress) -> None:
        self._old = settings
        self._successor = successor
        self._new = settings_of(settings, successor)
        self._progress = progress
        self._topics = TopicNames.of(settings.topic_prefix)
        self._new_topics = TopicNames.of(self._new.topic_prefix)
        self._numbers = range(settings.partitions)
        self._new_numbers = range(successor.partitions)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        opened = self._resources
        self._store = opened.enter_context(closing(_store(self._old)))
        self._new_store = opened.enter_context(closing(_store(self._new)))
        self._redis = opened.enter_context(closing(connect(self._old.redis_url)))
        self._log = opened.enter_context(LogReader(self._old.kafka_bootstrap))
        self._store.check_server()
        self._store.load_scripts()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    def look(self, *, forward: bool) -> Repartitioned:
        """What ``run`` would do; raises what it would, and changes nothing."""
        found = published(self._old)
        result = Repartitioned(self._successor, self._is_switched(found))
        if result.switched:
            result.waiting = self._forwarder().waiting()
            return result
        self._refuse_unopened()
        require_no_workers(self._old)
        result.waiting = self._drained(found, forward=forward).waiting
        for state in self._states():
            result.moved.add(state)
        for days in self._days().values():
            for moved in days:
                result.moved.add_days(moved.value)
        return result

    def run(self, *, forward: bool) -> Repartitioned:
        """Take every step that is not taken yet."""
        result = Repartitioned(self._successor, switched=True)
        # First of all: an open transaction of a run that died would hold up whoever reads offsets.
        self._transactions()
        found = published(self._old)
        if not self._is_switched(found):
            self._refuse_unopened()
            require_no_workers(self._old)
            ended = self._fence(found, forward=forward)
            began = self._move(ended, result)
            self._switch(ended, began)
        unopened = [n for n in self._new_numbers if self._new_store.holder(n) == LOADING]
        if unopened and not result.partitions:
            # Switched by a run that ended then: Redis may have lost what it was given.
            self._load(self._loaded_rows(unopened))
        forwarder = self._forwarder()
        self._progress("forward", 0, 0)
        forwarder.definitions()
        if forward:
            result.forwarded = forwarder.events()
        result.waiting = forwarder.waiting()
        for done, number in enumerate(unopened):
            self._progress("open", done, len(unopened))
            self._new_store.forget_epoch(number)
        self._progress("open", len(unopened), len(unopened))
        return result

    def follow(self, stop: threading.Event) -> int:
        """Forward what still comes to the old topics until ``stop`` is set; returns the records."""
        forwarder = self._forwarder()
        records = 0
        while not stop.is_set():
            forwarder.definitions()
            sent = forwarder.events()
            records += sent
            if not sent:
                stop.wait(FOLLOW_SECONDS)
        return records

    def cancel(self) -> int:
        """Let go of the old generation, before the switch only; returns the keys that were dropped."""
        # A run that is frozen in the middle must not switch when it thaws.
        self._transactions()
        if self._is_switched(published(self._old)):
            raise RepairRefused(
                "the new generation has taken this one's place, and its workers may have run: there is "
                "no way back but another repartition"
            )
        self._refuse_unopened()
        dropped = 0
        for number in self._new_numbers:
            if self._new_store.holder(number) == LOADING:
                dropped += self._new_store.wipe(number)
        for number in self._numbers:
            if self._store.holder(number) == CLOSING:
                self._store.forget_epoch(number)
        return dropped

    def finish(self) -> Finished:
        """Drop the old generation's keys in Redis, but for the fences. Topics stay."""
        if not self._is_switched(published(self._old)):
            raise RepairRefused("nothing is finished: the new generation has not taken over yet")
        for number in self._new_numbers:
            holder, stored = self._new_store.holder(number), self._new_store.stored(number)
            if holder == LOADING or not stored.exists:
                raise RepairRefused(
                    f"partition {number} of the new generation is not open or not in Redis; run "
                    "this without --finish first"
                )
        if waiting := self._forwarder().waiting():
            raise RepairRefused(
                f"{waiting:,} records in the old topics are not forwarded; do so with --forward"
            )
        dropped = 0
        for number in self._numbers:
            self._progress("finish", number, len(self._numbers))
            dropped += self._store.wipe(number)
            # Offsets of a group without members expire, and with them the name of the successor.
            self._store.claim(number, FENCE_EPOCH, CLOSING)
        return Finished(dropped, list(kafka_names(self._old.topic_prefix)))

    # Steps ---------------------------------------------------------------------------------------

    def _is_switched(self, found: Mapping[int, Published]) -> bool:
        in_place = successor_in(found)
        if in_place not in (None, self._successor):
            raise RepairRefused(
                f"group {self._old.group} was closed in favour of {in_place}; repeat that command, "
                "or repartition from there"
            )
        return in_place is not None

    def _refuse_unopened(self) -> None:
        for number in self._numbers:
            if self._store.holder(number) == LOADING:
                raise RepairRefused(
                    f"partition {number}: this generation is itself not open yet; run the command "
                    "that began it again, under the settings of the generation before it"
                )

    def _fence(self, found: Mapping[int, Published], *, forward: bool) -> Drained:
        self._progress("fence", 0, 0)
        fresh = all(self._store.holder(number) != CLOSING for number in self._numbers)
        for number in self._numbers:
            self._store.claim(number, FENCE_EPOCH, CLOSING)
        try:
            return self._drained(found, forward=forward)
        except RepairRefused:
            if fresh:
                for number in self._numbers:
                    self._store.forget_epoch(number)
            raise

    def _drained(self, found: Mapping[int, Published], *, forward: bool) -> Drained:
        return drained(self._topics, self._store, self._log, found, forward=forward)

    def _states(self) -> Iterator[MovedState]:
        for number in self._numbers:
            yield from read_states(self._redis, self._store.keys(number))

    def _days(self) -> dict[int, Iterator[MovedDays]]:
        """New partition -> the aggregates that it begins with."""
        kept, news = self._old.aggregate_days, self._new_numbers
        from_old: dict[int, list[PartitionKeys]] = {number: [] for number in news}
        for number in self._numbers:
            from_old[number % len(news)].append(self._store.keys(number))
        return {
            number: read_moved_days(self._redis, keys, kept) for number, keys in from_old.items()
        }

    def _move(self, ended: Drained, result: Repartitioned) -> dict[int, Began]:
        self._progress("topics", 0, 0)
        creation = create_topics(self._new)
        if creation.differences:
            raise RepairRefused(
                f"{'; '.join(map(str, creation.differences))}. If these are of another attempt, "
                "take a number of its own: --generation"
            )
        transactions = self._transactions()
        writer = OriginWriter(
            self._new, self._new_topics, self._log, transactions, ended.clock,
            lambda states: self._progress("origin", states, 0),
        )  # fmt: skip
        self._progress("origin", 0, 0)
        writer.write(self._states(), self._days())
        partitions = len(self._new_numbers)
        began = writer.journal(lambda done: self._progress("journal", done, partitions))
        self._load(began)
        for number, expected in writer.expected.items():
            self._progress("check", number, partitions)
            self._compare(number, expected)
            result.moved.include(expected)
        result.partitions = writer.expected
        return began

    def _compare(self, number: int, expected: Tally) -> None:
        found = Tally()
        for state in read_states(self._redis, self._new_store.keys(number)):
            found.add(state)
        keys = [self._new_store.keys(number)]
        for moved in read_moved_days(self._redis, keys, self._new.aggregate_days):
            found.add_days(moved.value)
        if found != expected:
            raise RepairRefused(
                f"partition {number} of the new generation has {found} in Redis, not {expected}: "
                "something else writes there. Let go with --cancel, and look for it"
            )

    def _loaded_rows(self, numbers: list[int]) -> dict[int, Began]:
        """What the switch has named as the beginning of partitions that no worker has had yet."""
        with GroupOffsets(self._new.kafka_bootstrap, self._new.group) as offsets:
            found = offsets.read(self._new_topics.inputs, numbers)
        return {number: Began(held.seq, held.chain) for number, held in found.items()}

    def _load(self, began: dict[int, Began]) -> None:
        total = sum(entry.seq for entry in began.values())
        rows = 0

        def row() -> None:
            nonlocal rows
            rows += 1
            self._progress("load", rows, total)

        self._progress("load", 0, total)
        definitions = DefinitionsReader(self._new)
        definitions.start()
        try:
            loader = Loader(
                self._new, self._new_topics, self._new_store, self._log, definitions, row
            )
            for number, entry in began.items():
                loader.load(number, entry)
        finally:
            definitions.stop()

    def _switch(self, ended: Drained, began: dict[int, Began]) -> None:
        # Whoever came meanwhile was refused by the fences, but its group counts it for a moment.
        require_no_workers(self._old)
        switch(
            self._transactions(), self._log, self._old, self._successor, ended, began,
            lambda: self._progress("switch", 0, 1),
        )  # fmt: skip
        self._progress("switch", 1, 1)

    def _forwarder(self) -> Forwarder:
        return Forwarder(
            self._old, self._new, self._log, self._transactions,
            lambda records: self._progress("forward", records, 0),
        )  # fmt: skip

    def _transactions(self) -> Transactions:
        """Made when they are needed: a look at how things stand fences nobody who forwards."""
        if self._open_transactions is None:
            self._open_transactions = Transactions(
                self._old.kafka_bootstrap, f"{self._old.group}-repartition"
            )
        return self._open_transactions

    _open_transactions: Transactions | None = None


def _store(settings: Settings) -> RedisStore:
    return RedisStore(settings.redis_url, settings.redis_prefix, kept_days=settings.aggregate_days)
