"""When most of a topic turns bad, stop eating it: the guard that pauses a topic until an operator acts."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Window:
    #: (monotonic seconds, records, bad records), oldest first; at most one entry a second.
    cells: deque[tuple[float, int, int]] = field(default_factory=deque)
    records: int = 0
    bad: int = 0

    def add(self, now: float, records: int, bad: int) -> None:
        if self.cells and now - self.cells[-1][0] < 1.0:
            start, earlier, earlier_bad = self.cells[-1]
            self.cells[-1] = (start, earlier + records, earlier_bad + bad)
        else:
            self.cells.append((now, records, bad))
        self.records += records
        self.bad += bad

    def forget(self, before: float) -> None:
        while self.cells and self.cells[0][0] < before:
            _, records, bad = self.cells.popleft()
            self.records -= records
            self.bad -= bad


class PoisonGuard:
    """Counts each topic's records within a sliding window; ``share`` and ``least`` say what is too bad."""

    def __init__(self, share: float, least: int, window: float) -> None:
        self._share = share
        self._least = least
        self._window = window
        self._windows: dict[str, _Window] = {}
        #: Topic -> why it is paused.
        self.paused: dict[str, str] = {}
        #: Topic -> partition -> offset below which an operator has accepted what is there.
        self._accepted: dict[str, dict[int, int]] = {}

    def accepts(self, topic: str, partition: int, offset: int) -> bool:
        """Whether an operator's resume covers a slice that starts at ``offset``."""
        return offset < self._accepted.get(topic, {}).get(partition, 0)

    def trips(self, topic: str, records: int, bad: int, now: float) -> bool:
        """Count a cycle's records of a topic; True when the topic is to be paused, these included."""
        if not records:
            return False
        window = self._windows.setdefault(topic, _Window())
        window.add(now, records, bad)
        window.forget(now - self._window)
        if window.records >= self._least and window.bad > self._share * window.records:
            self.paused[topic] = (
                f"{window.bad} of the last {window.records} records of {topic} are bad; "
                f"look at shop.deadletters, mend the producer, then run: huitou resume {topic}"
            )
            return True
        return False

    def resume(self, topic: str, ends: dict[int, int]) -> bool:
        """An operator said go on: what is in the topic up to ``ends`` is no longer judged."""
        was_paused = self.paused.pop(topic, None) is not None
        self._windows.pop(topic, None)
        self._accepted[topic] = ends
        return was_paused
