"""Which traffic sources a payment is owed to: last touch, and position-based 40/20/40.

Both go by the touches (streams.domain.touches) that began less than so many days before the payment: 3
in a state, at most 30. Last touch gives the whole order to the one that began last.
Position-based gives 40 % to the first, 40 % to the last and 20 % to all between them in equal parts; of
two touches each gets half, and one gets all.
"""

from typing import NamedTuple

from streams.domain.touches import sources_between

#: Parts of an order; what the shares of one order add up to.
WHOLE = 10_000
_FIRST = _LAST = 4_000
_BETWEEN = WHOLE - _FIRST - _LAST
#: Days before the payment in which a touch counts.
DAYS, MOST_DAYS = 3, 30
_DAY_S = 86_400


class Attribution(NamedTuple):
    """``last``: the source of the last touch; ``shares``: (source, parts of 10,000) by source."""

    last: str
    shares: tuple[tuple[str, int], ...]


def attribute(touches: bytes, paid_at: int, days: int = DAYS) -> Attribution | None:
    """What a payment at ``paid_at`` (ms) is owed to; None: there was no touch in the window.

    ``touches`` are packed, in the order of their beginning. Raises ValueError for more than MOST_DAYS
    ``days``.
    """
    if not 0 < days <= MOST_DAYS:
        raise ValueError(f"a window of attribution has 1 to {MOST_DAYS} days, not {days}")
    until = paid_at // 1000
    counted = sources_between(touches, until - days * _DAY_S, until)
    if not counted:
        return None
    shares: dict[str, int] = {}
    for source, parts in zip(counted, _parts(len(counted)), strict=True):
        shares[source] = shares.get(source, 0) + parts
    return Attribution(counted[-1], tuple(sorted(shares.items())))


def _parts(count: int) -> list[int]:
    """The parts of ``count`` touches, the first of them first; what does not divide goes to the earliest."""
    if count == 1:
        return [WHOLE]
    if count == 2:
        return [WHOLE // 2, WHOLE // 2]
    each, left = divmod(_BETWEEN, count - 2)
    between = [each + (number < left) for number in range(count - 2)]
    return [_FIRST, *between, _LAST]
