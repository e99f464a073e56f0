"""A set of different customers: exact while it is small, an estimate from then on.

Members are the digests of ``streams.domain.increments.member_of``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from streams.domain.hyperloglog import STANDARD_ERROR, HyperLogLog, merged

#: Members of an exact set of one partition. Redis keeps up to 512 integers in 8 bytes each.
EXACT_MEMBERS: Final = 512

_NOBODY: Final[frozenset[bytes]] = frozenset()


@dataclass(frozen=True, slots=True)
class Distinct:
    """How many different customers. ``error`` is the relative standard error, 0.0 where ``exact``."""

    number: int
    exact: bool = True
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Members:
    """A set as one partition keeps it: its members or, once there were too many, registers."""

    exact: frozenset[bytes] = _NOBODY
    #: A HyperLogLog's body; empty while ``exact`` holds.
    body: bytes = b""


def text_of(member: bytes) -> str:
    """How Redis has a member: the signed 64-bit number that its bytes are, which it keeps compactly."""
    return str(int.from_bytes(member, "big", signed=True))


def member_from(text: bytes) -> bytes:
    """The member of which ``text_of`` made this. Raises ValueError or OverflowError."""
    return int(text).to_bytes(8, "big", signed=True)


def union(parts: Iterable[Members]) -> Members:
    """All of them together, exact whatever its size if each of them is."""
    exact: set[bytes] = set()
    bodies: list[bytes] = []
    for part in parts:
        exact |= part.exact
        if part.body:
            bodies.append(part.body)
    if not bodies:
        return Members(frozenset(exact))
    registers = HyperLogLog.of_body(merged(bodies))
    for member in exact:
        registers.add(text_of(member).encode())
    return Members(body=registers.body())


def number_of(members: Members) -> Distinct:
    """How many they are."""
    if not members.body:
        return Distinct(len(members.exact))
    return Distinct(HyperLogLog.of_body(members.body).estimate(), False, STANDARD_ERROR)


class Seen:
    """A set in memory, as the commit's script keeps it."""

    __slots__ = ("exact", "registers")

    def __init__(self) -> None:
        self.exact: set[bytes] = set()
        self.registers: HyperLogLog | None = None

    def add(self, members: Iterable[bytes]) -> None:
        """Exact until there are more than ``EXACT_MEMBERS``."""
        if self.registers is None:
            self.exact.update(members)
            if len(self.exact) <= EXACT_MEMBERS:
                return
            self.registers = HyperLogLog()
            members, self.exact = self.exact, set()
        for member in members:
            self.registers.add(text_of(member).encode())

    def members(self) -> Members:
        """As it stands."""
        if self.registers is None:
            return Members(frozenset(self.exact))
        return Members(body=self.registers.body())

    def restore(self, members: Members) -> None:
        """Take over what ``members`` gave."""
        self.exact = set(members.exact)
        self.registers = HyperLogLog.of_body(members.body) if members.body else None
