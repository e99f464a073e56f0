"""Named places where a test may end the process, between every two I/O steps that matter."""

import os
import sys
from typing import Final, Literal, get_args

CrashPoint = Literal[
    "after-claim",
    "in-replay",
    "before-commit",
    "after-commit",
    "after-timers",
    "after-begin",
    "after-produce",
    "after-offsets",
    "after-transaction",
    "after-trim",
    "after-tick",
    "in-drain",
]
POINTS: Final[tuple[str, ...]] = get_args(CrashPoint)
EXIT_CODE: Final = 99


class CrashPoints:
    """``spec``: comma-separated ``point`` or ``point:n``; the n-th passing ends the process, at once.

    Raises ValueError for a name that does not exist, so that a renamed point cannot pass unnoticed.
    """

    def __init__(self, spec: str = "") -> None:
        self._left: dict[str, int] = {}
        for part in filter(None, (piece.strip() for piece in spec.split(","))):
            name, _, count = part.partition(":")
            if name not in POINTS:
                raise ValueError(f"no crash point {name!r}; there are {', '.join(POINTS)}")
            self._left[name] = int(count or 1)

    def reach(self, point: CrashPoint) -> None:
        left = self._left.get(point)
        if left is None:
            return
        if left > 1:
            self._left[point] = left - 1
            return
        print(f"crash point {point}", file=sys.stderr, flush=True)
        os._exit(EXIT_CODE)
