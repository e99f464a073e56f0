"""RFM thresholds that divide a population into fifths.

A fifth ends at the value of the nearest rank: of n values in order, the k-th fifth ends at number
ceil(k * n / 5). Thresholds compare with values only, so equal values have equal scores: fifths are not of
one size where many share a value. A shop's limits must rise (schemas.settings), so where several fifths
end at one value, each limit is one above the limit before it: the scores above begin that much higher.
"""

from collections.abc import Iterable

from schemas.settings import RfmThresholds

#: The most that the contract takes as a limit of days or orders, and as an amount.
MOST_COUNT, MOST_MONEY = 1_000_000, 1_000_000_000_000
FIFTHS = 5
#: Fewer customers cannot be divided.
FEWEST = FIFTHS


def ends_of_fifths(counted: Iterable[tuple[int, int]], total: int) -> tuple[int, ...]:
    """The values at which the first four fifths end.

    ``counted``: (value, how many have it) with rising values; ``total`` is the sum of the latter. Read
    once, so it may be a stream. Raises ValueError for fewer than FEWEST.

    >>> ends_of_fifths([(1, 3), (2, 1), (9, 6)], 10)
    (1, 2, 9, 9)
    """
    if total < FEWEST:
        raise ValueError(f"{total} customers cannot be divided into {FIFTHS} parts")
    ranks = [-(-fifth * total // FIFTHS) for fifth in range(1, FIFTHS)]
    ends: list[int] = []
    seen = 0
    for value, count in counted:
        seen += count
        while len(ends) < len(ranks) and ranks[len(ends)] <= seen:
            ends.append(value)
    return tuple(ends)


def thresholds(
    recency_days: tuple[int, ...], orders: tuple[int, ...], amount: tuple[int, ...]
) -> RfmThresholds:
    """Thresholds from the ends of the fifths of each value.

    Of recency a limit is the last value of its fifth, of orders and amounts the first value above it: at
    most so many days score 5, 4, 3 and 2, at least so many orders score 2, 3, 4 and 5.
    """
    return RfmThresholds(
        recency_days=_rising(recency_days, MOST_COUNT),
        orders=_rising((end + 1 for end in orders), MOST_COUNT),
        amount=_rising((end + 1 for end in amount), MOST_MONEY),
    )


def _rising(limits: Iterable[int], most: int) -> tuple[int, ...]:
    risen: list[int] = []
    for place, limit in enumerate(limits):
        least = risen[-1] + 1 if risen else 0
        # The limits after this one must have room below ``most``.
        risen.append(min(max(limit, least), most - (FIFTHS - 2 - place)))
    return tuple(risen)
