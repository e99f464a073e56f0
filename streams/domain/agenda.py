"""What time alone will change of a customer: the changes that are planned, each with its moment.

A change is planned when the orders change from which it follows (streams.domain.time_driven), and kept with
all that telling it takes, so that a click costs nothing and nothing is computed when it is due.
"""

from struct import Struct
from typing import NamedTuple

import msgspec

#: Kinds of changes: to dormant or lost, a tier that goes down, an order that is expected.
LIFECYCLE, TIER, REORDER = 1, 2, 3
#: Changes kept; the latest leave first, and are planned anew once those before them were taken.
CHANGES = 6

#: due (s), day, kind, before, after
_CHANGE = Struct("<IHBBB")
CHANGE_BYTES = _CHANGE.size
#: The due times and days that fit.
_LATEST_S, _LATEST_DAY = 2**32 - 1, 2**16 - 1


class Change(NamedTuple):
    """``due`` in s since 1970, the start of ``day`` on the shop's clock; ``before`` and ``after`` by kind:
    places in STAGES (streams.domain.time_driven), numbers of the shop's tiers (0: none), or 0.
    """

    due: int
    day: int
    kind: int
    before: int = 0
    after: int = 0


class Agenda(msgspec.Struct, array_like=True, gc=False):
    """The planned changes of one customer."""

    #: Due time (s) of the last change that was taken, 0: none was. Nothing until then is planned again.
    taken: int = 0
    #: 4-byte hash of the settings (clock, tiers) by which the changes were planned.
    terms: bytes = b""
    #: Planned changes, sorted, packed.
    changes: bytes = b""


def read_changes(agenda: Agenda) -> list[Change]:
    """The planned changes, by due time."""
    return [Change(*fields) for fields in _CHANGE.iter_unpack(agenda.changes)]


def write_changes(agenda: Agenda, changes: list[Change]) -> None:
    """Keep the first CHANGES of ``changes``; a due time after 2106 never comes."""
    kept = sorted({c for c in changes if 0 < c.due <= _LATEST_S and c.day <= _LATEST_DAY})
    agenda.changes = b"".join(_CHANGE.pack(*change) for change in kept[:CHANGES])


def due_times(agenda: Agenda) -> list[int]:
    """When each planned change is due, ms, the earliest first."""
    return [fields[0] * 1000 for fields in _CHANGE.iter_unpack(agenda.changes)]
