"""A build whose fold raises at the events of one shop, and whose campaigns raise at the timers of another."""

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from streams.domain.shop import ShopSettings
from streams.domain.state import CustomerState
from streams.engine.commit import Position
from streams.engine.draft import DefinitionsLike, Draft
from streams.engine.process import PartitionProcessor, Work

SOUND = "s"
UNFOLDABLE = "unfoldable"
UNTIMELY = "untimely"


class _Raising:
    """The shops' settings, which the engine asks for at every event and timer; not of ``shop``."""

    def __init__(self, definitions: DefinitionsLike, shop: str) -> None:
        self._definitions = definitions
        self._shop = shop

    def at(self, shop_id: str, time: int) -> ShopSettings:
        if shop_id == self._shop:
            raise ZeroDivisionError("planted")
        return self._definitions.at(shop_id, time)


class FrailProcessor(PartitionProcessor):
    """Raises where what came before it in the same commit has changed states already."""

    def fold(
        self,
        position: Position,
        work: Work,
        states: MutableMapping[str, CustomerState],
        sizes: Mapping[str, int],
        definitions: DefinitionsLike,
        **options: Any,
    ) -> Draft:
        raising = _Raising(definitions, UNFOLDABLE)
        return super().fold(position, work, states, sizes, raising, **options)

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
        raising = _Raising(definitions, UNTIMELY)
        return super().fire(position, due, states, sizes, raising, *more, **options)
