"""Finds the campaigns that a moment concerns without looking at the others: by its kind and value.

An index is of the versions that judge at some moment, and changes with them. Candidates come in the order of
the arbiter's priority: the greater first, of equal ones by name.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streams.campaigns.applied.history import Version
from streams.campaigns.language.conditions.compiled import compiled
from streams.campaigns.language.conditions.evaluating import all_of, evaluate
from streams.campaigns.language.conditions.outcome import Outcome
from streams.campaigns.language.figures.scene import Scene
from streams.campaigns.listening.hearing import Key, asked_of, keys_of
from streams.campaigns.listening.moments import Moment
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState


class Candidate(NamedTuple):
    """A campaign that heard ``moment``, of a state as ``scene`` has it.

    ``eligible`` None: something that it asks is not known, which is no yes.
    """

    version: Version
    moment: Moment
    eligible: bool | None
    scene: Scene

    def seen(self) -> tuple[Outcome, ...]:
        """What its trigger and its audience asked, and what was seen: all of it, also behind what decided."""
        definition = self.version.definition
        asked = _asked(self.version, self.moment, self.scene)
        if definition.audience is None:
            return asked
        return (*asked, evaluate(definition.audience, self.scene, definition.currency))


class Index:
    """Of versions that each judge, at most one a campaign."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self._by_key: dict[Key, list[Version]] = {}
        by_priority = sorted(
            versions,
            key=lambda one: (-one.definition.limits.priority, one.definition.campaign),
        )
        self._audiences = {
            one.definition.campaign: compiled(one.definition.audience, one.definition.currency)
            for one in by_priority
            if one.definition.audience is not None
        }
        self._rank = {one.definition.campaign: rank for rank, one in enumerate(by_priority)}
        for version in by_priority:
            for key in keys_of(version.definition.trigger):
                self._by_key.setdefault(key, []).append(version)

    def hearing(self, moment: Moment) -> Sequence[Version]:
        """The versions whose triggers listen for such a moment, whatever else they ask of it."""
        exact = (
            self._by_key.get((moment.kind, moment.value), []) if moment.value is not None else []
        )
        any_value = self._by_key.get((moment.kind, None), [])
        if not exact or not any_value:
            return exact or any_value
        both = [*exact, *any_value]
        return sorted(both, key=lambda one: self._rank[one.definition.campaign])

    def candidates(
        self, moments: Iterable[Moment], state: CustomerState, at: int, settings: ShopSettings
    ) -> list[Candidate]:
        """Whom the moments of one event or timer, ``at`` (ms), concern: those that ask something which is not
        so are among them. ``state`` is as the moments left it, and stays so as long as they are asked.
        """
        found: list[Candidate] = []
        scene: Scene | None = None
        for moment in moments:
            for version in self.hearing(moment):
                # What is asked of a state is worked out once for all campaigns that ask it.
                scene = scene or Scene(state, at, settings)
                found.append(Candidate(version, moment, self._fits(version, moment, scene), scene))
        if len(found) > 1:
            found.sort(key=lambda one: self._rank[one.version.definition.campaign])
        return found

    def _fits(self, version: Version, moment: Moment, scene: Scene) -> bool | None:
        audience = self._audiences.get(version.definition.campaign)
        fits = True if audience is None else audience(scene)
        if fits is False:
            return False
        asked = _asked(version, moment, scene)
        return all_of([fits, *(outcome.holds for outcome in asked)]) if asked else fits


def _asked(version: Version, moment: Moment, scene: Scene) -> tuple[Outcome, ...]:
    definition, settings = version.definition, scene.settings
    return asked_of(
        definition.trigger, moment, definition.currency, settings.currency, settings.tiers
    )
