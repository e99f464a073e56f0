"""One seed, one schedule: which thread of which worker takes its next step, and what strikes it there.

There are no threads. What is frozen in the middle of a step stays on the stack while the others act,
and goes on when they have: that is how a zombie comes back at any place. Every step of a client is a
place to crash before or after, to freeze, to lose the request or its answer, or to die with the request
still on its way.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import redis
from confluent_kafka import KafkaException

from streams.engine.cycle import StateLost
from streams.engine.intake import GapError
from streams.engine.log_errors import LogError
from streams.engine.publisher import PublisherError
from streams.engine.refusal import RecoveryRefused
from streams.engine.ticker import TickerError
from streams.operations.metrics import Metrics
from streams.state.codec import CODEC_VERSION
from streams.state.redis_store import StoreError
from tests.simulation.checks import Wrong, check
from tests.simulation.memory_clients import installed
from tests.simulation.memory_kafka import Log, MemoryKafka
from tests.simulation.memory_redis import MemoryClient, MemoryRedis, MemoryStore, Value
from tests.simulation.refold import refold
from tests.simulation.source import START_MS, Source
from tests.simulation.variants import AS_IT_IS, Variant
from tests.simulation.worker import TOPICS, Worker

T = TypeVar("T")

#: Ends of a process that the next one makes good.
DOUBTS = (
    StoreError, redis.RedisError, KafkaException, PublisherError, TickerError, LogError, GapError,
    StateLost,
)  # fmt: skip
#: What may strike before a step's effect, and after it.
BEFORE = ("crash", "freeze", "cut", "in_flight")
AFTER = ("crash", "freeze", "lost")
#: The engine's named crash points are no requests: nothing can get lost there.
POINT = ("crash", "freeze")
#: A freeze within a freeze within a freeze.
DEPTH = 3
#: Steps of a schedule at which something strikes for sure, if they are passed.
TARGETS = 16
#: Turns of everybody until a schedule is at rest.
PATIENCE = 400
#: What a worker asks of Kafka and Redis, by what it is doing; a step more or less fails the tests.
REQUESTS = (
    "start.init",
    "recover.claim", "recover.first_due", "recover.stored", "recover.committed",
    "recover.list_offsets", "recover.read",
    "recover.outbox", "recover.load_states", "recover.due", "recover.commit", "recover.trim",
    "process.load_states", "process.due", "process.commit",
    "publish.outbox", "publish.produce", "publish.offsets", "publish.end", "publish.abort",
    "publish.trim",
    "release.outbox", "release.produce", "release.offsets", "release.end", "release.abort",
    "release.trim",
    "tick.list_offsets", "tick.produce",
)  # fmt: skip
#: Steps that only a recovery with something to do again takes.
REPLAY = {
    "recover.read", "recover.load_states", "recover.due", "recover.commit", "recover.in-replay",
}  # fmt: skip
#: The engine's named crash points, by what the worker is doing.
POINTS = (
    "recover.after-claim", "recover.in-replay",
    "process.before-commit", "process.after-commit", "process.after-timers",
    "publish.after-begin", "publish.after-produce", "publish.after-offsets",
    "publish.after-transaction", "publish.after-trim",
    "release.in-drain", "release.after-begin", "release.after-produce", "release.after-offsets",
    "release.after-transaction", "release.after-trim",
    "tick.after-tick",
)  # fmt: skip
#: (step, what strikes it): no schedule may leave one out for ever.
STRIKES = (
    *((step, f"{kind} before") for step in REQUESTS for kind in BEFORE),
    *((step, f"{kind} after") for step in REQUESTS for kind in AFTER),
    *((step, f"{kind} at") for step in POINTS for kind in POINT),
)
CASES = (
    "current", "replayed", "adopted", "forked", "missing", "reset", "outside_log", "incomplete",
    "newer",
)  # fmt: skip

#: What only an operator can bring about, and must make good.
OPERATORS = ("reset", "outside_log", "incomplete", "newer")


class Crash(BaseException):
    """The process is gone."""


class Tally:
    """What all schedules so far have hit: steps by what struck them, recoveries by case."""

    def __init__(self) -> None:
        self.steps: Counter[str] = Counter()
        self.strikes: Counter[tuple[str, str]] = Counter()
        self.cases: Counter[str] = Counter()
        self.events: Counter[str] = Counter()

    def add(self, other: "Tally") -> None:
        self.steps += other.steps
        self.strikes += other.strikes
        self.cases += other.cases
        self.events += other.events


class Schedule:
    """``run`` raises Wrong, Broken or whatever else the engine must not raise."""

    def __init__(self, seed: int, tally: Tally, variant: Variant = AS_IT_IS) -> None:
        self.rng = Random(seed)
        self.tally = tally
        self.variant = variant
        self.partitions = self.rng.choice((1, 2, 3))
        self.workers_wanted = self.rng.choice((1, 2, 2, 3))
        counts = dict.fromkeys(
            (*TOPICS.inputs, TOPICS.triggers, TOPICS.deadletters, TOPICS.journal), self.partitions
        )
        self.kafka = MemoryKafka(counts, self.partitions)
        self.kafka.now = START_MS
        self.redis = MemoryRedis(variant.checks)
        self.redis.claimed = self._claimed
        self.require_stable = variant.require_stable
        self.source = Source(self.rng, self.kafka, self.partitions)
        self.metrics = Metrics()
        self.workers: dict[str, Worker] = {}
        self._started = 0
        self._depth = 0
        self._calm = False
        self._builds = ["build-1"]
        #: How often Redis was put back.
        self._losses = 0
        #: Requests of processes that are gone: (whose, effect).
        self._in_flight: list[tuple[str, Callable[[], Any]]] = []
        self._copies: list[dict[bytes, Value]] = []
        #: Where Redis was put back to, until somebody claims there: partition -> (seq, chain).
        self._stood: dict[int, tuple[bytes, bytes]] = {}
        #: Refusals that an injected fault explains: (case, partition).
        self._excused: set[tuple[str, int]] = set()
        self._repairs: dict[tuple[str, int], Callable[[], None]] = {}
        self._refusals: list[RecoveryRefused] = []
        #: Where something strikes for sure, the first time that it is passed.
        self._targets = {self.rng.choice(STRIKES) for _ in range(TARGETS)}
        steps = {step for step, _ in self._targets}
        for step in sorted(steps):
            if step.endswith(".abort"):
                self._targets.add((step.replace("abort", "produce"), "cut before"))
        #: Whether this schedule is about what is done again.
        self._loses = not steps.isdisjoint(REPLAY) or self.rng.random() < 0.2
        if self.rng.random() < 0.2:
            self._targets.add(("process.before-commit", "freeze at"))
        self._rate = self.rng.choice((0.0, 0.001, 0.004))

    # The run --------------------------------------------------------------------------------------

    def run(self) -> None:
        with installed(self, self.variant.chain):
            for _ in range(self.rng.randint(150, 300)):
                self._act()
                if self._refusals:
                    self._operate()
            self._come_to_rest()
            check(self.kafka, self.redis, self.source, self.partitions)
        for metric in self.metrics.registry.collect():
            for sample in metric.samples:
                if sample.name == "shop_recoveries_total":
                    self.tally.cases[sample.labels["case"]] += int(sample.value)

    def _come_to_rest(self) -> None:
        self._calm = True
        self.source.end(commit=True)
        self._stop_all()
        self.kafka.now += 14_400_000
        for _ in range(PATIENCE):
            while len(self._alive()) < self.workers_wanted:
                self._start()
            for _ in range(10):
                self._act()
            if self._refusals:
                self._operate()
            self.kafka.now += 6_000
            if self._lag():
                for worker in self._alive():
                    self._run(worker, "ticker", "tick", worker.ticker.tick)
            elif not self._unrest():
                return
        raise Wrong(f"does not come to rest: {self._unrest()}")

    def _unrest(self) -> list[str]:
        """What is still to be done."""
        left = self._lag() + [f"transaction {name}" for name in self.kafka.open_transactions()]
        if self.kafka.markers or self._in_flight:
            left.append("requests on their way")
        store = MemoryStore(MemoryClient(self.redis), "sim:")
        for number in range(self.partitions):
            if store.outbox(number, 0, 1):
                left.append(f"partition {number}: commits to publish")
        return left + [f"worker {w.name}: work" for w in self._alive() if not w.level()]

    def _lag(self) -> list[str]:
        """Events not processed and timers not fired."""
        left: list[str] = []
        store = MemoryStore(MemoryClient(self.redis), "sim:")
        for number in range(self.partitions):
            stored = store.stored(number)
            if stored.next_due is not None:
                left.append(f"partition {number}: a timer due at {stored.next_due}")
            for topic in TOPICS.customer:
                at, end = stored.vector.get(topic, 0), self.kafka.logs[topic, number].end
                if at < end:
                    left.append(f"{topic}[{number}]: at {at} of {end}")
        return left

    # What can happen next -------------------------------------------------------------------------

    def _act(self) -> None:
        """One turn of somebody."""
        actions: list[tuple[float, Callable[[], None]]] = [
            *self._turns(),
            *self._of_kafka(),
        ]
        if not self._calm:
            actions += self._of_upstream() + self._of_fate()
        weights = [weight for weight, _ in actions]
        if actions:
            self.rng.choices([action for _, action in actions], weights)[0]()

    def _turns(self) -> list[tuple[float, Callable[[], None]]]:
        found: list[tuple[float, Callable[[], None]]] = []
        for worker in self._alive():
            if worker.frozen:
                continue
            if "cycle" not in worker.busy:
                if worker.must_rejoin():
                    if not worker.publishing:
                        found.append((6, self._turn(worker, "cycle", "release", worker.rejoin)))
                elif worker.is_assigned():
                    if not worker.publishing:
                        found.append(
                            (6, self._turn(worker, "cycle", "recover", self._recovery(worker)))
                        )
                elif worker.polls:
                    found.append((6, self._turn(worker, "cycle", "process", worker.process)))
            if worker.positions and len(worker.polls) < 4:
                found.append((5, lambda worker=worker: worker.fetch(self._most)))
            if "publisher" not in worker.busy and not worker.publishing:
                found.append((3, self._turn(worker, "publisher", "publish", worker.publish)))
            if "ticker" not in worker.busy and worker.cycle.partitions and not self._calm:
                found.append((2, self._turn(worker, "ticker", "tick", worker.ticker.tick)))
        return found

    def _turn(
        self, worker: Worker, thread: str, stage: str, work: Callable[[], object]
    ) -> Callable[[], None]:
        return lambda: self._run(worker, thread, stage, work)

    def _recovery(self, worker: Worker) -> Callable[[], None]:
        def recover() -> None:
            before = self._losses
            worker.recover()
            if self._losses == before:
                # Whoever committed where an older copy stood would have been found out.
                self._excused -= {("forked", number) for number in worker.cycle.partitions}

        return recover

    def _most(self) -> int:
        return self.rng.choice((0, 1, 2, 5, 50))

    def _of_kafka(self) -> list[tuple[float, Callable[[], None]]]:
        found: list[tuple[float, Callable[[], None]]] = []
        kafka, rng = self.kafka, self.rng
        if kafka.markers:
            found.append((4, lambda: kafka.deliver(rng.randrange(len(kafka.markers)))))
        if kafka.open_transactions():
            found.append((0.2, lambda: kafka.expire(rng.choice(kafka.open_transactions()))))
        gone = [
            member
            for member in kafka.group.members
            if (owner := self.workers[member.split(".")[0]]).dead or owner.frozen
        ]
        if gone:
            found.append((2, lambda: kafka.group.leave(rng.choice(gone))))
        slow = [w.member for w in self._alive() if w.must_rejoin() and "cycle" in w.busy]
        if slow:
            found.append((1, lambda: kafka.group.leave(rng.choice(slow))))
        if self._in_flight:
            found.append((1, lambda: self._arrive(rng.randrange(len(self._in_flight)))))
        if len(self._alive()) < self.workers_wanted or all(w.frozen for w in self._alive()):
            found.append((3, self._start))
        return found

    def _of_upstream(self) -> list[tuple[float, Callable[[], None]]]:
        source, rng = self.source, self.rng
        found: list[tuple[float, Callable[[], None]]] = [(8, source.send), (2, self._pass_time)]
        if source.in_transaction:
            found.append((1, lambda: source.end(commit=rng.random() < 0.5)))
        else:
            found.append((0.5, source.begin))
        return found

    def _of_fate(self) -> list[tuple[float, Callable[[], None]]]:
        found: list[tuple[float, Callable[[], None]]] = [
            (0.8, self._copy), (0.3 if self._loses else 0.1, self._put_back), (0.2, self._scale),
        ]  # fmt: skip
        rng = self.rng
        alive = self._alive()
        if alive:
            found.append((0.1, lambda: self._end(rng.choice(alive), "killed")))
            found.append((0.15, lambda: self._freeze(rng.choice(alive))))
        frozen = [worker for worker in alive if worker.frozen and not worker.busy]
        if frozen:
            found.append((1, lambda: self._thaw(rng.choice(frozen))))
        if self._depth == 0 and not self._damaged():
            found.append((0.12, self._maintain))
        return found

    # Workers --------------------------------------------------------------------------------------

    def _alive(self) -> list[Worker]:
        return [worker for worker in self.workers.values() if not worker.dead]

    def _start(self) -> None:
        running = {worker.slot for worker in self._alive() if not worker.frozen}
        slot = self.rng.choice([slot for slot in range(4) if slot not in running] or [4])
        self._started += 1
        name = f"w{self._started}"
        worker = Worker(
            name, slot, self.rng.choice(self._builds), self.kafka,
            lambda wire: MemoryClient(self.redis, wire),
            lambda step, effect, lost: self.call(name, step, effect, lost),
            lambda point: self._pass_point(name, point),
            self.metrics, self.variant, self.partitions,
        )  # fmt: skip
        self.workers[name] = worker
        self._run(worker, "cycle", "start", worker.start)

    def _run(self, worker: Worker, thread: str, stage: str, work: Callable[[], object]) -> None:
        """A turn of a thread, to its end or the process's."""
        if worker.dead:
            return
        outer = worker.stage
        worker.stage = stage
        worker.busy.add(thread)
        try:
            work()
        except Crash:
            self._end(worker, "crashed")
        except RecoveryRefused as refused:
            self._end(worker, "refused")
            if (refused.case, refused.partition) not in self._excused:
                raise Wrong(f"refused without need: {refused.case}: {refused}") from refused
            self._refusals.append(refused)
        except DOUBTS as doubt:
            self._doubt(worker, doubt)
        finally:
            worker.stage = outer
            worker.busy.discard(thread)

    def _doubt(self, worker: Worker, doubt: Exception) -> None:
        if self.variant.goes_on and not worker.dead:
            worker.engine._release = lambda: None  # type: ignore[method-assign]
            worker.polls.clear()
            self.kafka.group.leave(worker.member)
            return
        self._end(worker, type(doubt).__name__)

    def _end(self, worker: Worker, why: str) -> None:
        if not worker.dead:
            worker.dead = True
            self.tally.events[why] += 1

    def _stop_all(self) -> None:
        """Every process is gone, every request has arrived, every transaction is over."""
        for worker in self._alive():
            self._end(worker, "stopped")
        for member in list(self.kafka.group.members):
            self.kafka.group.leave(member)
        while self._in_flight:
            self._arrive(0)
        self.source.end(commit=True)
        self.kafka.settle()

    def _scale(self) -> None:
        self.workers_wanted = self.rng.choice((1, 2, 3))
        alive = [worker for worker in self._alive() if not worker.busy and not worker.frozen]
        if len(alive) > self.workers_wanted:
            worker = alive[0]
            self._run(worker, "cycle", "release", worker.release)
            self._end(worker, "scaled down")
            self.kafka.group.leave(worker.member)

    def _freeze(self, worker: Worker) -> None:
        worker.frozen = True

    def _thaw(self, worker: Worker) -> None:
        worker.frozen = False
        self.tally.events["thawed"] += 1

    # Redis ----------------------------------------------------------------------------------------

    def _copy(self) -> None:
        self._copies.append(self.redis.copy())

    def _put_back(self) -> None:
        """Redis lost a suffix, perhaps with living and frozen workers connected."""
        if not self._copies:
            return
        at = max(self.rng.randrange(len(self._copies)) for _ in range(3))
        del self._copies[at + 1 :]
        restarted = self.rng.random() < 0.7
        for worker in self._alive():
            # A failover behind a proxy breaks no connection; but whoever is recovering then would
            # compare two Redis with each other.
            worker.cut_off = restarted or worker.stage == "recover"
        self._lose_suffix(self._copies[at])

    def _lose_suffix(self, copy: dict[bytes, Value]) -> None:
        self.redis.put_back(copy)
        self._losses += 1
        self.tally.events["redis put back"] += 1
        for number in range(self.partitions):
            meta = self.redis.hash(f"sim:{{{number}}}:meta")
            if b"seq" not in meta:
                self._excuse("missing", number, lambda number=number: self._rebuild(number))
            self._stood.pop(number, None)
            if self._may_still_commit(meta.get(b"member", b"").decode()):
                if ("forked", number) not in self._excused:
                    self._stood[number] = _position(meta)
                # A worker that the copy takes for the owner goes on where the copy stands.
                self._excuse("forked", number, lambda number=number: self._rebuild(number))

    def _may_still_commit(self, member: str) -> bool:
        name = member.split(".", maxsplit=1)[0]
        worker = self.workers.get(name)
        alive = worker is not None and not worker.dead
        return alive or any(owner == name for owner, _ in self._in_flight)

    def _claimed(self, key: bytes) -> None:
        """From here on the epoch keeps out whoever could have gone on where the copy stood."""
        number = int(key.split(b"{")[1].split(b"}")[0])
        if self._stood.pop(number, None) == _position(self.redis.hash(key)):
            self._excused.discard(("forked", number))

    def _excuse(self, case: str, number: int, repair: Callable[[], None]) -> None:
        self._excused.add((case, number))
        self._repairs[case, number] = repair

    def _rebuild(self, number: int) -> None:
        refold(self.kafka, self.partitions, number).put_into(self.redis, number)
        self._copies.clear()  # some may be of a lineage that is void
        self._excused -= {(case, number) for case in ("forked", "missing")}

    # What an operator does, and makes good ---------------------------------------------------------

    def _maintain(self) -> None:
        """Everything stands still, something is damaged, and the workers start again."""
        self._stop_all()
        number = self.rng.randrange(self.partitions)
        damage = self.rng.choice(
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

    def _empty(self, number: int) -> None:
        self.redis.data.clear()
        self._copies.clear()
        for one in range(self.partitions):
            self._excuse("missing", one, lambda one=one: self._rebuild(one))

    def _reset_offsets(self, number: int) -> None:
        offsets = self.kafka.group.offsets
        held = {place: value for place, value in offsets.items() if place[1] == number}

        def undo() -> None:
            offsets.update(held)
            self._excused.discard(("reset", number))

        trimmed = int(self.redis.hash(f"sim:{{{number}}}:meta").get(b"trimmed", b"0"))
        if not held or not trimmed:
            return
        for place, (offset, _) in held.items():
            if self.rng.random() < 0.5:
                offsets[place] = (self.rng.randint(0, offset), "")
            else:
                del offsets[place]
        self._excuse("reset", number, undo)

    def _remake_topic(self, number: int) -> None:
        place = (self.rng.choice(TOPICS.customer), number)
        meta = self.redis.hash(f"sim:{{{number}}}:meta")
        if not int(meta.get(f"offset:{place[0]}".encode(), b"0")):
            return
        # A topic that has grown past where Redis stands is not told from the old one; only the
        # sums in the journal tell, so nothing is sent to it.
        self.source.closed.add(place)
        held, self.kafka.logs[place] = self.kafka.logs[place], Log()

        def undo() -> None:
            self.kafka.logs[place] = held
            self.source.closed.discard(place)
            self._excused.discard(("outside_log", number))

        self._excuse("outside_log", number, undo)

    def _cut_journal(self, number: int) -> None:
        """Redis loses a suffix of which the journal is gone."""
        self._put_back()
        log = self.kafka.logs[TOPICS.journal, number]
        held, log.start = log.start, log.end

        def undo() -> None:
            log.start = held
            self._excused.discard(("incomplete", number))

        self._excuse("incomplete", number, undo)

    def _deploy(self, number: int) -> None:
        """Another build, all at once or rolling."""
        new = f"build-{len(self._builds) + 1}"
        self._builds = [new] if self.rng.random() < 0.5 else [*self._builds, new]
        self._put_back()

    def _downgrade(self, number: int) -> None:
        """A newer build has written states, and this one is back."""
        meta = self.redis.hash(f"sim:{{{number}}}:meta")
        held = meta.get(b"codec_min")
        if held is None:
            return
        meta[b"codec_min"] = b"%d" % (CODEC_VERSION + 1)

        def undo() -> None:
            # Unless it was put back to before the newer build, or emptied.
            meta = self.redis.hash(f"sim:{{{number}}}:meta")
            if b"codec_min" in meta:
                meta[b"codec_min"] = held
            self._copies.clear()  # some may be of the newer build
            self._excused.discard(("newer", number))

        self._excuse("newer", number, undo)

    def _damaged(self) -> set[tuple[str, int]]:
        """What an operator broke from outside, and nothing has refused yet."""
        return {key for key in self._excused if key[0] in OPERATORS}

    def _operate(self) -> None:
        """Everything stands still, and whatever was refused is made good."""
        self._stop_all()
        keys = {(refused.case, refused.partition) for refused in self._refusals}
        damages = self._damaged()
        # What is rebuilt needs the topics whole.
        for key in (*sorted(damages), *sorted(keys - damages)):
            if key in self._excused:
                self._repairs[key]()
        self.tally.events["repaired"] += len(keys)
        self._refusals.clear()

    # Time -----------------------------------------------------------------------------------------

    def _pass_time(self) -> None:
        self.kafka.now += self.rng.choice((100, 1_000, 10_000, 60_000, 600_000))

    def time(self) -> float:
        return self.kafka.now / 1000

    def monotonic(self) -> float:
        return self.kafka.now / 1000

    def sleep(self, seconds: float) -> None:
        self.kafka.now += int(seconds * 1000)
        if self.kafka.markers:
            self.kafka.deliver(0)

    def flips(self) -> bool:
        return self.rng.random() < 0.5

    def wait(self, owner: str, met: Callable[[], bool]) -> bool:
        """The broker says: not yet. Others act; in the end the transaction's time-out comes."""
        for _ in range(20):
            if met():
                return True
            self._among_others(self.workers[owner], 1, whole=False)
        self.kafka.settle()
        return met()

    # Steps ----------------------------------------------------------------------------------------

    def call(
        self, owner: str, name: str, effect: Callable[[], Any], lost: Callable[[], Exception]
    ) -> Any:
        worker = self.workers[owner]
        step = f"{worker.stage}.{name}"
        self.kafka.now += 1
        strike = self._strike(step, "before", BEFORE)
        if strike == "in_flight":
            self._in_flight.append((owner, effect))
            raise Crash
        self._suffer(worker, strike)
        if strike == "cut" or worker.cut_off:
            error = lost()
            if strike == "cut" or isinstance(error, redis.ConnectionError):
                worker.cut_off = False
                raise error
        result = effect()
        strike = self._strike(step, "after", AFTER)
        self._suffer(worker, strike)
        if strike == "lost":
            raise lost()
        return result

    def _pass_point(self, owner: str, point: str) -> None:
        worker = self.workers[owner]
        self._suffer(worker, self._strike(f"{worker.stage}.{point}", "at", POINT))

    def _strike(self, step: str, phase: str, kinds: tuple[str, ...]) -> str | None:
        self.tally.steps[step] += phase != "after"
        if self._calm:
            return None
        for kind in kinds:
            target = (step, f"{kind} {phase}")
            if target in self._targets and self.rng.random() < 0.5:
                self._targets.discard(target)
                self.tally.strikes[target] += 1
                return kind
        if self.rng.random() < self._rate:
            kind = self.rng.choice(kinds)
            self.tally.strikes[step, f"{kind} {phase}"] += 1
            return kind
        return None

    def _suffer(self, worker: Worker, strike: str | None) -> None:
        if strike == "crash":
            raise Crash
        if strike == "freeze":
            self._among_others(worker, self.rng.randint(3, 40), whole=self.rng.random() < 0.6)

    def _among_others(self, worker: Worker, turns: int, *, whole: bool) -> None:
        """This thread (``whole``: process) stands still where it is while others act."""
        if self._depth >= DEPTH:
            return
        # A frozen owner that thaws into the Redis that it knew makes a lineage of its own.
        known, copies, losses = None, 0, self._losses
        if worker.stage == "process" and self.rng.random() < 0.3:
            known = self.redis.copy()
            copies = len(self._copies)
            turns = self.rng.randint(40, 120)
        self._depth += 1
        was, worker.frozen = worker.frozen, worker.frozen or whole
        try:
            for _ in range(turns):
                self._act()
            # Where Redis lost something meanwhile, what it had then may be of a lineage that is void.
            if known is not None and self._losses == losses and not worker.dead:
                for other in self._alive():
                    other.cut_off = other is not worker
                del self._copies[copies:]
                self._lose_suffix(known)
                if self.rng.random() < 0.5:
                    self._let_others_claim()
        finally:
            self._depth -= 1
            worker.frozen = was
        if worker.dead:
            raise Crash

    def _let_others_claim(self) -> None:
        """Before the frozen one thaws; whoever claims may die of it, with all that was lost undone."""
        self._targets.add(("recover.after-claim", "crash at"))
        waiting = set(self._stood)
        for _ in range(60):
            if not waiting.issubset(self._stood):
                return
            self._act()

    def _arrive(self, index: int) -> None:
        """A request of a process that is gone; nobody hears the answer."""
        _, effect = self._in_flight.pop(index)
        self.tally.events["arrived late"] += 1
        try:
            effect()
        except (redis.RedisError, KafkaException):
            self.tally.events["refused late"] += 1


def _position(meta: dict[bytes, Any]) -> tuple[bytes, bytes]:
    """Where a partition's meta stands: seq and chain."""
    return meta.get(b"seq", b"0"), meta.get(b"chain", b"")
