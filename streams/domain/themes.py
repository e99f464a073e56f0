"""What a review is about: the themes of a shop's list whose words are in its text.

A word is found whatever the case of its letters and their width (NFKC, then case folding). In scripts that
are written with spaces it must stand alone: "size" is in "Wrong size!" and not in "resized". Chinese,
Japanese, Korean, Thai, Lao, Khmer and Burmese are searched as they stand: "尺码" is in "尺码不对". Words may
have spaces in them. No patterns: a list's words are text, so that no list can make a review take for ever;
a text of n characters and a word take time in n.
"""

from collections.abc import Sequence
from typing import Final
from unicodedata import normalize

from schemas.settings import ReviewTheme

#: Of a shop that says nothing else.
DEFAULT_THEMES: Final = (
    ReviewTheme(
        name="quality",
        words=(
            "质量", "品质", "做工", "材质", "坏了", "破了", "掉色", "褪色", "起球",
            "瑕疵", "假货", "正品", "耐用",
            "quality", "broken", "broke", "defective", "defect", "faulty", "fake", "genuine", "durable",
            "sturdy", "well made", "poorly made", "fell apart",
        ),
    ),
    ReviewTheme(
        name="fit",
        words=(
            "尺码", "尺寸", "合身", "合适", "偏大", "偏小", "太大", "太小", "大小", "版型",
            "size", "sizes", "sizing", "fit", "fits", "too big", "too large", "too small", "too tight",
            "too loose",
        ),
    ),
    ReviewTheme(
        name="logistics",
        words=(
            "物流", "快递", "发货", "送货", "配送", "到货", "收货", "太慢", "很慢",
            "delivery", "delivered", "shipping", "shipped", "shipment", "courier", "arrived", "late",
        ),
    ),
    ReviewTheme(
        name="packaging",
        words=(
            "包装", "破损", "盒子", "漏液",
            "packaging", "packaged", "packing", "package", "box", "wrapped", "leaked", "leaking",
        ),
    ),
    ReviewTheme(
        name="service",
        words=(
            "客服", "服务", "态度", "售后", "不回复", "卖家",
            "service", "support", "staff", "seller", "rude", "helpful", "refund", "no reply",
        ),
    ),
    ReviewTheme(
        name="price",
        words=(
            "价格", "性价比", "便宜", "太贵", "好贵", "划算", "实惠", "降价", "物有所值",
            "price", "prices", "cheap", "expensive", "overpriced", "value for money", "bargain", "worth it",
        ),
    ),
)  # fmt: skip

#: Letters of scripts that put no spaces between words: first and last code point.
_UNSPACED: Final = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3005, 0x3007), (0x3040, 0x30FF),
    (0x3400, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip


def normalized(text: str) -> str:
    """``text`` as it is compared.

    >>> normalized("Ｓize 尺码")
    'size 尺码'
    """
    return normalize("NFKC", normalize("NFKC", text).casefold())


class Themes:
    """A list of themes, made ready for many reviews."""

    def __init__(self, themes: Sequence[ReviewTheme]) -> None:
        self.names: Final = tuple(theme.name for theme in themes)
        self._words = [tuple(map(normalized, theme.words)) for theme in themes]

    def of(self, *texts: str | None) -> frozenset[str]:
        """The names of the themes of a review, whose ``texts`` are apart from each other.

        >>> sorted(Themes(DEFAULT_THEMES).of("Wrong size, 客服不回复", None))
        ['fit', 'service']
        """
        compared = [normalized(text) for text in texts if text]
        return frozenset(
            name
            for name, words in zip(self.names, self._words, strict=True)
            if any(_has(text, word) for text in compared for word in words)
        )


def _has(text: str, word: str) -> bool:
    """Whether ``word``, which is not empty, stands in ``text``; both normalized."""
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (at and _joined(text[at - 1], word[0])) and not (
            end < len(text) and _joined(word[-1], text[end])
        ):
            return True
        at = text.find(word, at + 1)
    return False


def _joined(left: str, right: str) -> bool:
    """Whether these two, side by side, are within one word of a script that is written with spaces."""
    return _is_spaced(left) and _is_spaced(right)


def _is_spaced(character: str) -> bool:
    point = ord(character)
    return character.isalnum() and not any(first <= point <= last for first, last in _UNSPACED)
