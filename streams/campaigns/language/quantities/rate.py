"""Rates: at most so many, or so much money, in a time: `1/7d`, `3/day`, `50000.00/day`, `1/total`."""

import re
from typing import Final, Literal, get_args

import msgspec

from streams.campaigns.language.quantities.duration import parse_duration, write_duration
from streams.campaigns.language.quantities.error import QuantityError
from streams.campaigns.language.quantities.money import parse_money, write_money

#: A day, a week (from Monday) or a month of the shop's calendar; or the campaign's whole life.
Calendar = Literal["day", "week", "month", "total"]
CALENDAR: Final[tuple[str, ...]] = get_args(Calendar)
MOST_COUNT: Final = 1_000_000_000
_PER: Final = f"({'|'.join(CALENDAR)}|([0-9]{{1,9}}[wdhms])+)"
COUNT_PATTERN: Final = rf"^[0-9]{{1,10}}/{_PER}$"
MONEY_PATTERN: Final = rf"^[0-9]{{1,13}}(\.[0-9]{{1,4}})?/{_PER}$"
_COUNT: Final = re.compile(r"[0-9]{1,10}")
_PERIODS: Final = f"{', '.join(CALENDAR)}, or a duration as 7d, which slides"


class Rate(msgspec.Struct, frozen=True):
    """At most ``most`` (a number, or minor units) per ``calendar`` period, or else within any ``sliding`` ms.

    ``sliding`` is 0 where a period of the calendar is named.
    """

    most: int
    sliding: int = 0
    calendar: Calendar | None = None


def parse_count_rate(text: str) -> Rate:
    """At most so many in a time. Raises QuantityError.

    >>> parse_count_rate("1/7d")
    Rate(most=1, sliding=604800000, calendar=None)
    """
    number, period = _halves(text, "1/7d or 3/day")
    if _COUNT.fullmatch(number) is None:
        raise QuantityError(text, "has no whole number before the /", "write it as 1/7d or 3/day")
    count = int(number)
    if count > MOST_COUNT:
        raise QuantityError(text, "is too many", f"at most {MOST_COUNT:,} in a time")
    return _rate(text, count, period)


def parse_money_rate(text: str, currency: str) -> Rate:
    """At most so much of ``currency`` in a time, in minor units. Raises QuantityError.

    >>> parse_money_rate("50000.00/day", "CNY").most
    5000000
    """
    amount, period = _halves(text, "50000.00/day")
    return _rate(text, parse_money(amount, currency), period)


def write_count_rate(rate: Rate) -> str:
    """As ``parse_count_rate`` reads it."""
    return f"{rate.most}/{write_period(rate)}"


def write_money_rate(rate: Rate, currency: str) -> str:
    """As ``parse_money_rate`` reads it."""
    return f"{write_money(rate.most, currency)}/{write_period(rate)}"


def write_period(rate: Rate) -> str:
    """What stands behind the slash."""
    return rate.calendar or write_duration(rate.sliding)


def _halves(text: str, example: str) -> tuple[str, str]:
    most, slash, period = text.partition("/")
    if not slash:
        raise QuantityError(
            text, "is no rate", f"write what is allowed, / and the time, as {example}"
        )
    return most, period


def _rate(text: str, most: int, period: str) -> Rate:
    if not most:
        raise QuantityError(
            text, "allows nothing", "a rate is above 0; to end a campaign, withdraw it"
        )
    for name in get_args(Calendar):
        if period == name:
            return Rate(most, calendar=name)
    try:
        return Rate(most, parse_duration(period))
    except QuantityError:
        raise QuantityError(text, "has no time behind the /", f"write {_PERIODS}") from None
