"""One cycle: a poll's records into every owned partition, until all of it is committed in Redis.

Synchronous and in one thread. Anything that raises inside a cycle leaves half-folded states behind, so
it either drops the partition's cache and pauses it (a fold that raised) or ends the process (any doubt).
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from schemas.clock import RecordCause
from schemas.journal import Slice
from streams.engine.clock_reading import ClockReading
from streams.engine.commit import Commit, Fetched, Position, Stamp
from streams.engine.crashpoints import CrashPoints
from streams.engine.definitions import CurrentDefinitions, DefinitionsSource
from streams.engine.draft import Draft, FoldError
from streams.engine.intake import Intake
from streams.engine.outgoing import LABEL_DIVIDER
from streams.engine.partition import Partition
from streams.engine.pausing import described
from streams.engine.poison import PoisonGuard
from streams.engine.process import FIRE_CUSTOMERS, PartitionProcessor, Work
from streams.engine.publisher import Publisher
from streams.engine.topicnames import TopicNames
from streams.engine.transport import Poll
from streams.operations.metrics import Metrics
from streams.state.codec import CODEC_VERSION
from streams.state.errors import StateLost
from streams.state.redis_store import RedisStore, Refused

#: An applied tick that changes nothing else is committed at least this often, seconds.
CLOCK_COMMIT_INTERVAL = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What every journal row of this process names."""

    build: str
    config: str
    code_key: str
    #: Until shop.settings says otherwise, ms.
    lateness_ms: int


class Cycle:
    """Owns ``partitions`` between a recovery and the next release."""

    def __init__(
        self,
        topics: TopicNames,
        store: RedisStore,
        processors: Mapping[int, PartitionProcessor],
        definitions: DefinitionsSource,
        publisher: Publisher,
        guard: PoisonGuard,
        circumstances: Circumstances,
        metrics: Metrics,
        crash: CrashPoints,
        clock_reading: ClockReading,
        pause: Callable[[str, int | None, str], None],
        resume: Callable[[int, Mapping[tuple[str, int], int]], None],
        go_on: Callable[[Partition], bool],
    ) -> None:
        """``pause`` (topic or "", partition, reason) stops the fetching of what is not processed.

        ``resume`` (partition, where to read each of its topics from) goes on with a partition, ``go_on``
        with the recovery of one that was paused in it: Recovery.go_on.
        """
        self.partitions: dict[int, Partition] = {}
        self._topics = topics
        self._store = store
        self._processors = processors
        self._definitions = definitions
        self._publisher = publisher
        self._guard = guard
        self._circumstances = circumstances
        self._metrics = metrics
        self._crash = crash
        self._clock_reading = clock_reading
        self._pause = pause
        self._resume = resume
        self._go_on = go_on
        self._intake = Intake(
            topics,
            processors,
            guard,
            metrics,
            clock_reading,
            pause,
            self._unpause,
            self._fetch_again,
        )

    def process(self, poll: Poll) -> None:
        """Commit all that the poll brought and every timer that is due by it.

        Raises GapError, StateLost, Refused, redis.RedisError: after any of them the process must end.
        """
        metrics = self._metrics
        metrics.stage("fetch").observe(time.monotonic() - poll.at)
        definitions = self._definitions.current()
        began = time.monotonic()
        works = self._intake.take(poll, self.partitions)
        decoded = time.monotonic()
        metrics.stage("decode").observe(decoded - began)
        if works:
            self._load({number: list(work.keys) for number, work in works.items()})
        events = sum(len(part.records) for work in works.values() for part in work.fetched)
        if events:
            metrics.bundle_events.observe(events)
        parts = [(number, part) for number, work in works.items() for part in work.fetched]
        self._fold(works, definitions)
        self._observe_age(parts)
        self._move_clocks(definitions)
        while self._fire(definitions):
            # A tool that takes the clock over has waited for them.
            self._move_clocks(definitions)
        for partition in self.partitions.values():
            before = partition.cache.evictions
            partition.cache.evict()
            if partition.cache.evictions > before:
                metrics.cache_evictions().inc(partition.cache.evictions - before)
        if works:
            log.debug("bundle", partitions=len(works), events=events)

    def _observe_age(self, parts: list[tuple[int, Fetched]]) -> None:
        """How old records were when their states were committed: each part by its oldest one."""
        now = time.time()
        for number, part in parts:
            if part.records and not self.partitions[number].paused:
                age = now - part.records[0].timestamp / 1000
                self._metrics.event_age.observe(max(0.0, age), len(part.records))

    def _load(self, wanted: Mapping[int, list[str]]) -> None:
        """Bring the states of these keys into the caches, in one round trip."""
        missing = {
            number: keys
            for number, names in wanted.items()
            if (keys := self.partitions[number].cache.missing(names))
        }
        asked = sum(len(names) for names in wanted.values())
        absent = sum(len(keys) for keys in missing.values())
        self._metrics.cache_hits().inc(asked - absent)
        self._metrics.cache_misses().inc(absent)
        if not missing:
            return
        for number, found in self._store.load_states(missing).items():
            cache = self.partitions[number].cache
            for key, (state, size) in found.items():
                cache.states[key] = state
                cache.sizes[key] = size

    # Commits --------------------------------------------------------------------------------------

    def _fold(self, works: dict[int, Work], definitions: CurrentDefinitions) -> None:
        """Fold and commit, one commit a partition a round, all of a round in one round trip."""
        while works:
            began = time.monotonic()
            drafts: dict[int, Draft] = {}
            for number, work in list(works.items()):
                partition = self.partitions[number]
                cache = partition.cache
                try:
                    draft = self._processors[number].fold(
                        partition.position, work, cache.states, cache.sizes, definitions
                    )
                except FoldError as error:
                    self._stop_partition(partition, error)
                    del works[number]
                    continue
                drafts[number] = draft
                if work.done:
                    del works[number]
                    # With all of the poll folded, ticks may apply in the same commit.
                    moved = {part.topic: part.end for part in draft.slices}
                    self._apply_ticks(partition, {**partition.vector, **moved}, definitions)
            decided = sum(draft.decide_seconds for draft in drafts.values())
            self._metrics.stage("fold").observe(time.monotonic() - began - decided)
            self._metrics.stage("decide").observe(decided)
            self._commit(drafts, definitions)

    def _move_clocks(self, definitions: CurrentDefinitions) -> None:
        """Apply ticks of partitions that had nothing to fold; commit those that must not wait."""
        drafts: dict[int, Draft] = {}
        now = time.monotonic()
        for number, partition in self.partitions.items():
            if partition.paused:
                continue
            before = partition.clock.clock
            if len(partition.ticks):
                self._apply_ticks(partition, partition.vector, definitions)
            if partition.clock_applied == partition.vector[self._topics.clock]:
                continue
            if (
                partition.clock.clock != before
                or now - partition.committed_at >= CLOCK_COMMIT_INTERVAL
            ):
                drafts[number] = self._processors[number].stand(partition.position)
        self._commit(drafts, definitions)

    def _apply_ticks(
        self, partition: Partition, vector: Mapping[str, int], definitions: CurrentDefinitions
    ) -> None:
        lateness = definitions.lateness_ms
        applied = partition.apply_ticks(
            vector,
            definitions.offsets,
            self._circumstances.lateness_ms if lateness is None else lateness,
        )
        if applied is not None and applied.tick is not None:
            self._metrics.heartbeat.observe(max(0.0, time.time() - applied.tick.appended / 1000))

    def _fire(self, definitions: CurrentDefinitions) -> bool:
        """Fire due timers in commits of their own, until none may fire, before any later event.

        Returns whether any did.
        """
        fired = False
        while True:
            self._settle()
            due = {
                number: self._store.due(number, partition.fires_until, FIRE_CUSTOMERS)
                for number, partition in self.partitions.items()
                if not partition.paused and partition.fires
            }
            if not due:
                return fired
            fired = True
            self._load({number: [key for key, _ in entries] for number, entries in due.items()})
            drafts: dict[int, Draft] = {}
            for number, entries in due.items():
                partition = self.partitions[number]
                cache = partition.cache
                if not entries or cache.missing(key for key, _ in entries):
                    raise StateLost(
                        f"partition {number}: a timer was due at {partition.next_due}, and Redis "
                        "lacks it or its state: it lost what it had confirmed"
                    )
                try:
                    drafts[number] = self._processors[number].fire(
                        partition.position, entries, cache.states, cache.sizes, definitions,
                        partition.became_due, skips=list(partition.ticks.skips.values()),
                    )  # fmt: skip
                except FoldError as error:
                    self._stop_partition(partition, error)
            decided = sum(draft.decide_seconds for draft in drafts.values())
            self._metrics.stage("decide").observe(decided)
            self._commit(drafts, definitions)
            self._crash.reach("after-timers")

    def _settle(self) -> None:
        """Let timers fire that no other clock can rule."""
        waiting = [p for p in self.partitions.values() if p.overdue and not (p.fires or p.paused)]
        if waiting:
            self._clock_reading.settle(waiting)

    def _commit(self, drafts: dict[int, Draft], definitions: CurrentDefinitions) -> None:
        if not drafts:
            return
        batch: list[tuple[int, int, Position, Commit]] = []
        began = time.monotonic()
        for number, draft in drafts.items():
            partition = self.partitions[number]
            commit = draft.finish(
                self._stamp(partition, definitions), self._clock_slices(partition)
            )
            batch.append((number, partition.epoch, partition.position, commit))
        self._crash.reach("before-commit")
        results = self._store.commit(batch)
        self._crash.reach("after-commit")
        now = time.monotonic()
        self._metrics.stage("commit").observe(now - began)
        urgent: set[int] = set()
        for (number, _, _, commit), result in zip(batch, results, strict=True):
            if isinstance(result, Refused):
                self._metrics.commit_refused(result.reason).inc()
                raise result
            partition = self.partitions[number]
            partition.advance(commit, result)
            partition.committed_at = now
            self._publisher.committed(number, commit.position.seq)
            if self._count(commit):
                urgent.add(number)
        if urgent:
            self._publisher.wake(urgent)

    def _stamp(self, partition: Partition, definitions: CurrentDefinitions) -> Stamp:
        fixed = self._circumstances
        return Stamp(
            epoch=partition.epoch,
            clock=partition.clock,
            latest=partition.ticks.latest,
            definitions=definitions.offsets,
            build=fixed.build,
            codec=CODEC_VERSION,
            config=fixed.config,
            code_key=fixed.code_key,
        )

    def _clock_slices(self, partition: Partition) -> list[Slice]:
        """The clock records applied since the last commit; they are kept a day only, so not summed."""
        topic = self._topics.clock
        start, end = partition.vector[topic], partition.clock_applied
        return [Slice(topic, start, end, 0, 0)] if end > start else []

    def _count(self, commit: Commit) -> bool:
        """Metrics of a commit; True when it has rows that somebody waits for."""
        metrics = self._metrics
        for (topic, outcome), count in commit.counts.items():
            metrics.events(topic, outcome).inc(count)
        if commit.evicted_early:
            metrics.dedupe_evicted_early().inc(commit.evicted_early)
        for skipped in commit.journal.skip or ():
            kind = "record" if isinstance(skipped.cause, RecordCause) else "timer"
            metrics.skips(kind).inc()
            log.warning("skipped", what=described(skipped.cause), reason=skipped.reason)
        if commit.expired:
            metrics.states_expired().inc(len(commit.expired))
        if commit.states:
            size = sum(map(len, commit.states.values()))
            metrics.state_size.observe(size / len(commit.states), len(commit.states))
        waited = False
        for row in commit.rows:
            if row.topic == self._topics.triggers:
                metrics.triggers(row.label, "committed").inc()
                waited = True
            elif row.topic == self._topics.decisions:
                campaign, _, reason = row.label.partition(LABEL_DIVIDER)
                metrics.refusals(campaign, reason).inc()
            elif row.topic == self._topics.exchange:
                # What waits for it is another partition's state, and whatever that decides.
                waited = True
        return waited

    def _stop_partition(self, partition: Partition, error: FoldError) -> None:
        partition.stop(error)
        self._say_paused(partition)

    def _say_paused(self, partition: Partition) -> None:
        if partition.paused is not None:
            self._pause("", partition.number, partition.paused.reason)

    def _unpause(self, partition: Partition) -> None:
        """Fold again from the last commit on: what was fetched since then was dropped."""
        topics = self._topics.folded
        if partition.lost is None:
            partition.paused = None
        else:
            # Paused in its recovery, which moves the clock too.
            topics = self._topics.inputs if self._go_on(partition) else (self._topics.clock,)
        if not partition.paused:
            log.info("partition goes on", partition=partition.number)
        self._reread(partition, topics)
        self._say_paused(partition)

    def _fetch_again(self, partition: Partition) -> None:
        self._reread(partition, self._topics.folded)

    def _reread(self, partition: Partition, topics: Sequence[str]) -> None:
        again = {
            (topic, partition.number): partition.vector[topic]
            for topic in topics
            if topic not in self._guard.paused
        }
        partition.rereading.update(topic for topic, _ in again)
        self._resume(partition.number, again)
