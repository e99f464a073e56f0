"""A feed whose topics run ahead of and behind each other, as independent upstream services do."""

import random
from collections import deque
from collections.abc import Iterator
from typing import Final

from producers.source import Feed, Record

#: Records held back at a time: how far the topics can drift apart. About 20 MB.
WINDOW: Final = 20_000
#: Longest run of records of one topic.
SEGMENT: Final = 4_000


class ShuffledFeed:
    """The records of ``feed``, each topic's in its own order, the topics in random segments.

    The same seed gives the same order. A record's ``at_ms`` is the lowest of all not yet sent, so
    ticks promise no more than holds. What the stack makes of the events must not depend on it.
    """

    def __init__(self, feed: Feed, seed: int, *, window: int = WINDOW, segment: int = SEGMENT):
        self._feed = feed
        self._seed = seed
        self._window = window
        self._segment = segment
        self.name = f"{feed.name}-shuffled"
        self.start_ms = feed.start_ms
        self.until_ms = feed.until_ms
        self.total = feed.total

    def records(self) -> Iterator[Record]:
        """The records in their new order."""
        draw = random.Random(self._seed)  # noqa: S311  # no cryptography
        waiting: dict[str, deque[Record]] = {}
        held = 0
        for record in self._feed.records():
            waiting.setdefault(record.topic, deque()).append(record)
            held += 1
            if held > self._window:
                for each in self._segments(waiting, draw):
                    yield each
                    held -= 1
        while held:
            for each in self._segments(waiting, draw):
                yield each
                held -= 1

    def _segments(self, waiting: dict[str, deque[Record]], draw: random.Random) -> Iterator[Record]:
        """A run of records of one topic, any topic, large or small, being as likely."""
        topic = draw.choice([name for name in waiting if waiting[name]])
        queue = waiting[topic]
        others = min(
            (each[0].at_ms for name, each in waiting.items() if each and name != topic),
            default=self.until_ms,
        )
        for _ in range(min(len(queue), draw.randint(1, self._segment))):
            record = queue.popleft()
            yield record._replace(at_ms=min(record.at_ms, others))
