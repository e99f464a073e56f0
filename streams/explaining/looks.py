"""What the campaigns made of one customer's life, moment by moment, also where they did nothing.

The records of one Kafka key are folded again in the order of the journal, each with the settings and
campaigns that its row names, as workers did (streams.engine.draft). Events and timers later than the moment
in question are left out.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from schemas.clock import RecordCause, TimerCause
from schemas.deadletter import DeadLetter
from schemas.decision import Check, Decision
from schemas.decoding import Decoder, RawRecord
from schemas.journal import JournalRow
from schemas.trigger import Trigger, Why
from streams.campaigns.decide import decide, decide_timer
from streams.campaigns.language.conditions.outcome import Outcome
from streams.campaigns.listening.in_force import Judging
from streams.campaigns.listening.moments import Moment, moment_of, moments_of
from streams.domain.exchange import fold_event, key_of, upstream_event
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state, state_key
from streams.domain.timers import next_due, take_due
from streams.engine.draft import DefinitionsLike
from streams.tracing.along import KeyRecords

#: Looks that are kept of one campaign, the newest ones.
MOST: Final = 50

Answer = Literal["issued", "held_out", "refused", "did_not_fit", "not_known_to_fit"]


@dataclass(frozen=True, slots=True)
class Look:
    """A campaign's trigger came at ``time`` (ms since 1970): what it came to.

    ``conditions``: of an answer without a trigger or a refusal, what was asked and seen; else ``why`` has
    it. ``checks``: the arbiter's steps; of what was issued the contract does not tell them.
    """

    campaign: str
    version: str
    time: int
    #: An event's source and id, or a timer's kind and due time.
    cause: str
    answer: Answer
    #: The build that processed it, where that is another one than this.
    other_build: str | None
    conditions: tuple[Outcome, ...] = ()
    why: tuple[Why, ...] = ()
    checks: tuple[Check, ...] = ()
    trigger_id: str | None = None


@dataclass(slots=True)
class Life:
    """``state`` None: nothing of the customer was processed until then."""

    state: CustomerState | None = None
    looks: dict[str, deque[Look]] = field(default_factory=dict)
    #: How often the trigger came, those whose looks were left out included.
    came: dict[str, int] = field(default_factory=dict)
    #: Why what comes after it is not known; None: all is.
    stopped: str | None = None


class Looking:
    """Follows rows in their order; ``life`` is as far as it has come."""

    def __init__(
        self, records: Iterable[RawRecord], decoder: Decoder,
        views: Callable[[Mapping[str, int]], DefinitionsLike],
        shop: str, customer: str, until: int, build: str,
    ) -> None:  # fmt: skip
        """``records``: all of the customer's Kafka key; ``views`` gives what a row's definitions were."""
        self.life = Life()
        self._decoder = decoder
        self._views = views
        self._shop, self._until, self._build = shop, until, build
        self._customer, self._key = customer, state_key(shop, customer)
        self._records = KeyRecords(records)

    def follow(self, row: JournalRow) -> None:
        """Do again what the commit of ``row`` did to the customer."""
        if self.life.stopped is not None:
            return
        view = self._views(row.definitions)
        left_out = {one.cause for one in row.skip or ()}
        for record in self._records.of(row):
            if RecordCause(record.topic, record.offset) not in left_out:
                self._fold(record, row, view)
        if row.fired is not None:
            self._fire(row, view, left_out)
        if self._key in (row.expired or ()):
            self.life.state = None

    def _fold(self, record: RawRecord, row: JournalRow, view: DefinitionsLike) -> None:
        item = self._decoder.decode(record, row.latest)
        if isinstance(item, DeadLetter) or item.time_ms > self._until:
            return
        event, time = item.event, item.time_ms
        if key_of(event) != self._key:
            return  # of another shop, or of something else under the same name
        state = self.life.state
        if state is None:
            state = self.life.state = new_state(self._shop, self._customer)
        settings = view.at(self._shop, time)
        try:
            facts = fold_event(state, event, time, settings)
        except Exception as error:  # noqa: BLE001
            # Whatever it is: a worker of this build would pause the partition there.
            place = f"{record.topic}[{record.partition}]@{record.offset}"
            self.life.stopped = f"this build cannot fold {place}: {error!r}"
            return
        told = upstream_event(event)
        if facts is None or told is None:
            return
        judging = view.judging(self._shop, time)
        cause = f"{told.source}/{told.id}"
        if judging is not None:
            moments = moments_of(facts, told, time, state)
            self._unfit(judging, moments, state, time, settings, cause, row)
        self._decided(decide(state, facts, told, time, settings, judging), time, cause, row)

    def _fire(self, row: JournalRow, view: DefinitionsLike, left_out: set[Any]) -> None:
        assert row.fired is not None
        state = self.life.state
        due = None if state is None else next_due(state)
        if state is None or due is None or (due, self._key) > (row.fired.due, row.fired.key):
            return
        for occasion in take_due(state, min(row.fired.due, self._until), view.at(self._shop, due)):
            if TimerCause(self._key, occasion.kind, occasion.due) in left_out:
                continue
            settings = view.at(self._shop, occasion.due)
            judging = view.judging(self._shop, occasion.due)
            cause = f"{occasion.kind}@{occasion.due}"
            moment = moment_of(occasion)
            if judging is not None and moment is not None:
                self._unfit(judging, [moment], state, occasion.due, settings, cause, row)
            decided = decide_timer(state, occasion, settings, judging)
            self._decided(decided, occasion.due, cause, row)

    def _unfit(
        self, judging: Judging, moments: Sequence[Moment], state: CustomerState, time: int,
        settings: ShopSettings, cause: str, row: JournalRow,
    ) -> None:  # fmt: skip
        """The campaigns whose trigger came for nothing: deciding leaves no trace of them."""
        for one in judging.campaigns.candidates(moments, state, time, settings):
            if not one.eligible:
                answer: Answer = "did_not_fit" if one.eligible is False else "not_known_to_fit"
                version = one.version
                self._keep(
                    Look(
                        version.definition.campaign, version.version, time, cause, answer,
                        self._other(row), conditions=one.seen(),
                    )
                )  # fmt: skip

    def _decided(
        self, decided: Sequence[Trigger | Decision], time: int, cause: str, row: JournalRow
    ) -> None:
        for one in decided:
            answer: Answer = "issued"
            checks: tuple[Check, ...] = ()
            if isinstance(one, Decision):
                answer = "held_out" if one.reason == "holdout" else "refused"
                checks = tuple(one.checks)
            self._keep(
                Look(
                    one.campaign, one.campaign_version, time, cause, answer, self._other(row),
                    why=tuple(one.why), checks=checks, trigger_id=one.trigger_id,
                )
            )  # fmt: skip

    def _keep(self, look: Look) -> None:
        self.life.looks.setdefault(look.campaign, deque(maxlen=MOST)).append(look)
        self.life.came[look.campaign] = self.life.came.get(look.campaign, 0) + 1

    def _other(self, row: JournalRow) -> str | None:
        return None if row.build == self._build else row.build
