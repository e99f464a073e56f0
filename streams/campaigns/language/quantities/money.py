"""Money: people write decimal texts of major units, everything else counts minor units. Never a float."""

import re
from typing import Final

from streams.campaigns.language.quantities.currency import DIGITS
from streams.campaigns.language.quantities.error import QuantityError

#: Ten billion of a currency with two digits, as schemas.envelope has it.
MOST_MINOR: Final = 1_000_000_000_000
PATTERN: Final = r"^[0-9]{1,13}(\.[0-9]{1,4})?$"
_PARSED: Final = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,9}))?")


def parse_money(text: str, currency: str) -> int:
    """Minor units of ``currency``, an ISO 4217 code: 0 or more, exactly what was written.

    Raises QuantityError, also for more digits after the point than the currency has.

    >>> parse_money("99.9", "CNY"), parse_money("500", "JPY")
    (9990, 500)
    """
    digits = DIGITS[currency]
    match = _PARSED.fullmatch(text)
    if match is None:
        raise QuantityError(text, "is no amount", _allowed(currency))
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > digits:
        raise QuantityError(
            text, f"has more digits after the point than {currency}", _allowed(currency)
        )
    # The digits put together are the minor units; mypy takes 10**digits for what may be a float.
    minor = int(whole + fraction.ljust(digits, "0"))
    if minor > MOST_MINOR:
        most = write_money(MOST_MINOR, currency)
        raise QuantityError(text, "is too much", f"an amount is at most {most} {currency}")
    return minor


def write_money(minor: int, currency: str) -> str:
    """``minor`` units as a decimal text of major units with all digits of the currency.

    >>> write_money(9990, "CNY"), write_money(-5, "CNY")
    ('99.90', '-0.05')
    """
    digits = DIGITS[currency]
    sign, minor = ("-", -minor) if minor < 0 else ("", minor)
    if not digits:
        return f"{sign}{minor}"
    whole, fraction = divmod(minor, 10**digits)
    return f"{sign}{whole}.{fraction:0{digits}}"


def _allowed(currency: str) -> str:
    digits = DIGITS[currency]
    example = "99." + "0" * digits if digits else "99"
    after = f"at most {digits} digits after a point" if digits else "no digits after a point"
    return f"write {currency} as {example}, with {after}, no sign and no commas"
