"""What a commit adds to its partition's aggregates: sums, and who is in a set of distinct customers.

A day is that of the shop's time zone, in days since 1 January 1970. Sums are corrected by negative
increments; a member of a set is never taken out again, since no definition that counts distinct
customers from here un-counts one.
"""

from collections.abc import Set
from functools import lru_cache
from hashlib import blake2b
from typing import Any

#: Bytes of a member: a collision among the 10^6 customers of a day is a matter of 1 in 10^7.
MEMBER_BYTES = 8

#: Customers whose member is remembered, in some 12 MB.
_REMEMBERED = 65_536


@lru_cache(maxsize=_REMEMBERED)
def member_of(customer_id: str) -> bytes:
    """How a set of distinct customers names one, the same in every process."""
    return blake2b(customer_id.encode(), digest_size=MEMBER_BYTES).digest()


def add_to(fields: dict[str, int], name: str, amount: int) -> None:
    """Add ``amount`` to a sum of a shop's day."""
    fields[name] = fields.get(name, 0) + amount


#: About as many changes come of a shape.
_CHANGES = 8


class Shape:
    """Events of one commit that differ in nothing that is counted, but in who and how long."""

    __slots__ = ("dwell_ms", "number", "visits")

    def __init__(self) -> None:
        self.number = 0
        #: On pages, over those events that tell it.
        self.dwell_ms = 0
        #: Customer and session (None: not told).
        self.visits: set[tuple[str, str | None]] = set()


class Increments:
    """Collected while events are folded, applied by the commit's script; bounded by the commit."""

    __slots__ = ("bodies", "counts", "cut", "members", "shapes")

    def __init__(self) -> None:
        #: (shop, day) -> field -> what is added, which may be negative. A field is free of NUL.
        self.counts: dict[tuple[str, int], dict[str, int]] = {}
        #: (shop, day, name of the set) -> members.
        self.members: dict[tuple[str, int, str], set[bytes]] = {}
        #: (shop, day, name of the set) -> a HyperLogLog's body, taken over from a former generation. Such
        #: a set must be new to the partition.
        self.bodies: dict[tuple[str, int, str], bytes] = {}
        #: (shop, day) of which a former generation had left something out at a bound.
        self.cut: set[tuple[str, int]] = set()
        #: What events have in common -> those events, until streams.domain.aggregates makes sums and sets
        #: of it: an event costs one addition here, whatever is counted of it.
        self.shapes: dict[tuple[Any, ...], Shape] = {}

    def add(self, shop_id: str, day: int, field: str, amount: int) -> None:
        """Add ``amount`` (a count, minor units, ms) to a sum of that shop and day."""
        add_to(self.fields(shop_id, day), field, amount)

    def fields(self, shop_id: str, day: int) -> dict[str, int]:
        """The sums of that shop and day, to be added to in place: looked up once for many fields."""
        place = (shop_id, day)
        found = self.counts.get(place)
        if found is None:
            found = self.counts[place] = {}
        return found

    def see(self, shop_id: str, day: int, name: str, member: bytes) -> None:
        """Put ``member`` (``member_of`` a customer) into a set; once or often is the same."""
        place = (shop_id, day, name)
        found = self.members.get(place)
        if found is None:
            self.members[place] = {member}
        else:
            found.add(member)

    def see_all(self, shop_id: str, day: int, name: str, members: Set[bytes]) -> None:
        """``see`` of each."""
        place = (shop_id, day, name)
        found = self.members.get(place)
        if found is None:
            self.members[place] = set(members)
        else:
            found |= members

    def include(self, other: "Increments") -> None:
        """Add what a later commit adds, in its order."""
        for (shop_id, day), amounts in other.counts.items():
            fields = self.fields(shop_id, day)
            for field, amount in amounts.items():
                add_to(fields, field, amount)
        for place, members in other.members.items():
            self.members.setdefault(place, set()).update(members)
        self.bodies.update(other.bodies)
        self.cut.update(other.cut)

    @property
    def size(self) -> int:
        """Changes that the script will make."""
        counts, members = self.counts.values(), self.members.values()
        return (
            sum(map(len, counts))
            + sum(map(len, members))
            + len(self.bodies)
            + len(self.cut)
            + _CHANGES * len(self.shapes)
        )
