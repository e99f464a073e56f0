"""What the engine asks of whoever reads the definition topics."""

from collections.abc import Mapping
from typing import Protocol

from streams.engine.draft import DefinitionsLike


class CurrentDefinitions(DefinitionsLike, Protocol):
    """One consistent view of the definitions."""

    @property
    def offsets(self) -> Mapping[str, int]:
        """Definition topic -> offset up to which it was read."""

    @property
    def lateness_ms(self) -> int | None:
        """The stack's lateness, None where no record sets it."""


class DefinitionsSource(Protocol):
    def current(self) -> CurrentDefinitions:
        """What is read by now; never blocks."""

    def upto(self, offsets: Mapping[str, int]) -> CurrentDefinitions:
        """What was read when the topics stood at these offsets, for a replay; blocks until it is read."""
