"""How many customers an audience fits, and which of its conditions keep the others out."""

from dataclasses import dataclass

from streams.campaigns.language.conditions.condition import AllOf, Condition
from streams.campaigns.language.conditions.evaluating import all_of, evaluate
from streams.campaigns.language.conditions.writing import phrase
from streams.campaigns.language.figures.scene import Scene


@dataclass(slots=True)
class Part:
    """One of the conditions that must all hold, as people read it, and of how many customers it does.

    ``alone``: of how many it is the only one that does not (or is not known to): so many more would fit
    without it.
    """

    asked: str
    holds: int = 0
    holds_not: int = 0
    unknown: int = 0
    alone: int = 0


class Estimate:
    """Counts customers one by one. ``fits_not`` are those of whom it is certain."""

    def __init__(self, audience: Condition | None, currency: str) -> None:
        """``audience`` None: everybody; its amounts are of ``currency``."""
        parts = audience.parts if isinstance(audience, AllOf) else (audience,)
        self._conditions = [part for part in parts if part is not None]
        self._currency = currency
        self.parts = [Part(phrase(each, currency)) for each in self._conditions]
        self.customers = self.fits = self.fits_not = self.unknown = 0

    def add(self, scene: Scene) -> bool | None:
        """Count the customer of ``scene``; whether the audience fits them, None: that is not known."""
        found = [evaluate(condition, scene, self._currency).holds for condition in self._conditions]
        fits = all_of(found)
        self.customers += 1
        self.fits += fits is True
        self.fits_not += fits is False
        self.unknown += fits is None
        others = sum(holds is not True for holds in found)
        for part, holds in zip(self.parts, found, strict=True):
            part.holds += holds is True
            part.holds_not += holds is False
            part.unknown += holds is None
            part.alone += others == 1 and holds is not True
        return fits
