"""A partition's aggregates compared with those of its events folded again, a few days at a moment."""

from collections.abc import Callable
from datetime import date, timedelta

from streams.domain.aggregated import Day, Members, number_of
from streams.state.days import DAYS_AT_A_TIME, Place, StoredDay
from streams.verify import explain
from streams.verify.replay import Replay
from streams.verify.report import Kind, Report
from streams.verify.stored import Snapshot, StoredPartition

_EPOCH = date(1970, 1, 1)


class AggregatesVerifier:
    """Notes each shop's day that is not as folded, with the fields and sets in which it differs."""

    def __init__(
        self,
        replay: Replay,
        stored: StoredPartition,
        advance: Callable[[Snapshot], None],
        report: Report,
    ) -> None:
        """``advance`` folds to the commit of a snapshot."""
        self._replay = replay
        self._stored = stored
        self._advance = advance
        self._report = report

    def run(self) -> None:
        """Every day that either side has and Redis keeps. Raises what ``advance`` raises."""
        done: set[Place] = set()
        stored = self._stored.places()
        # Days are added while the list is worked off.
        while batch := self._next(done, stored):
            snapshot, found = self._stored.days(batch)
            self._advance(snapshot)
            for place, day in zip(batch, found.days, strict=True):
                done.add(place)
                if place.day >= day.kept_from:
                    self._compare(place, day)

    def _next(self, done: set[Place], stored: list[Place]) -> list[Place]:
        folded = (Place(*place) for place in self._replay.aggregates.days)
        waiting = dict.fromkeys(place for place in (*folded, *stored) if place not in done)
        return list(waiting)[:DAYS_AT_A_TIME]

    def _compare(self, place: Place, found: StoredDay) -> None:
        self._report.aggregates.compared += 1
        expected = self._replay.aggregates.days.get(place)
        if expected is None:
            if found:
                self._note("extra", place, "Redis has it, and no commit has added anything to it")
            return
        if not found:
            self._note("missing", place, "Redis does not have it")
            return
        differing = explain.listed(explain.fields(_folded(expected), _stored(found)))
        if differing:
            self._note("different", place, differing)
        elif not _same_sets(expected, found):
            self._note("different", place, "a set has as many customers, and not the same ones")

    def _note(self, kind: Kind, place: Place, detail: str) -> None:
        day = _EPOCH + timedelta(days=place.day)
        name = f"{place.shop_id}/{day.isoformat()}"
        self._report.note(kind, "aggregate", self._replay.partition, name, detail)


def _folded(day: Day) -> dict[str, object]:
    sets = {name: seen.members() for name, seen in day.sets.items()}
    return _plain(day.sums, sets, day.cut)


def _stored(day: StoredDay) -> dict[str, object]:
    return _plain(day.sums, day.sets, day.cut)


def _plain(sums: dict[str, int], sets: dict[str, Members], cut: bool) -> dict[str, object]:
    """For people: sums by field, sets by how many customers they have."""
    counted = {f"set {name}": _counted(members) for name, members in sets.items()}
    return {**sums, **counted, "left out at a bound": cut}


def _counted(members: Members) -> str:
    found = number_of(members)
    return f"{'' if found.exact else 'about '}{found.number} customers"


def _same_sets(expected: Day, found: StoredDay) -> bool:
    return all(found.sets[name] == seen.members() for name, seen in expected.sets.items())
