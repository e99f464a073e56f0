"""Topics merged by the time of their events."""

from collections.abc import Iterable, Iterator

from streams.backtest.recorded import Recorded


def merged(topics: Iterable[Iterable[Recorded]]) -> Iterator[Recorded]:
    """Of the next event of each topic the earliest, at the same time that of the first topic.

    As heapq.merge does, but where a topic goes on for a while (clicks do) it asks the others once.
    """
    heads: list[tuple[int, int, Recorded, Iterator[Recorded]]] = []
    for place, topic in enumerate(topics):
        rest = iter(topic)
        first = next(rest, None)
        if first is not None:
            heads.append((first[0], place, first, rest))
    while heads:
        heads.sort(key=_order)
        _, place, recorded, rest = heads[0]
        if len(heads) == 1:
            yield recorded
            yield from rest
            return
        # As long as it is before the next topic's head.
        limit, other = heads[1][0], heads[1][1]
        if place < other:
            limit += 1
        while True:
            yield recorded
            following = next(rest, None)
            if following is None:
                del heads[0]
                break
            recorded = following
            if recorded[0] >= limit:
                heads[0] = (recorded[0], place, recorded, rest)
                break


def _order(head: tuple[int, int, Recorded, Iterator[Recorded]]) -> tuple[int, int]:
    return head[:2]
