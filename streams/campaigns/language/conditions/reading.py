"""Conditions from what was written: fields named by figures, or all, any, not, count, sequence.

Several fields beside each other must all hold; their order says nothing, so they are put in that of their
names.
"""

from typing import Final

from streams.campaigns.language.conditions.asking import read_test
from streams.campaigns.language.conditions.condition import (
    MOST_CONDITIONS,
    MOST_DEPTH,
    AllOf,
    AnyOf,
    Condition,
    Not,
)
from streams.campaigns.language.conditions.doing import read_count, read_sequence
from streams.campaigns.language.figures.catalogue import FIGURES
from streams.campaigns.language.problems import Reader, joined, nearest
from streams.campaigns.language.tree import Entry, Fields, Items, Node, words_for

COMBINATIONS: Final = ("all", "any", "not", "count", "sequence")
_WORDS: Final = "figures with what they must be, or all, any, not, count, sequence"


def read_condition(node: Node, path: str, reader: Reader) -> Condition | None:
    """The condition that ``node`` stands for; None: the reader has noted what is wrong."""
    written = _count(node)
    if written > MOST_CONDITIONS:
        reader.error(
            node.place, path, f"{written} conditions: at most {MOST_CONDITIONS} are allowed"
        )
        return None
    return _read(node, path, reader, 1)


def _count(node: Node) -> int:
    """Conditions in ``node``, and a few that are parts of others."""
    match node:
        case Fields():
            return sum(
                1 + _count(entry.value) for entry in node.entries if entry.key.text != "none_of"
            )
        case Items():
            return sum(_count(item) for item in node.items)
        case _:
            return 0


def _read(node: Node, path: str, reader: Reader, depth: int) -> Condition | None:
    reader.places.setdefault(path, node.place)
    if not isinstance(node, Fields) or not node.entries:
        reader.error(node.place, path, f"here must be {_WORDS}, not {words_for(node)}")
        return None
    if depth > MOST_DEPTH:
        reader.error(node.place, path, f"more than {MOST_DEPTH} conditions within each other")
        return None
    parts: dict[str, Condition | None] = {}
    for entry in node.entries:
        name = entry.key.text
        if name in parts:
            reader.error(entry.key.place, joined(path, name), f"{name!r} is there twice")
            continue
        parts[name] = _read_entry(entry, path, reader, depth)
    # All are read first, so that all problems are told.
    found = [part for _, part in sorted(parts.items()) if part is not None]
    if len(found) < len(node.entries):
        return None
    return found[0] if len(found) == 1 else AllOf(tuple(found))


def _read_entry(entry: Entry, path: str, reader: Reader, depth: int) -> Condition | None:
    name, node = entry.key.text, entry.value
    path = joined(path, name)
    reader.places.setdefault(path, node.place)
    match name:
        case "all" | "any":
            return _read_parts(name, node, path, reader, depth)
        case "not":
            part = _read(node, path, reader, depth + 1)
            return None if part is None else Not(part)
        case "count":
            return read_count(node, path, reader)
        case "sequence":
            return read_sequence(node, path, reader)
    figure = FIGURES.get(name)
    if figure is None:
        guess = nearest(name, [*FIGURES, *COMBINATIONS])
        reader.error(
            entry.key.place,
            path,
            f"no figure {name!r}{guess or ': huitou campaigns figures lists all'}",
        )
        return None
    return read_test(figure, node, path, reader)


def _read_parts(name: str, node: Node, path: str, reader: Reader, depth: int) -> Condition | None:
    if not isinstance(node, Items) or not node.items:
        reader.error(node.place, path, f"here must be a list of conditions, not {words_for(node)}")
        return None
    parts = [_read(item, joined(path, at), reader, depth + 1) for at, item in enumerate(node.items)]
    found = tuple(part for part in parts if part is not None)
    if len(found) < len(parts):
        return None
    return AllOf(found) if name == "all" else AnyOf(found)
