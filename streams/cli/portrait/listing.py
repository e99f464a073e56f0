"""Lists that fit into a line: products by their names, the first few, and how many more there are."""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.cli.portrait.words import Words


class Listing:
    """Lists of at most ``most`` entries; ``names`` are products' by sku."""

    def __init__(self, words: Words, names: Mapping[str, str], most: int) -> None:
        self._words = words
        self._names = names
        self._most = most

    def name(self, sku: str) -> str:
        """A product's name with its code, or the code."""
        name = self._names.get(sku)
        return sku if name is None else f"{name} ({sku})"

    def texts(self, texts: Sequence[str]) -> str:
        """The first of ``texts`` in a line."""
        shown = self._words.comma.join(texts[: self._most])
        left = len(texts) - self._most
        return f"{shown} {self._words('more', count=left)}" if left > 0 else shown

    def of(self, values: Sequence[str]) -> str:
        """The first of ``values``, by the words there are for them."""
        return self.texts([self._words.name(value) for value in values])


def ranked(value: Any, listing: Listing) -> str:
    """A part of a description as one line, whatever its shape: numbers, texts, rows of named fields.

    Parts grow, and the page shows what it gets: of a row its texts, then its numbers; times are left out.
    """
    if isinstance(value, Mapping):
        return listing.texts([f"{name} {_leaf(each, listing)}" for name, each in value.items()])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return listing.texts([_leaf(each, listing) for each in value])
    return _leaf(value, listing)


def _leaf(value: Any, listing: Listing) -> str:
    if isinstance(value, Mapping):
        told = [
            listing.name(each) if name == "sku" and isinstance(each, str) else _leaf(each, listing)
            for name, each in value.items()
            if each is not None and not name.endswith("_at") and name not in ("since", "at")
        ]
        return " ".join(told)
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "/".join(_leaf(each, listing) for each in value)
    return str(value)
