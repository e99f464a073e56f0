"""What came of a condition at a moment, with the values that were seen: for `explain`, JSON and logs."""

import msgspec

SeenValue = str | int | bool | list[str]


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """``holds`` None: it is neither true nor false, and ``why`` says what is not known.

    ``value``: what was seen, as a definition would write it (99.00, 7d, a sorted list); None where nothing
    was, or where ``parts`` have it. ``at_least``: it may be more, or have others besides.
    """

    asked: str
    holds: bool | None
    value: SeenValue | None = None
    at_least: bool = False
    why: str = ""
    parts: "tuple[Outcome, ...]" = ()


def unknowns(outcome: Outcome) -> list[str]:
    """Why ``outcome`` is not known, of each part that is not, in their order, each once."""
    if outcome.holds is not None:
        return []
    if not outcome.parts:
        return [f"{outcome.asked}: {outcome.why}"]
    found: dict[str, None] = {}
    for part in outcome.parts:
        found |= dict.fromkeys(unknowns(part))
    return list(found)


def lines(outcome: Outcome, depth: int = 0) -> list[str]:
    """The tree as text, a condition a line."""
    word = {True: "yes", False: "no", None: "unknown"}[outcome.holds]
    seen = ""
    if outcome.value is not None:
        seen = f" ({'at least ' if outcome.at_least else ''}{_shown(outcome.value)})"
    why = f" - {outcome.why}" if outcome.why else ""
    own = f"{'  ' * depth}{word}: {outcome.asked}{seen}{why}"
    return [own, *(line for part in outcome.parts for line in lines(part, depth + 1))]


def _shown(value: SeenValue) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
