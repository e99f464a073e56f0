"""What is wrong with a definition: all of it at once, each with its place."""

from difflib import get_close_matches
from typing import Literal

import msgspec

from streams.campaigns.language.quantities.currency import DEFAULT
from streams.campaigns.language.tree import Place

#: Problems told of one definition; a file that is no campaign at all would have hundreds.
MOST_PROBLEMS = 100


class Problem(msgspec.Struct, frozen=True, order=True):
    """``path`` names the field, as ``offer.coupon.percent``; an ``error`` refuses the definition."""

    place: Place
    path: str
    message: str
    severity: Literal["error", "warning"] = "error"


class Reader:
    """What is known while a definition is read: its currency, where its fields are, what is wrong."""

    def __init__(self, currency: str = DEFAULT) -> None:
        self.currency = currency
        self.problems: list[Problem] = []
        self._errors = 0
        #: Path -> where its value stands, of all that was read.
        self.places: dict[str, Place] = {}

    def error(self, place: Place, path: str, message: str) -> None:
        """Note what refuses the definition."""
        self._note(Problem(place, path, message))

    def error_at(self, path: str, message: str) -> None:
        """The same of a field that was read, or of the nearest one around it that was."""
        self._note(Problem(self._place(path), path, message))

    def warn_at(self, path: str, message: str) -> None:
        """Note what is allowed, and hardly meant."""
        self._note(Problem(self._place(path), path, message, "warning"))

    def has_errors(self) -> bool:
        """Whether anything refuses the definition, told or not."""
        return self._errors > 0

    @property
    def is_full(self) -> bool:
        """Whether what is noted from now on is not told any more, so that no words need be found for it."""
        return len(self.problems) >= MOST_PROBLEMS

    def _note(self, problem: Problem) -> None:
        self._errors += problem.severity == "error"
        if not self.is_full:
            self.problems.append(problem)

    def _place(self, path: str) -> Place:
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        return self.places.get(path, Place())


def nearest(name: str, names: list[str]) -> str:
    """``; did you mean 'x'?`` where one of ``names`` is like ``name``; else which there are, if few."""
    found = get_close_matches(name, names, n=1)
    if found:
        return f"; did you mean {found[0]!r}?"
    return f": there are {', '.join(names)}" if len(names) <= _FEW else ""


_FEW = 24


def joined(path: str, name: str | int) -> str:
    """The path of a field, or of an item of a list, within ``path``."""
    if isinstance(name, int):
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name
