"""Times and money for people: on the shop's clock, in major units of its currency."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: The end of the year 9999 in UTC. An event's time may lie hours after it, at an offset west of Greenwich;
#: it is shown as this one.
LAST_MS: Final = 253_402_300_799_999
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
#: ISO 4217: currencies whose minor unit is not a hundredth, and its decimal digits.
_DIGITS: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
         "VUV", "XAF", "XOF", "XPF"), 0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip


def money(amount: int | None, currency: str | None) -> str:
    """An amount of minor units for people; without a currency it stays in minor units and says so.

    >>> money(1234567, "CNY"), money(500, "JPY"), money(5, "KWD")
    ('12,345.67 CNY', '500 JPY', '0.005 KWD')
    >>> money(None, "CNY"), money(990, None)
    ('unknown', '990 minor units')
    """
    if amount is None:
        return "unknown"
    if currency is None:
        return f"{amount:,} minor units"
    digits = _DIGITS.get(currency, 2)
    if digits == 0:
        return f"{amount:,} {currency}"
    whole, rest = divmod(amount, 10**digits)
    return f"{whole:,}.{rest:0{digits}d} {currency}"


def minor_units(amount: Decimal, currency: str) -> Decimal:
    """Major units as people write them in minor units. Raises ValueError for a part of a minor unit.

    >>> minor_units(Decimal("100000.50"), "CNY"), minor_units(Decimal(500), "JPY")
    (Decimal('10000050'), Decimal('500'))
    """
    digits = _DIGITS.get(currency, 2)
    whole = amount.scaleb(digits)
    if whole != whole.to_integral_value():
        raise ValueError(f"{amount} {currency}: {currency} has {digits} decimal digits")
    return whole.to_integral_value()


def local(time_ms: int | None, zone: str | None) -> str:
    """A time on the shop's clock; UTC, and said so, without a zone.

    >>> local(1767225600000, "Asia/Shanghai"), local(1767225600000, None), local(None, None)
    ('2026-01-01 08:00:00', '2026-01-01 00:00:00Z', '-')
    >>> local(253402318799000, None)
    '9999-12-31 23:59:59Z'
    """
    if time_ms is None:
        return "-"
    utc = datetime.fromtimestamp(min(time_ms, LAST_MS) // 1000, UTC)
    try:
        return f"{utc.astimezone(ZoneInfo(zone)) if zone else utc:%Y-%m-%d %H:%M:%S}" + "Z" * (
            not zone
        )
    except OverflowError:
        # The last hours of the year 9999 lie in the year 10000 further east.
        return f"{utc:%Y-%m-%d %H:%M:%S}Z"


class NoClock(Exception):
    """A time without an offset, and no clock that it could be read by."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text} names no offset from UTC")


def instant(text: str, zone: str | None) -> int:
    """Ms since 1970 of a date or time as people write it: on the clock of ``zone`` unless it names an offset.

    >>> instant("2026-01-01", "Asia/Shanghai"), instant("2026-01-01T00:00:00Z", "Asia/Shanghai")
    (1767196800000, 1767225600000)

    Raises NoClock for a time without an offset where ``zone`` is None, ValueError for no time or no zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 2026-01-31 or 2026-01-31T18:00") from None
    if moment.tzinfo is None:
        if zone is None:
            raise NoClock(text)
        moment = moment.replace(tzinfo=clock(zone))
    # Not timestamp(): the first and the last hours that a date can have lie beyond it elsewhere.
    offset = moment.utcoffset()
    assert offset is not None
    return (moment.replace(tzinfo=UTC) - _EPOCH - offset) // _MILLISECOND


def clock(zone: str) -> ZoneInfo:
    """The clock of an IANA name. Raises ValueError for what is none."""
    try:
        return ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise ValueError(f"{zone!r} is no time zone: write Asia/Shanghai") from None
