"""How often a handler is tried, and how long after a failure."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential backoff with jitter: before attempt n + 1 between half and all of
    ``first * 2 ** (n - 1)`` seconds, ``most`` seconds at most.

    After ``attempts`` failed attempts a trigger is a dead letter. The default tries 8 times in about
    a minute.
    """

    attempts: int = 8
    first: float = 0.5
    most: float = 60.0

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.first < 0 or self.most < 0:
            raise ValueError("a Retry has at least one attempt, and no negative seconds")

    def wait(self, failed: int, draw: Callable[[], float]) -> float:
        """Seconds to wait after the ``failed``-th attempt (from 1); ``draw`` gives 0 to 1."""
        # 2 ** 60 seconds is past every ``most``; a float ends at 2 ** 1023.
        longest = min(self.most, self.first * 2.0 ** min(failed - 1, 60))
        return longest * (0.5 + draw() / 2)
