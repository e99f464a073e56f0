"""What a figure is: a name, a type, a meaning, and how it is read from a state at a moment."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from streams.campaigns.language.figures.scene import Scene

#: ``text`` is any text, ``choice`` one of ``choices``, ``set`` several texts, ``count`` a whole number,
#: ``money`` minor units of the shop's currency, ``duration`` milliseconds, ``flag`` yes or no.
FigureType = Literal["text", "choice", "set", "count", "money", "duration", "flag"]
Value = str | int | bool | frozenset[str]


class Seen(NamedTuple):
    """What a state says. ``at_least``: of a number that it may be more, of a set that it may have others."""

    value: Value
    at_least: bool = False


class Unknown(NamedTuple):
    """A state does not say, and why."""

    why: str


Reading = Seen | Unknown


class Figure(NamedTuple):
    """``unit`` in words for people; ``example`` a test of it as a definition has it.

    ``missing``: why no state tells it yet; a condition on such a figure is unknown for everybody.
    ``known_as``: what the state has for a name that a condition has; it keeps no long ones whole.
    """

    name: str
    type: FigureType
    meaning: str
    example: str
    read: Callable[[Scene], Reading]
    unit: str = ""
    choices: tuple[str, ...] = ()
    #: The least and the greatest that a number can be; None: 0 and no bound.
    bounds: tuple[int, int] | None = None
    missing: str = ""
    known_as: Callable[[str], str] = str


def known(value: Value | None, why: str) -> Reading:
    """``value``, or for None that it is not known and why."""
    return Unknown(why) if value is None else Seen(value)


def text(value: str, why: str) -> Reading:
    """``value``, of which the empty text means that nothing was said."""
    return Seen(value) if value else Unknown(why)
