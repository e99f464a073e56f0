"""Paid orders by the day on which they were paid, on the shop's clock: packed, the newest day first.

A correction changes the row of its order's pay date, wherever it is, so the rows are sums of the
orders' parts (streams.domain.order ``contribution``) whatever the order of arrival. They have no
age, only a size: more than a year of orders every day fits. Beyond it the oldest days are forgotten,
and what would need them is unknown, never less than it was.

A row is a few integers of one msgpack array, each ``head, [orders], amount, [losses]``: see
docs/state.md.
"""

from typing import NamedTuple

import msgspec

#: Bytes of all rows: 398 days (a year, and the month in which its tier still holds) of one order of
#: more than 655.35 (3 to 6 bytes each) take 2,400. Beyond it the oldest days leave ...
DAYS_BYTES = 2_680
#: ... until it has these.
DAYS_BYTES_KEPT = 2_520
#: The days that fit in two bytes, 0 left free: 1970-01-02 to 2149-06-06.
FIRST_DAY, LAST_DAY = 1, 65_535

#: Flags of a head, below the days to the next newer row (of the newest row: since 1970-01-01).
_COUNTED, _LOST = 1, 2
_FLAG_BITS = 2
#: Bytes of a msgpack array's header, at most; that of a row's few integers is 1.
_ARRAY_HEADER = 3

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[int]).decode


class PaidDay(NamedTuple):
    """One day's paid orders (gross), and what of them is no longer net. Amounts in minor units."""

    #: Days since 1970-01-01 on the shop's clock.
    day: int
    orders: int = 0
    amount: int = 0
    #: Of these: cancelled or wholly refunded; cancelled or refunded money.
    lost_orders: int = 0
    lost_amount: int = 0
    #: Of the orders: those whose amount is unknown; of the lost orders the same.
    unknown: int = 0
    lost_unknown: int = 0

    @property
    def net_orders(self) -> int:
        return self.orders - self.lost_orders

    @property
    def net_amount(self) -> int:
        return self.amount - self.lost_amount

    @property
    def net_unknown(self) -> int:
        return self.unknown - self.lost_unknown


def within_days(day: int) -> int:
    """``day``, or the nearest that fits: others are mistakes of a clock."""
    return min(max(day, FIRST_DAY), LAST_DAY)


def change_of(day: int, before: tuple[int, ...], after: tuple[int, ...]) -> PaidDay | None:
    """What an order's part (``contribution``) before and after a status adds to ``day``; None: nothing.

    A cancelled or wholly refunded order's part is still paid, and lost.
    """
    # The parts are in the order of Totals: 1 paid, 7 net, 8 amount unknown, 9 paid, 12 net amount.
    paid, amount, unknown = after[1] - before[1], after[9] - before[9], after[8] - before[8]
    lost = paid - after[7] + before[7]
    lost_amount = amount - after[12] + before[12]
    lost_unknown = (after[8] & ~after[7]) - (before[8] & ~before[7])
    if paid or amount or unknown or lost or lost_amount or lost_unknown:
        return PaidDay(day, paid, amount, lost, lost_amount, unknown, lost_unknown)
    return None


def read(days: bytes) -> list[PaidDay]:
    """The rows, the oldest first."""
    if not days:
        return []
    flat = _decode(days)
    rows = []
    at = newer = 0
    while at < len(flat):
        day = _day_at(flat, at, newer)
        rows.append(_row_at(flat, at, day))
        at += _length(flat[at])
        newer = day
    rows.reverse()
    return rows


def add(days: bytes, change: PaidDay) -> bytes:
    """The rows with ``change`` added, field by field, to its day; a day that has nothing has no row."""
    flat = _decode(days) if days else []
    day = change.day
    at = newer = found = 0
    while at < len(flat):
        found = _day_at(flat, at, newer)
        if found <= day:
            break
        at, newer, found = at + _length(flat[at]), found, 0
    end = at
    if found == day:
        end += _length(flat[at])
        row = _row_at(flat, at, day)
        change = PaidDay(
            day,
            row.orders + change.orders,
            row.amount + change.amount,
            row.lost_orders + change.lost_orders,
            row.lost_amount + change.lost_amount,
            row.unknown + change.unknown,
            row.lost_unknown + change.lost_unknown,
        )
    elif found:
        # The next older row now counts its days from this one.
        flat[at] = (day - found) << _FLAG_BITS | flat[at] & (_COUNTED | _LOST)
    if not any(change[1:]):
        if end < len(flat):
            older = _day_at(flat, end, day)
            flat[end] = _head(older, newer) | flat[end] & (_COUNTED | _LOST)
        del flat[at:end]
        return _encode(flat) if flat else b""
    flat[at:end] = _packed(change, newer)
    return _encode(flat)


def bound(days: bytes) -> tuple[bytes, int]:
    """The newest rows, within DAYS_BYTES_KEPT, and the newest day that left; 0: none did."""
    flat: list[int] = []
    size, newer = _ARRAY_HEADER, 0
    for row in reversed(read(days)):
        packed = _packed(row, newer)
        size += len(_encode(packed)) - 1
        if size > DAYS_BYTES_KEPT:
            return _encode(flat), row.day
        flat += packed
        newer = row.day
    return days, 0


def _packed(row: PaidDay, newer: int) -> list[int]:
    """``row`` as integers; ``newer``: the day of the row before it, 0 of the newest."""
    _, orders, amount, *losses = row
    packed = [_head(row.day, newer), amount]
    if orders != 1:
        packed[0] |= _COUNTED
        packed.insert(1, orders)
    if any(losses):
        packed[0] |= _LOST
        packed += losses
    return packed


def _head(day: int, newer: int) -> int:
    return ((newer - day) if newer else day) << _FLAG_BITS


def _length(head: int) -> int:
    return 2 + (head & _COUNTED) + (4 if head & _LOST else 0)


def _day_at(flat: list[int], at: int, newer: int) -> int:
    distance = flat[at] >> _FLAG_BITS
    return newer - distance if newer else distance


def _row_at(flat: list[int], at: int, day: int) -> PaidDay:
    head = flat[at]
    at += 1
    orders = 1
    if head & _COUNTED:
        orders = flat[at]
        at += 1
    if head & _LOST:
        return PaidDay(day, orders, *flat[at : at + 5])
    return PaidDay(day, orders, flat[at])
