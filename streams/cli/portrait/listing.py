"""Lists that fit into a line: products by their names, the first few, and how many more there are."""

from collections.abc import Mapping, Sequence

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
