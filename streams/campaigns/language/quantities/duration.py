"""Durations: `30m`, `24h`, `7d`, `1h30m`. In milliseconds."""

import re
from typing import Final

from streams.campaigns.language.quantities.error import QuantityError

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
#: From the longest to the shortest, as they stand in a text.
UNITS: Final = {"w": 7 * DAY, "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
#: Ten years of 366 days: longer than any state is kept.
LONGEST: Final = 3_660 * DAY

ALLOWED: Final = (
    "write whole numbers with w, d, h, m (minutes) or s, the longest unit first, as 30m or 1h30m"
)
PATTERN: Final = (
    r"^(?=[0-9])([0-9]{1,9}w)?([0-9]{1,9}d)?([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$"
)
_PARSED: Final = re.compile(PATTERN.removesuffix("$"))


def parse_duration(text: str, least: int = SECOND, most: int = LONGEST) -> int:
    """Milliseconds, from ``least`` to ``most`` of them, by default a second and ten years.

    Raises QuantityError.

    >>> parse_duration("1h30m")
    5400000
    """
    match = _PARSED.fullmatch(text)
    if match is None:
        raise QuantityError(text, "is no duration", ALLOWED)
    length = sum(
        int(part[:-1]) * unit
        for part, unit in zip(match.groups(), UNITS.values(), strict=True)
        if part
    )
    if length < least:
        raise QuantityError(
            text, "is too short", f"here at least {write_duration(least)} is needed"
        )
    if length > most:
        raise QuantityError(text, "is too long", f"here at most {write_duration(most)} is allowed")
    return length


def write_duration(length: int) -> str:
    """The shortest text of one unit that ``parse_duration`` reads as ``length``, days rather than weeks.

    What is no whole number of seconds, as only a figure can be, is cut to one.

    >>> write_duration(5_400_000), write_duration(604_800_000)
    ('90m', '7d')
    """
    for name in ("d", "h", "m"):
        if length and length % UNITS[name] == 0:
            return f"{length // UNITS[name]}{name}"
    return f"{length // SECOND}s"
