"""One partition's recorded events, folded and decided again in one of two orders.

By time, topics are merged: of the next record of each topic the earliest goes first, so a record that is late
in its topic is folded late, as it was then. A topic that has ended counts as the end of time. Timers fire
before the first event that is later than they are by more than the stack's lateness.

Along the journal, records and timers come in the order in which a worker had them: by the same campaigns
what it decided is decided again, also where it was busy and its topics were skewed against each other.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from operator import itemgetter

from schemas.click import ClickEvent
from schemas.decision import Decision
from schemas.journal import Fired
from schemas.trigger import EventCause, TimerCause, Trigger
from streams.backtest.merging import merged
from streams.backtest.outcome import Outcomes
from streams.backtest.recorded import Recorded
from streams.campaigns.decide import decide, decide_timer
from streams.campaigns.listening.in_force import Judging
from streams.domain.expiry import touch
from streams.domain.facts import Forward
from streams.domain.fold import fold
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState, new_state, state_key
from streams.domain.timers import goes, next_due, take_due

#: Told each decision with its time (ms), in order.
Sink = Callable[[Trigger | Decision, int], None]


class PartitionRun:
    """The customers of one shop in one partition. ``since`` and ``until`` (ms): whose decisions count."""

    def __init__(
        self, shop: str, judging: Judging, settings: Callable[[int], ShopSettings], lateness: int,
        since: int, until: int, sink: Sink,
    ) -> None:  # fmt: skip
        """``settings`` are the shop's at a time; ``lateness`` in ms."""
        self.outcomes = Outcomes()
        self._shop = shop
        self._judging = judging
        self._settings = settings
        self._lateness = lateness
        self._since, self._until = since, until
        self._sink = sink
        self._states: dict[str, CustomerState] = {}
        #: (due, state key), with some that no longer hold: ``_due`` has those that do.
        self._timers: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}
        #: Customer -> campaigns that made them an offer.
        self._reached: dict[str, set[str]] = {}

    def run(self, topics: Iterable[Iterable[Recorded]]) -> Outcomes:
        """All of it by time, up to ``until``; topics in the order in which they go first at the same time."""
        floor = -1
        for recorded in merged(topics):
            time = recorded.time
            if time > self._until:
                # Later records of its topic may be earlier: they are late, and folded as such.
                continue
            if time > floor:
                floor = time
                limit = floor - self._lateness
                if self._timers and self._timers[0][0] < limit:
                    self._fire(limit - 1)
            self._fold(recorded)
        self._fire(self._until)
        return self._summed()

    def run_along(self, steps: Iterable[Iterable[Recorded] | Fired]) -> Outcomes:
        """All of it in the order of the journal: what a row folded, or the timers that it fired."""
        for step in steps:
            if isinstance(step, Fired):
                self._fire(step.due, step.key)
                continue
            for recorded in step:
                if recorded.time <= self._until:
                    self._fold(recorded)
        return self._summed()

    def _summed(self) -> Outcomes:
        self.outcomes.customers = len(self._reached)
        self.outcomes.reached(self._reached.values())
        return self.outcomes

    def _fold(self, recorded: Recorded) -> None:
        time, event = recorded.time, recorded.event
        key = state_key(self._shop, event.subject)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = new_state(self._shop, event.subject)
        settings = self._settings(time)
        facts = fold(state, event, time, settings)
        if facts is None:
            self.outcomes.repeated += 1
            return
        self.outcomes.events += 1
        touch(state, recorded.appended)
        for fact in facts:
            self.outcomes.untold += type(fact) is Forward
        decided = decide(state, facts, event, time, settings, self._judging)
        for one in decided:
            one.cause = EventCause(recorded.topic, recorded.partition, recorded.offset)
            self._tell(one, time, settings)
        if facts or type(event) is not ClickEvent or key not in self._due:
            # A click that brings nothing sets no timer, and most events are such clicks.
            self._wait_for(key, state)

    def _fire(self, until: int, last: str | None = None) -> None:
        """All timers due by then, as the engine does: by due time and customer, at ``until`` itself up to the
        state key ``last``.
        """
        while batch := self._take(until, last):
            found = []
            for due, key in batch:
                state = self._states[key]
                taken = take_due(state, until, self._settings(due))
                found += [(each.due, key, order, each) for order, each in enumerate(taken)]
            found.sort(key=itemgetter(0, 1, 2))
            for due, key, _, occasion in found:
                self.outcomes.timers += 1
                held = self._settings(due)
                for one in decide_timer(self._states[key], occasion, held, self._judging):
                    one.cause = TimerCause(occasion.kind, due)
                    self._tell(one, due, held)
            for _, key in batch:
                if goes(self._states[key], until):
                    del self._states[key]
                else:
                    self._wait_for(key, self._states[key])

    def _take(self, until: int, last: str | None) -> list[tuple[int, str]]:
        """The customers with a timer due by then."""
        batch = []
        while self._timers and self._timers[0][0] <= until:
            due, key = self._timers[0]
            if due == until and last is not None and key > last:
                break
            heappop(self._timers)
            if self._due.get(key) == due:
                # Once: a timer that was put off and back again stands in the heap twice.
                del self._due[key]
                batch.append((due, key))
        return batch

    def _wait_for(self, key: str, state: CustomerState) -> None:
        due = next_due(state)
        if due is None:
            self._due.pop(key, None)
        elif self._due.get(key) != due:
            self._due[key] = due
            heappush(self._timers, (due, key))

    def _tell(self, one: Trigger | Decision, time: int, settings: ShopSettings) -> None:
        if not self._since <= time <= self._until:
            return
        self.outcomes.count(one, time, settings)
        if isinstance(one, Trigger):
            self._reached.setdefault(one.customer_id, set()).add(one.campaign)
        self._sink(one, time)
