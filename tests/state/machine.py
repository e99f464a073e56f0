"""A Hypothesis machine: whatever owners, zombies and faults do to a partition, Redis holds the model."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from redis.exceptions import OutOfMemoryError

from schemas.clock import WALL
from schemas.journal import ClockState
from streams.engine.commit import Commit, OutRow, Position, Stamp
from streams.engine.process import PartitionProcessor
from streams.state.codec import CODEC_VERSION
from streams.state.redis_store import Held, RedisStore, Refused
from streams.state.script import Script
from tests.state.deployment import PARTITIONS, Deployment
from tests.state.model import PartitionModel

_PROCESSOR = PartitionProcessor(
    0,
    None,
    None,
    triggers_topic="triggers",
    verdicts_topic="verdicts",
    decisions_topic="decisions",
    deadletters_topic="dead",  # type: ignore[arg-type]
    exchange_topic="exchange",
    partitions=1,
)
_RUN = itertools.count()
_STATE_KEYS = ("shop/anna", "shop/berta", "other/anna", "shop/c:{1}*")


@dataclass(frozen=True)
class Owner:
    """Who was granted a claim, and where it believes that the partition stands; most are zombies."""

    partition: int
    epoch: int
    member: str
    position: Position


@dataclass(frozen=True)
class Content:
    """What a commit brings, beside its position."""

    states: dict[str, bytes]
    timers: dict[str, int | None]
    rows: list[bytes]
    applied: int
    evicted: int
    outbox: bool


contents = st.builds(
    Content,
    states=st.dictionaries(st.sampled_from(_STATE_KEYS), st.binary(max_size=8), max_size=3),
    timers=st.dictionaries(
        st.sampled_from(_STATE_KEYS), st.none() | st.integers(0, 2**41), max_size=3
    ),
    rows=st.lists(st.binary(max_size=8), max_size=2),
    applied=st.integers(0, 3),
    evicted=st.integers(0, 1),
    outbox=st.booleans(),
)
#: How a commit's idea of the partition differs from its owner's.
MISTAKES = ("none", "seq", "chain", "epoch")
mistakes = st.sampled_from(MISTAKES)


class PartitionMachine(RuleBasedStateMachine):
    """``scripts`` stand in for packaged ones, to see that a break of theirs is found."""

    def __init__(self, deployment: Deployment, scripts: Mapping[str, Script]) -> None:
        super().__init__()
        self._deployment = deployment
        self._store = RedisStore(deployment.url, f"machine{next(_RUN)}:")
        for name, script in scripts.items():
            setattr(self._store, f"_{name}", script)
        self._models = {number: PartitionModel() for number in PARTITIONS}
        self._owners: list[Owner] = []
        self._copies: dict[int, tuple[dict[bytes, bytes], PartitionModel]] = {}
        self._last: tuple[Owner, Commit, bool] | None = None

    def teardown(self) -> None:
        for number in self._models:
            self._deployment.put_back(self._store.keys(number), {})
        self._store.close()

    # Who owns what -------------------------------------------------------------------------------

    @initialize()
    def first_owners(self) -> None:
        for number in self._models:
            self._claim(number, 5, "a")

    @rule(data=st.data(), rise=st.integers(-2, 2), member=st.sampled_from("ab"))
    def claim(self, data: st.DataObject, rise: int, member: str) -> None:
        number = data.draw(st.sampled_from(list(self._models)))
        self._claim(number, (self._models[number].epoch or 5) + rise, member)

    def _claim(self, number: int, generation: int, member: str) -> None:
        model = self._models[number]
        if not model.takes_claim(generation, member):
            with pytest.raises(Held) as refusal:
                self._store.claim(number, generation, member)
            assert refusal.value.generation == model.epoch
            return
        model.claim(generation, member)
        stored = self._store.claim(number, generation, member)
        assert stored.position == model.position
        assert stored.exists == ("seq" in model.meta)
        assert stored.trimmed == model.trimmed
        assert stored.next_due == min(model.timers.values(), default=None)
        self._owners.append(Owner(number, generation, member, model.position))

    def _draw_owner(self, data: st.DataObject) -> Owner:
        """The latest ones first: a shrunk example has no zombie that it can do without."""
        return data.draw(st.sampled_from(list(reversed(self._owners))))

    # Commits -------------------------------------------------------------------------------------

    @rule(data=st.data(), content=contents, mistake=mistakes)
    def commit(self, data: st.DataObject, content: Content, mistake: str) -> None:
        self._commit([self._draw_owner(data)], [content], [mistake])

    @rule(data=st.data(), drawn=st.lists(st.tuples(contents, mistakes), min_size=3, max_size=3))
    def commit_of_all_partitions(
        self, data: st.DataObject, drawn: list[tuple[Content, str]]
    ) -> None:
        """One call for partitions of several servers; some are refused, the others are not."""
        owners = [
            data.draw(st.sampled_from([one for one in self._owners if one.partition == number]))
            for number in self._models
        ]
        self._commit(owners, [content for content, _ in drawn], [wrong for _, wrong in drawn])

    def _commit(
        self, owners: Sequence[Owner], contents: Sequence[Content], mistakes: Sequence[str]
    ) -> None:
        outbox = contents[0].outbox
        believed = [
            _mistaken(owner, mistake) for owner, mistake in zip(owners, mistakes, strict=True)
        ]
        commits = [commit_of(one, content) for one, content in zip(believed, contents, strict=True)]
        results = self._store.commit(
            [
                (one.partition, one.epoch, one.position, commit)
                for one, commit in zip(believed, commits, strict=True)
            ],
            outbox,
        )
        for owner, one, commit, result in zip(owners, believed, commits, results, strict=True):
            self._settle(owner, one, commit, outbox, result)

    def _settle(
        self, owner: Owner, believed: Owner, commit: Commit, outbox: bool, result: Any
    ) -> None:
        model = self._models[believed.partition]
        if not model.takes_commit(believed.epoch, believed.position):
            assert isinstance(result, Refused), f"{believed} was let in at {model.position}"
            same_epoch = model.epoch == believed.epoch
            assert result.reason == ("sequence" if same_epoch else "epoch")
            return
        model.commit(commit, outbox)
        assert result == min(model.timers.values(), default=None)
        self._last = believed, commit, outbox
        if owner in self._owners:
            self._owners.remove(owner)
        self._owners.append(replace(believed, position=commit.position))

    @precondition(lambda self: self._last is not None)
    @rule()
    def commit_again(self) -> None:
        """The answer was lost and somebody repeats the call: refused, unless Redis was put back."""
        assert self._last is not None
        owner, commit, outbox = self._last
        (result,) = self._store.commit(
            [(owner.partition, owner.epoch, owner.position, commit)], outbox
        )
        self._settle(owner, owner, commit, outbox, result)

    # Publishing ----------------------------------------------------------------------------------

    @rule(data=st.data(), ahead=st.integers(-3, 1))
    def trim(self, data: st.DataObject, ahead: int) -> None:
        owner = self._draw_owner(data)
        published = max(0, owner.position.seq + ahead)
        dropped = self._store.trim(owner.partition, owner.epoch, published)
        assert dropped == self._models[owner.partition].trim(owner.epoch, published)

    @rule(data=st.data())
    def trim_many(self, data: st.DataObject) -> None:
        owners = data.draw(st.lists(st.sampled_from(self._owners), max_size=4))
        wanted = [(one.partition, one.epoch, one.position.seq) for one in owners]
        self._store.trim_many(wanted)
        for number, epoch, published in wanted:
            self._models[number].trim(epoch, published)

    # Faults --------------------------------------------------------------------------------------

    @rule(number=st.sampled_from(PARTITIONS))
    def wipe(self, number: int) -> None:
        self._store.wipe(number)
        self._models[number] = PartitionModel()

    @rule(number=st.sampled_from(PARTITIONS))
    def copy(self, number: int) -> None:
        copy = self._deployment.copy(self._store.keys(number))
        self._copies[number] = copy, _clone(self._models[number])

    @precondition(lambda self: self._copies)
    @rule(data=st.data())
    def roll_back(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self._copies)))
        copy, model = self._copies[number]
        self._deployment.put_back(self._store.keys(number), copy)
        self._models[number] = _clone(model)

    @rule()
    def forget_scripts(self) -> None:
        self._deployment.forget_scripts()

    @rule(data=st.data(), content=contents)
    def fill_up(self, data: st.DataObject, content: Content) -> None:
        """A full server takes no commit and half of none; its owner can still claim and trim."""
        owner = self._draw_owner(data)
        number, model = owner.partition, self._models[owner.partition]
        owners = [owner, *(self._latest(other) for other in self._models if other != number)]
        commits = [commit_of(one, content) for one in owners]
        self._store.load_scripts()
        server = self._deployment.server_of(number)
        with self._deployment.full(server):
            with pytest.raises(OutOfMemoryError):
                self._store.commit(
                    [
                        (one.partition, one.epoch, one.position, commit)
                        for one, commit in zip(owners, commits, strict=True)
                    ]
                )
            self._claim(number, (model.epoch or 5) + 1, "a")
            latest = self._latest(number)
            dropped = self._store.trim(number, latest.epoch, latest.position.seq)
            assert dropped == model.trim(latest.epoch, latest.position.seq)
        # Servers that had room have run theirs, though the caller was told of the failure alone.
        for one, commit in zip(owners, commits, strict=True):
            roomy = self._deployment.server_of(one.partition) is not server
            if roomy and self._models[one.partition].takes_commit(one.epoch, one.position):
                self._models[one.partition].commit(commit, outbox=True)

    def _latest(self, number: int) -> Owner:
        return [one for one in self._owners if one.partition == number][-1]

    # What must hold ------------------------------------------------------------------------------

    @invariant()
    def redis_holds_the_model(self) -> None:
        for number, model in self._models.items():
            assert self._deployment.read(self._store.keys(number)) == model


def _mistaken(owner: Owner, mistake: str) -> Owner:
    seq, chain = owner.position.seq, owner.position.chain
    if mistake == "seq":
        return replace(owner, position=Position(seq + 1, chain))
    if mistake == "chain" and seq:
        return replace(owner, position=Position(seq, chain[::-1]))
    if mistake == "epoch":
        return replace(owner, epoch=owner.epoch + 1)
    return owner


def commit_of(owner: Owner, content: Content) -> Commit:
    """As the processor makes them, but for what they hold."""
    clock = ClockState(WALL, owner.position.seq, 0, 1.0, 1)
    stamp = Stamp(owner.epoch, clock, 1, {}, owner.member, CODEC_VERSION, "config", "1")
    # Different contents make different rows, as they would through their digests.
    stamp = replace(stamp, build=repr(content))
    commit = _PROCESSOR.stand(owner.position).finish(stamp)
    commit.states.update(content.states)
    commit.timers.update(content.timers)
    commit.rows.extend(OutRow("t", owner.partition, b"k", row, 1, "") for row in content.rows)
    commit.vector["topic"] = owner.position.seq + 10
    if content.applied:
        commit.counts["topic", "applied"] = content.applied
    commit.evicted_early = content.evicted
    return commit


def _clone(model: PartitionModel) -> PartitionModel:
    return PartitionModel(dict(model.meta), dict(model.timers), dict(model.out), dict(model.states))
