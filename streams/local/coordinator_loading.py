"""Whether a broker's group coordinator has loaded what it stored, as its log tells.

A broker that was killed and comes back leads its old partitions for a moment, until the controller fences it,
and is elected again. At each of the two the group coordinator begins to load. Where the first load is still
reading when the second begins, Kafka (4.1.1, CoordinatorRuntime) takes its end for the second's: the
coordinator answers while it reads, old offsets overwrite newer ones, and transactions that have ended stay
open in its memory, so that their offsets never become stable. What is stored is whole, and the next start
reads it.
"""

import re
from collections.abc import Iterable
from typing import Final

_LINE: Final = re.compile(
    rb"(Scheduling loading|Scheduling unloading|Finished loading|Ignored load completion)"
    rb" .*?(__consumer_offsets-\d+)(?: with epoch (\d+))?(.*)"
)


class CoordinatorLoading:
    """What the log of one start says of the partitions of the group coordinator's topic."""

    def __init__(self) -> None:
        #: The epoch of the last election, None where it was taken away since.
        self._elected: dict[str, int | None] = {}
        self._loaded: set[str] = set()
        self._mixed: set[str] = set()

    def read(self, lines: Iterable[bytes]) -> None:
        """Takes the next lines of the broker's log."""
        for line in lines:
            if found := _LINE.search(line):
                what, partition, epoch, rest = found.groups()
                self._take(what, partition.decode(), int(epoch) if epoch else None, rest)

    def _take(self, what: bytes, partition: str, epoch: int | None, rest: bytes) -> None:
        match what:
            case b"Finished loading":
                if epoch is not None and epoch == self._elected.get(partition):
                    self._loaded.add(partition)
            case b"Ignored load completion":
                # Another load's end made it active before.
                if b"ACTIVE" in rest:
                    self._mixed.add(partition)
            case _:
                self._elected[partition] = epoch
                self._loaded.discard(partition)

    @property
    def ended(self) -> int:
        """How many partitions are loaded, or never will be right in this start."""
        return len(self._loaded | self._mixed)

    @property
    def mixed(self) -> list[str]:
        """Partitions whose groups and offsets are not to be trusted until the next start."""
        return sorted(self._mixed)
