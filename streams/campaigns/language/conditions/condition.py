"""Conditions as they were meant: frozen trees, of which each holds, does not hold, or is not known to.

Values are in the units of their figures: whole numbers, minor units, milliseconds, texts.
"""

from collections.abc import Iterator
from typing import Final, Literal, get_args

import msgspec

Operator = Literal[">=", "<=", "==", "!=", ">", "<"]
#: The longer ones first, as they are looked for in a text.
OPERATORS: Final[tuple[Operator, ...]] = get_args(Operator)
#: Of texts, which have no order.
EQUALITY: Final[tuple[Operator, ...]] = ("==", "!=")

#: Conditions within conditions, and conditions of one definition in all.
MOST_DEPTH: Final = 6
MOST_CONDITIONS: Final = 64
#: Values of one list in a condition.
MOST_VALUES: Final = 50


class Compare(msgspec.Struct, frozen=True, tag=True):
    """A figure against one value."""

    figure: str
    operator: Operator
    value: str | int | bool


class Among(msgspec.Struct, frozen=True, tag=True):
    """A figure, or one of a set's, is ``any`` or ``none`` of ``values``, or a set has ``all`` of them."""

    figure: str
    mode: Literal["any", "none", "all"]
    values: tuple[str | int, ...]


class Between(msgspec.Struct, frozen=True, tag=True):
    """A number from ``low`` to ``high``, both counted."""

    figure: str
    low: int
    high: int


class IsKnown(msgspec.Struct, frozen=True, tag=True):
    """Whether the state tells a figure at all: the one condition on it that always is true or false."""

    figure: str
    known: bool


class ActOf(msgspec.Struct, frozen=True):
    """Something that a customer does, of a product, source or campaign where ``of`` names one."""

    act: str
    of: str | None = None


class Count(msgspec.Struct, frozen=True, tag=True):
    """How often ``act`` was done in the ``within`` ms that end at the moment."""

    act: ActOf
    within: int
    operator: Operator
    value: int


class Follows(msgspec.Struct, frozen=True, tag=True):
    """After the last ``first`` of the ``lately`` ms that end at the moment, ``then`` was done within
    ``within`` ms; not ``did``: it was not, and that time is over. ``same_product``: of any one product.
    """

    first: ActOf
    then: ActOf
    did: bool
    within: int
    lately: int
    same_product: bool = False


class AllOf(msgspec.Struct, frozen=True, tag=True):
    parts: "tuple[Condition, ...]"


class AnyOf(msgspec.Struct, frozen=True, tag=True):
    parts: "tuple[Condition, ...]"


class Not(msgspec.Struct, frozen=True, tag=True):
    part: "Condition"


Condition = Compare | Among | Between | IsKnown | Count | Follows | AllOf | AnyOf | Not


def every(condition: Condition) -> Iterator[Condition]:
    """``condition`` and all within it."""
    yield condition
    match condition:
        case AllOf() | AnyOf():
            for part in condition.parts:
                yield from every(part)
        case Not():
            yield from every(condition.part)


def figures_of(condition: Condition) -> frozenset[str]:
    """The figures that it reads: what has to change for it to change, but for acts and time."""
    return frozenset(
        each.figure
        for each in every(condition)
        if isinstance(each, Compare | Among | Between | IsKnown)
    )


def acts_of(condition: Condition) -> frozenset[str]:
    """The acts that it counts or puts in sequence."""
    found: set[str] = set()
    for each in every(condition):
        if isinstance(each, Count):
            found.add(each.act.act)
        elif isinstance(each, Follows):
            found |= {each.first.act, each.then.act}
    return frozenset(found)
