"""How far a partition may be committed while its records are handled in any order. Pure."""

from collections import deque


class Progress:
    """Records are taken in the order of their offsets and done in any; ``next`` never passes one
    that is not done.
    """

    def __init__(self) -> None:
        self._taken: deque[int] = deque()
        self._done: set[int] = set()
        #: The offset to commit; None before anything is done.
        self.next: int | None = None

    def take(self, offset: int) -> None:
        """A record is to be handled. ``offset`` is greater than every one taken before."""
        self._taken.append(offset)

    def done(self, offset: int) -> bool:
        """A taken record is done; whether ``next`` moved."""
        self._done.add(offset)
        moved = False
        while self._taken and self._taken[0] in self._done:
            first = self._taken.popleft()
            self._done.remove(first)
            self.next = first + 1
            moved = True
        return moved
