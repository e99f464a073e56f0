"""Refusals that an injected fault explains; any other one is wrong."""

from collections.abc import Callable

#: (case, partition)
Refusal = tuple[str, int]
#: What only an operator can bring about, and must make good.
OPERATORS = ("reset", "outside_log", "incomplete", "newer")


class Excuses:
    """Which refusals may come, and how each is made good."""

    def __init__(self) -> None:
        self._excused: set[Refusal] = set()
        self._repairs: dict[Refusal, Callable[[], None]] = {}

    def __contains__(self, refusal: Refusal) -> bool:
        return refusal in self._excused

    def add(self, case: str, number: int, repair: Callable[[], None]) -> None:
        self._excused.add((case, number))
        self._repairs[case, number] = repair

    def drop(self, case: str, number: int) -> None:
        self._excused.discard((case, number))

    def repair(self, refusal: Refusal) -> None:
        self._repairs[refusal]()

    def damages(self) -> set[Refusal]:
        """What an operator broke from outside, and nothing has refused yet."""
        return {refusal for refusal in self._excused if refusal[0] in OPERATORS}
