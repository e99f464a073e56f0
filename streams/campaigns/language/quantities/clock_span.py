"""Spans of the day: `22:00-08:00`, on the shop's clock."""

import re
from typing import Final

import msgspec

from streams.campaigns.language.quantities.error import QuantityError

DAY_MINUTES: Final = 24 * 60
#: Minutes of the day that a span leaves at least: who is left none is never reached.
LEAST_LEFT: Final = 120
PATTERN: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9] ?- ?(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_PARSED: Final = re.compile(r"([0-9]{2}):([0-9]{2}) ?- ?([0-9]{2}):([0-9]{2})")
_ALLOWED: Final = 'write two times of day from 00:00 to 24:00, as "22:00-08:00"'


class ClockSpan(msgspec.Struct, frozen=True):
    """From ``start``, counted, to ``end``, not counted: minutes since midnight, 0 to 1,439 both.

    One whose end is before its start goes over midnight.
    """

    start: int
    end: int

    @property
    def minutes(self) -> int:
        """How long it is."""
        return (self.end - self.start) % DAY_MINUTES

    def has(self, minute: int) -> bool:
        """Whether a minute of the day is in it."""
        return (minute - self.start) % DAY_MINUTES < self.minutes


def parse_clock_span(text: str) -> ClockSpan:
    """Raises QuantityError for what is no span, and for one that leaves less than two hours of the day.

    >>> parse_clock_span("22:00-08:00").minutes
    600
    """
    match = _PARSED.fullmatch(text)
    if match is None:
        raise QuantityError(text, "is no span of the day", _ALLOWED)
    hours, minutes, to_hours, to_minutes = map(int, match.groups())
    start, end = hours * 60 + minutes, to_hours * 60 + to_minutes
    if max(minutes, to_minutes) > 59 or start >= DAY_MINUTES or end > DAY_MINUTES:
        raise QuantityError(text, "has a time that no clock shows", _ALLOWED)
    span = ClockSpan(start, end % DAY_MINUTES)
    # One that ends when it starts is the whole day, not none of it.
    if not span.minutes or span.minutes > DAY_MINUTES - LEAST_LEFT:
        raise QuantityError(
            text,
            "leaves too little of the day",
            f"a span leaves at least {LEAST_LEFT // 60} hours, in which customers can be reached",
        )
    return span


def write_clock_span(span: ClockSpan) -> str:
    """As ``parse_clock_span`` reads it.

    >>> write_clock_span(ClockSpan(1320, 480))
    '22:00-08:00'
    """
    return f"{clock(span.start)}-{clock(span.end)}"


def clock(minute: int) -> str:
    """A minute of the day as a clock shows it: `08:05`."""
    return f"{minute // 60:02}:{minute % 60:02}"
