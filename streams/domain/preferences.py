"""What a customer prefers: points by name that lose half their weight every 28 days.

Points are summed by period of 28 days (UTC, counted from 1970) and only weighed when they are read,
so any order of arrival gives the same figure to the last bit. Of the customer's newest five periods

    weight = points of the newest + 1/2 of the one before + 1/4 + 1/8 + 1/16

and what is older weighs nothing. The points of a name are one integer of five places of 12 bits, the
newest period's on top: a new period shifts all of them down by one place.
"""

from typing import TypeVar

Name = TypeVar("Name", str, int)

#: Half-life of a point, and the step in which it loses its weight, ms (28 days).
PERIOD = 28 * 86_400_000
PERIODS = 5
PLACE_BITS = 12
#: Points of one name in one period; more count as so many.
MOST_POINTS = 2**PLACE_BITS - 1
_NEWEST_AT = (PERIODS - 1) * PLACE_BITS
#: Of a point of the newest period, in the weight of the oldest.
_NEWEST_WEIGHT = 16


def period_of(time: int) -> int:
    """The period of ``time`` (ms)."""
    return time // PERIOD


def add_all(kept: dict[Name, int], sums: dict[Name, int], age: int, most: int) -> None:
    """``add`` of each name's points in ``sums``, in their order."""
    at = _NEWEST_AT - age * PLACE_BITS
    for name, points in sums.items():
        known = kept.get(name)
        # As ``add`` does with a name that has room: most have.
        if known is not None and (known >> at & MOST_POINTS) + points <= MOST_POINTS:
            kept[name] = known + (points << at)
        else:
            add(kept, name, points, age, most)


def add(kept: dict[Name, int], name: Name, points: int, age: int, most: int) -> None:
    """Add ``points`` of a period that is ``age`` (below PERIODS) periods before the newest.

    At most ``most`` names are kept: one with the fewest points in the newest period (then in the one
    before it, and so on) makes room for a new one.
    """
    at = _NEWEST_AT - age * PLACE_BITS
    known = kept.get(name)
    if known is None:
        if len(kept) >= most:
            del kept[min(kept, key=kept.__getitem__)]
        kept[name] = points << at
    elif (known >> at & MOST_POINTS) + points <= MOST_POINTS:
        kept[name] = known + (points << at)
    else:
        kept[name] = known | MOST_POINTS << at


def aged(kept: dict[Name, int], periods: int) -> dict[Name, int]:
    """What is left of ``kept`` when ``periods`` new ones have begun."""
    shift = periods * PLACE_BITS
    return {name: left for name, points in kept.items() if (left := points >> shift)}


def weight(points: int, age: int = 0) -> float:
    """The weight of a name's points, ``age`` periods after the newest they count from.

    Exact: a whole number of sixteenths, halved ``age`` times.
    """
    total = 0
    for place in range(PERIODS - age):
        total += (points >> (place + age) * PLACE_BITS & MOST_POINTS) << place
    return total / _NEWEST_WEIGHT
