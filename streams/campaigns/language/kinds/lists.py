"""Fields that hold several values of one kind."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from streams.campaigns.language.kinds.kind import Kind, Schema
from streams.campaigns.language.problems import Reader, joined
from streams.campaigns.language.tree import Items, Node, Plain, Scalar, words_for

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class ListOf(Generic[T]):
    """1 to ``most`` values, each once; one alone may stand without the brackets.

    ``ordered``: their order says something; else they are put in order.
    """

    of: Kind[T]
    most: int = 50
    ordered: bool = False

    @property
    def words(self) -> str:
        return f"a list, each {self.of.words}"

    def read(self, node: Node, path: str, reader: Reader) -> tuple[T, ...] | None:
        match node:
            case Scalar():
                one = self.of.read(node, path, reader)
                return None if one is None else (one,)
            case Items():
                return self._values(node, path, reader)
            case _:
                reader.error(node.place, path, f"here must be {self.words}, not {words_for(node)}")
                return None

    def _values(self, node: Items, path: str, reader: Reader) -> tuple[T, ...] | None:
        if not 1 <= len(node.items) <= self.most:
            reader.error(
                node.place, path, f"a list of {len(node.items)}: it must have 1 to {self.most}"
            )
            return None
        found: dict[T, None] = {}
        is_whole = True
        for at, item in enumerate(node.items):
            value = self.of.read(item, joined(path, at), reader)
            if value is None:
                is_whole = False
            elif value in found:
                reader.error(
                    item.place, joined(path, at), f"{words_for(item)}: the same is there twice"
                )
                is_whole = False
            else:
                found[value] = None
        if not is_whole:
            return None
        return tuple(found) if self.ordered else tuple(sorted(found, key=_in_order))

    def write(self, value: tuple[T, ...], currency: str) -> Plain:
        return [self.of.write(each, currency) for each in value]

    def schema(self) -> Schema:
        of = self.of.schema()
        return {"anyOf": [of, {"type": "array", "items": of, "minItems": 1, "maxItems": self.most}]}


def _in_order(value: Any) -> Any:
    return value
