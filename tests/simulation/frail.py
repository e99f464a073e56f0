"""Builds whose fold raises at events of some shops, and whose campaigns raise at timers of another one."""

from collections.abc import Container, Mapping, MutableMapping, Sequence
from typing import Any
from unittest.mock import patch

from schemas.decision import Decision
from schemas.trigger import Trigger
from streams.campaigns.decide import decide_timer
from streams.campaigns.listening.in_force import Judging
from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.domain.timers import Occasion
from streams.engine import draft
from streams.engine.commit import Position
from streams.engine.draft import DefinitionsLike, Draft
from streams.engine.process import PartitionProcessor, Work

SOUND = "s"
#: Of visitors and who they turn out to be: it judges orders.
JUDGING = "judging"
UNFOLDABLE = "unfoldable"
UNTIMELY = "untimely"
#: Every second build cannot fold what the others can.
OUTGROWN = "outgrown"


def can_fold_all(build: str) -> bool:
    """Whether the build named so, as "build-3", folds whatever any of them can."""
    return int(build.rpartition("-")[2]) % 2 == 1


class _Raising:
    """The shops' settings, which the engine asks for at every event; not of ``shops``."""

    def __init__(self, definitions: DefinitionsLike, shops: Container[str]) -> None:
        self._definitions = definitions
        self._shops = shops

    def at(self, shop_id: str, time: int) -> ShopSettings:
        if shop_id in self._shops:
            raise ZeroDivisionError("planted")
        return self._definitions.at(shop_id, time)

    def judging(self, shop_id: str, time: int) -> Judging | None:
        return self._definitions.judging(shop_id, time)


class FrailProcessor(PartitionProcessor):
    """Raises where what came before it in the same commit has changed states already."""

    def __init__(self, build: str, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._used: Any = None
        self._unfoldable = {UNFOLDABLE} if can_fold_all(build) else {UNFOLDABLE, OUTGROWN}

    def fold(
        self,
        position: Position,
        work: Work,
        states: MutableMapping[str, CustomerState],
        sizes: Mapping[str, int],
        definitions: DefinitionsLike,
        **options: Any,
    ) -> Draft:
        raising = _Raising(definitions, self._unfoldable)
        made = super().fold(position, work, states, sizes, raising, **options)
        self._used = definitions
        return made

    def take_used(self) -> Any:
        """The definitions that it folded or fired by since it was asked last, None where it did not."""
        used, self._used = self._used, None
        return used

    def fire(
        self,
        position: Position,
        due: Sequence[tuple[str, int]],
        states: MutableMapping[str, CustomerState],
        sizes: Mapping[str, int],
        definitions: DefinitionsLike,
        *more: Any,
        **options: Any,
    ) -> Draft:
        with patch.object(draft, "decide_timer", _untimely):
            made = super().fire(position, due, states, sizes, definitions, *more, **options)
        self._used = definitions
        return made


def _untimely(
    state: CustomerState, occasion: Occasion, settings: ShopSettings, judging: Judging | None
) -> list[Trigger | Decision]:
    if state.shop_id == UNTIMELY:
        raise ZeroDivisionError("planted")
    return decide_timer(state, occasion, settings, judging)
