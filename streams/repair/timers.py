"""Pending timers of a partition in memory, in the order in which they fire."""

import heapq
from collections.abc import Iterable


class PendingTimers:
    """State key -> earliest due time in ms, and which come first."""

    def __init__(self, timers: Iterable[tuple[str, int]] = ()) -> None:
        self._due = dict(timers)
        #: (due, state key), with some that no longer hold.
        self._queue = [(due, key) for key, due in self._due.items()]
        heapq.heapify(self._queue)

    def __len__(self) -> int:
        return len(self._due)

    def set(self, key: str, due: int | None) -> None:
        """The customer's earliest timer is now ``due``; None: there is none."""
        if due is None:
            self._due.pop(key, None)
        else:
            self._due[key] = due
            heapq.heappush(self._queue, (due, key))

    def first(self) -> int | None:
        """The earliest due time of all."""
        queue = self._queue
        while queue and self._due.get(queue[0][1]) != queue[0][0]:
            heapq.heappop(queue)
        return queue[0][0] if queue else None

    def until(self, due: int) -> list[tuple[str, int]]:
        """(state key, due) of the timers due at or before ``due``, in (due, key) order; they stay."""
        found: list[tuple[int, str]] = []
        queue = self._queue
        while queue and queue[0][0] <= due:
            entry = heapq.heappop(queue)
            if self._due.get(entry[1]) == entry[0] and (not found or found[-1] != entry):
                found.append(entry)
        for entry in found:
            heapq.heappush(queue, entry)
        return [(key, moment) for moment, key in found]
