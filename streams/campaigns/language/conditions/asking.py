"""What a figure must be, from what was written: a value, a comparison, a list, or between, none_of, all_of,
known."""

import math
from typing import Any, Final

from streams.campaigns.language.conditions.condition import (
    EQUALITY,
    MOST_VALUES,
    OPERATORS,
    Among,
    Between,
    Compare,
    Condition,
    IsKnown,
    Operator,
)
from streams.campaigns.language.conditions.values import NUMBERS, compares, kind_of, said
from streams.campaigns.language.figures.figure import Figure
from streams.campaigns.language.kinds.lists import ListOf
from streams.campaigns.language.kinds.scalars import Flag
from streams.campaigns.language.problems import Reader, joined, nearest
from streams.campaigns.language.tree import Fields, Items, Node, Scalar, words_for

#: What may stand instead of a value, and what it is for.
TESTS: Final = {
    "between": "a number from the first to the second, both counted",
    "none_of": "none of these",
    "all_of": "all of these (of sets)",
    "known": "whether the state tells it at all",
}


def read_test(figure: Figure, node: Node, path: str, reader: Reader) -> Condition | None:
    """What ``figure`` is asked; None: the reader has noted what is wrong."""
    match node:
        case Scalar():
            test = _read_scalar(figure, node, path, reader)
        case Items():
            test = _read_values(figure, "any", node, path, reader)
        case Fields():
            test = _read_fields(figure, node, path, reader)
    if test is not None and figure.missing:
        reader.warn_at(path, f"{figure.missing}, so this is unknown for everybody")
    return test


def split_operator(text: str) -> tuple[Operator | None, str]:
    """The operator with which ``text`` begins, if any, and the rest."""
    for operator in OPERATORS:
        if text.startswith(operator):
            return operator, text.removeprefix(operator).strip()
    return None, text


def _read_scalar(figure: Figure, node: Scalar, path: str, reader: Reader) -> Condition | None:
    operator, rest = split_operator(node.text.strip())
    if operator is not None and figure.type not in NUMBERS and operator not in EQUALITY:
        reader.error(
            node.place, path, f"{figure.name} has no order: only == and != compare it, or a list"
        )
        return None
    value = kind_of(figure).read(Scalar(rest, node.place, node.quoted), path, reader)
    if value is None:
        return None
    if figure.type == "set":
        return Among(figure.name, "none" if operator == "!=" else "any", (value,))
    if figure.type == "flag":
        return Compare(figure.name, "==", value if operator != "!=" else not value)
    found = Compare(figure.name, operator or "==", value)
    return found if _can_differ(figure, found, path, reader) else None


def _can_differ(figure: Figure, test: Compare, path: str, reader: Reader) -> bool:
    """Whether a comparison can hold; one that always does is warned of."""
    if figure.type not in NUMBERS or isinstance(test.value, str):
        return True
    low, high = figure.bounds or (0, math.inf)
    holds = compares(test.operator, low, high, test.value)
    if holds is None:
        return True
    span = f"from {low}" + (f" to {high}" if high < math.inf else " on")
    if holds:
        reader.warn_at(path, f"{figure.name} is {span}, so this always holds where it is known")
        return True
    reader.error_at(path, f"{figure.name} is {span}, so this never holds")
    return False


def _read_values(
    figure: Figure, mode: Any, node: Node, path: str, reader: Reader
) -> Condition | None:
    if figure.type == "flag":
        reader.error(node.place, path, f"{figure.name} is true or false: a list says nothing of it")
        return None
    values = ListOf(kind_of(figure), MOST_VALUES).read(node, path, reader)
    return None if values is None else Among(figure.name, mode, values)


def _read_fields(figure: Figure, node: Fields, path: str, reader: Reader) -> Condition | None:
    if len(node.entries) != 1:
        reader.error(
            node.place,
            path,
            f"one of {', '.join(TESTS)} is needed here, not {len(node.entries)} fields",
        )
        return None
    (entry,) = node.entries
    name, value = entry.key.text, entry.value
    path = joined(path, name)
    reader.places.setdefault(path, value.place)
    if name == "known":
        known = Flag().read(value, path, reader)
        return None if known is None else IsKnown(figure.name, known)
    if name == "between":
        return _read_between(figure, value, path, reader)
    if name == "all_of" and figure.type != "set":
        reader.error(
            entry.key.place, path, f"{figure.name} is one value: it has not all of several"
        )
        return None
    if name in ("none_of", "all_of"):
        return _read_values(figure, name.removesuffix("_of"), value, path, reader)
    reader.error(entry.key.place, path, f"{name!r} is no test{nearest(name, list(TESTS))}")
    return None


def _read_between(figure: Figure, node: Node, path: str, reader: Reader) -> Condition | None:
    if figure.type not in NUMBERS:
        reader.error(
            node.place, path, f"{figure.name} has no order: write a list of what it may be"
        )
        return None
    if not isinstance(node, Items) or len(node.items) != 2:
        reader.error(
            node.place, path, f"here must be two values, [from, to], not {words_for(node)}"
        )
        return None
    kind = kind_of(figure)
    low, high = (kind.read(item, joined(path, at), reader) for at, item in enumerate(node.items))
    if low is None or high is None:
        return None
    if low > high:
        # Words of the figure's own unit are enough: which currency stands above.
        shown = (
            f"{said(figure, low, reader.currency)} is above {said(figure, high, reader.currency)}"
        )
        reader.error(node.place, path, f"{shown}: nothing is between them")
        return None
    return Between(figure.name, low, high)
