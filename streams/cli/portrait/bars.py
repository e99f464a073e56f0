"""Numbers as blocks that stand in a line of text."""

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(numbers: Sequence[int | float]) -> str:
    """A block a number, its height the number's part of the greatest; a dot for 0.

    >>> sparkline([0, 1, 4, 8])
    '·▁▄█'
    """
    most = max(numbers, default=0)
    if most <= 0:
        return "·" * len(numbers)
    return "".join(
        _BLOCKS[max(0, round(number / most * len(_BLOCKS)) - 1)] if number > 0 else "·"
        for number in numbers
    )


def bar(part: float, length: int = 5) -> str:
    """``part`` (0 to 1) of ``length`` cells, filled.

    >>> bar(0.6)
    '■■■□□'
    """
    filled = round(min(max(part, 0.0), 1.0) * length)
    return "■" * filled + "□" * (length - filled)
