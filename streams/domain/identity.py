"""Who a customer was before, and whom an anonymous visitor turned out to be: the marks of a hand-over.

A visitor who was handed over leaves a mark (``moved_to``); the customer knows those who became them
(``aliases``), so that an erasure finds them.
"""

import msgspec

#: Aliases known of a customer, and the UTF-8 bytes of their ids: eight cookies of 36 characters. The one
#: handed over first leaves first. One that left is found again, and forgotten, once an event of it is
#: re-sent to the erased customer.
ALIASES = 8
ALIASES_BYTES = 320


class Alias(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """``visitor`` was handed over by an ``alias`` event of ``time`` (ms)."""

    time: int
    visitor: str


class Identity(msgspec.Struct, array_like=True, gc=False):
    """``moved_to`` is empty where the state was not handed over; then ``moved_at`` is 0."""

    moved_to: str = ""
    #: Time of the ``alias`` event, ms.
    moved_at: int = 0
    #: Sorted by (time, visitor), each visitor once.
    aliases: list[Alias] = []
    #: Later aliases of a visitor who was handed over already that named somebody else.
    refused: int = 0


def with_alias(aliases: list[Alias], alias: Alias) -> list[Alias]:
    """``aliases`` with one more; of two of one visitor the earlier one is kept."""
    known = {each.visitor: each for each in aliases}
    same = known.get(alias.visitor)
    known[alias.visitor] = alias if same is None or alias.time < same.time else same
    kept = sorted(known.values(), key=lambda each: (each.time, each.visitor))[-ALIASES:]
    while sum(len(each.visitor.encode()) for each in kept) > ALIASES_BYTES:
        del kept[0]
    return kept
