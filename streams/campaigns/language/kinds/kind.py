"""What every kind of field can do."""

from typing import Any, Protocol, TypeVar

from streams.campaigns.language.problems import Reader
from streams.campaigns.language.tree import Node, Plain, Scalar, words_for

T = TypeVar("T")
Schema = dict[str, Any]


class Kind(Protocol[T]):
    """``read`` and ``write`` are each other's reverse: what is written is read as the same value."""

    @property
    def words(self) -> str:
        """What it is, for people: ``a duration``."""

    def read(self, node: Node, path: str, reader: Reader) -> T | None:
        """The value that ``node`` stands for; None: the reader has noted what is wrong. Never raises."""

    def write(self, value: T, currency: str) -> Plain:
        """``value`` as a definition has it, always in the same way."""

    def schema(self) -> Schema:
        """JSON Schema (draft 7) of what is written: it takes all that ``read`` takes."""


def scalar(node: Node, path: str, reader: Reader, words: str) -> str | None:
    """The text of a scalar that is not empty, or None and a problem; surrounding spaces do not count."""
    if isinstance(node, Scalar) and node.text.strip():
        return node.text.strip()
    reader.error(node.place, path, f"here must be {words}, not {words_for(node)}")
    return None
