"""Whether a condition holds of a state at a moment: true, false, or unknown, with all that was seen.

Logic of three values (Kleene's): all is false where a part is, else unknown where one is; any is true where a
part is, else unknown where one is; not of unknown is unknown. Every part is looked at, so that an explanation
is whole and the same in every run. Nothing here raises, whatever a state has.
"""

import math
from collections.abc import Iterable

from streams.campaigns.language.conditions.acts import ACTS, EVER, Moments
from streams.campaigns.language.conditions.condition import (
    ActOf,
    AllOf,
    Among,
    AnyOf,
    Between,
    Compare,
    Condition,
    Count,
    Follows,
    IsKnown,
    Not,
)
from streams.campaigns.language.conditions.outcome import Outcome, SeenValue
from streams.campaigns.language.conditions.values import NUMBERS, compares, kind_of
from streams.campaigns.language.conditions.writing import act_phrase, phrase
from streams.campaigns.language.figures.catalogue import FIGURES, read_figure
from streams.campaigns.language.figures.figure import Figure, Seen, Unknown
from streams.campaigns.language.figures.scene import Scene
from streams.domain.moments import moment


def evaluate(condition: Condition, scene: Scene, currency: str) -> Outcome:
    """What ``condition``, whose amounts are of ``currency``, comes to of the scene's state and moment."""
    match condition:
        case AllOf(parts) | AnyOf(parts):
            found = tuple(evaluate(part, scene, currency) for part in parts)
            both = all_of if isinstance(condition, AllOf) else any_of
            return Outcome(
                phrase(condition, currency), both(each.holds for each in found), parts=found
            )
        case Not(part):
            inner = evaluate(part, scene, currency)
            holds = None if inner.holds is None else not inner.holds
            return Outcome(phrase(condition, currency), holds, parts=(inner,))
        case Count():
            return _count(condition, scene, currency)
        case Follows():
            return _follows(condition, scene, currency)
        case _:
            return _figure(condition, scene, currency)


def all_of(holds: Iterable[bool | None]) -> bool | None:
    """False where one is false, else unknown where one is, else true."""
    known = set(holds)
    return False if False in known else None if None in known else True


def any_of(holds: Iterable[bool | None]) -> bool | None:
    """True where one is true, else unknown where one is, else false."""
    known = set(holds)
    return True if True in known else None if None in known else False


def _figure(condition: Compare | Among | Between | IsKnown, scene: Scene, currency: str) -> Outcome:
    figure = FIGURES[condition.figure]
    reading = read_figure(figure, scene, currency)
    asked = phrase(condition, currency)
    if isinstance(condition, IsKnown):
        is_known = isinstance(reading, Seen)
        holds = is_known == condition.known
    elif isinstance(reading, Unknown):
        return Outcome(asked, None, why=reading.why)
    else:
        found = tested(condition, figure, reading)
        why = "it may be more than the state still knows" if found is None else ""
        return Outcome(asked, found, _written(figure, reading, currency), reading.at_least, why)
    if isinstance(reading, Unknown):
        return Outcome(asked, holds, why=reading.why)
    return Outcome(asked, holds, _written(figure, reading, currency), reading.at_least)


def _written(figure: Figure, reading: Seen, currency: str) -> SeenValue:
    value = reading.value
    if isinstance(value, frozenset):
        return sorted(value)
    if figure.type in ("money", "duration"):
        return str(kind_of(figure).write(value, currency))
    return value


def tested(condition: Compare | Among | Between, figure: Figure, reading: Seen) -> bool | None:
    """Whether ``reading`` of ``figure`` is what ``condition`` asks."""
    value = reading.value
    match condition:
        case Compare(_, operator, wanted) if figure.type in NUMBERS:
            assert isinstance(value, int)
            assert isinstance(wanted, int)
            return compares(operator, value, math.inf if reading.at_least else value, wanted)
        case Compare(_, operator, wanted):
            same = value == _known_as(figure, wanted)
            return same if operator == "==" else not same
        case Between(_, low, high):
            assert isinstance(value, int)
            most = math.inf if reading.at_least else value
            return all_of([compares(">=", value, most, low), compares("<=", value, most, high)])
        case Among(_, mode, values):
            wanted_values = {_known_as(figure, each) for each in values}
            return _among(mode, wanted_values, reading)


def _among(mode: str, wanted: set[object], reading: Seen) -> bool | None:
    value = reading.value
    if not isinstance(value, frozenset):
        if isinstance(value, int) and reading.at_least:
            found = any_of(
                compares("==", value, math.inf, each) for each in wanted if isinstance(each, int)
            )
        else:
            found = value in wanted
        return found if mode == "any" or found is None else not found
    if mode == "all":
        return True if wanted <= value else None if reading.at_least else False
    has_any = True if wanted & value else None if reading.at_least else False
    return has_any if mode == "any" or has_any is None else not has_any


def _known_as(figure: Figure, value: object) -> object:
    """What the state has for ``value``: it keeps no long names whole."""
    return figure.known_as(value) if isinstance(value, str) else value


def _count(condition: Count, scene: Scene, currency: str) -> Outcome:
    moments = ACTS[condition.act.act].read(scene, condition.act.of)
    start = scene.at - condition.within
    times = sum(start < time <= scene.at for time in moments.times)
    is_all = moments.complete_since <= start + 1
    holds = compares(condition.operator, times, times if is_all else math.inf, condition.value)
    why = "" if holds is not None else _not_kept(condition.act, moments)
    return Outcome(phrase(condition, currency), holds, times, not is_all, why)


def _not_kept(act: ActOf, moments: Moments) -> str:
    if moments.complete_since > EVER and moments.complete_since < -EVER:
        return f"the state does not keep every {act_phrase(act)} before {moment(moments.complete_since)}"
    return f"the state does not keep every {act_phrase(act)}"


def _follows(condition: Follows, scene: Scene, currency: str) -> Outcome:
    asked = phrase(condition, currency)
    if not condition.same_product:
        holds, why = _followed(condition, condition.first, condition.then, scene)
        return Outcome(asked, holds, why=why)
    read = ACTS[condition.first.act].products
    products, complete_since = read(scene) if read is not None else (frozenset[str](), EVER)
    parts = []
    for sku in sorted(products):
        first, then = ActOf(condition.first.act, sku), ActOf(condition.then.act, sku)
        holds, why = _followed(condition, first, then, scene)
        parts.append(Outcome(sku, holds, why=why))
    holds = any_of(part.holds for part in parts)
    if holds is False and complete_since > scene.at - condition.lately + 1:
        # A product that left the state may be one.
        return Outcome(asked, None, why="the state keeps not every product", parts=tuple(parts))
    why = "" if parts else f"no {condition.first.act}"
    return Outcome(asked, holds, why=why, parts=tuple(parts))


def _followed(
    condition: Follows, first: ActOf, then: ActOf, scene: Scene
) -> tuple[bool | None, str]:
    """Whether ``then`` did (or did not) follow the last ``first``, and what was seen."""
    begins = ACTS[first.act].read(scene, first.of)
    earliest = scene.at - condition.lately
    times = [time for time in begins.times if earliest < time <= scene.at]
    if not times:
        if begins.complete_since > earliest + 1:
            return None, _not_kept(first, begins)
        return False, f"no {act_phrase(first)} in that time"
    last = times[-1]
    until = last + condition.within
    follows = ACTS[then.act].read(scene, then.of)
    after = [time for time in follows.times if last < time <= min(until, scene.at)]
    seen = f"{act_phrase(first)} at {moment(last)}"
    if after:
        return condition.did, f"{seen}, {act_phrase(then)} at {moment(after[0])}"
    if follows.complete_since > last + 1:
        return None, f"{seen}; {_not_kept(then, follows)}"
    if scene.at < until:
        return False, f"{seen}, no {act_phrase(then)} yet, until {moment(until)}"
    return not condition.did, f"{seen}, no {act_phrase(then)} until {moment(until)}"
