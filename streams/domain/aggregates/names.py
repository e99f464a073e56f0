"""What sums and sets of a shop's day are called.

A figure has a plain name; a part of it has the dimension and its value behind it: ``views|source|search``.
Values come from upstream and may hold anything but NUL, which the contract refuses, so only the first two
bars divide.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

DIVIDER: Final = "|"
#: Dimensions whose values the contract, this build or the shop's own campaigns name: a day always has room
#: for their parts.
CLOSED: Final = frozenset({"hour", "source", "channel", "step", "age", "gender", "campaign"})
#: Two digits, as the parts by hour are named.
HOURS: Final = tuple(f"{hour:02}" for hour in range(24))
#: What stands for NUL, which no name may hold.
_REPLACEMENT: Final = "\ufffd"


def part(figure: str, dimension: str, value: str) -> str:
    """The name of the part of ``figure`` where ``dimension`` is ``value``.

    >>> part("views", "source", "search")
    'views|source|search'
    """
    if "\0" in value:
        value = value.replace("\0", _REPLACEMENT)
    return f"{figure}|{dimension}|{value}"


def without(events: str, dimension: str) -> str:
    """The name of the sum of those events that tell no value of ``dimension``.

    >>> without("paid", "source")
    'paid_without_source'
    """
    return f"{events}_without_{dimension}"


def is_open(name: str) -> bool:
    """Whether there may be any number of names like this one: it is of a part whose value upstream made up.

    >>> is_open("views"), is_open("views|source|live"), is_open("views|product|a|b")
    (False, False, True)
    """
    _, divider, rest = name.partition(DIVIDER)
    return bool(divider) and rest.partition(DIVIDER)[0] not in CLOSED


def values_of(names: Iterable[str], figure: str, dimension: str) -> Iterator[str]:
    """The values for which ``names`` have a part.

    >>> list(values_of(["views", "views|source|a|b", "views|hour|08"], "views", "source"))
    ['a|b']
    """
    start = f"{figure}|{dimension}|"
    for name in names:
        if name.startswith(start):
            yield name[len(start) :]


def parts_of(sums: Mapping[str, int], figure: str, dimension: str) -> dict[str, int]:
    """Value -> amount, of the parts of ``figure`` by ``dimension``."""
    start = f"{figure}|{dimension}|"
    return {name[len(start) :]: sums[name] for name in sums if name.startswith(start)}
