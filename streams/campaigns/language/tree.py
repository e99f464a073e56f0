"""What was written, before it means anything: texts, lists and fields, each with its place.

YAML and JSON both become this. Every scalar is a text here, so that 99.00 is never a float and `no` never a
truth value; what it stands for is for the kind of the field to say.
"""

import msgspec

Plain = str | int | bool | list["Plain"] | dict[str, "Plain"]


class Place(msgspec.Struct, frozen=True, order=True):
    """Line and column, both from 1; 0 where there is no text, as of what came as JSON."""

    line: int = 0
    column: int = 0


class Scalar(msgspec.Struct, frozen=True):
    """``text`` as written, without quotes; empty and not ``quoted``: nothing was written."""

    text: str
    place: Place = Place()
    quoted: bool = False


class Items(msgspec.Struct, frozen=True):
    items: "tuple[Node, ...]"
    place: Place = Place()


class Entry(msgspec.Struct, frozen=True):
    key: Scalar
    value: "Node"


class Fields(msgspec.Struct, frozen=True):
    """In the order in which they were written; a key may be there twice."""

    entries: tuple[Entry, ...]
    place: Place = Place()


Node = Scalar | Items | Fields


def tree_of(value: object) -> Node:
    """What a JSON value is, without places. Raises TypeError for what JSON does not have."""
    match value:
        case None:
            return Scalar("")
        case bool():
            return Scalar("true" if value else "false")
        case str():
            return Scalar(value, quoted=True)
        case int() | float():
            return Scalar(str(value))
        case list() | tuple():
            return Items(tuple(tree_of(each) for each in value))
        case dict():
            return Fields(
                tuple(Entry(Scalar(str(key)), tree_of(each)) for key, each in value.items())
            )
    raise TypeError(f"{type(value).__name__} is nothing that JSON has")


def words_for(node: Node) -> str:
    """What stands there, as a sentence names it."""
    match node:
        case Scalar(text="", quoted=False):
            return "nothing"
        case Scalar():
            return repr(node.text if len(node.text) <= _SHOWN else f"{node.text[:_SHOWN]}...")
        case Items():
            return "a list"
        case Fields():
            return "fields"


_SHOWN = 40
