"""Shares: `5%`, `12.5%`, or the bare number. In hundredths of a percent, of which 10,000 are all."""

import re
from typing import Final

from streams.campaigns.language.quantities.error import QuantityError

#: Hundredths of a percent in one percent, and in all.
PERCENT: Final = 100
WHOLE: Final = 100 * PERCENT
PATTERN: Final = r"^[0-9]{1,3}(\.[0-9]{1,2})?%?$"
_PARSED: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,9}))?%?")
_ALLOWED: Final = "write a percentage above 0 and up to 100, as 5% or 12.5%"


def parse_share(text: str) -> int:
    """Hundredths of a percent, 1 to 10,000. Raises QuantityError.

    >>> parse_share("12.5%")
    1250
    """
    match = _PARSED.fullmatch(text)
    if match is None:
        raise QuantityError(text, "is no percentage", _ALLOWED)
    whole, fraction = match[1], match[2] or ""
    if len(fraction) > 2:
        raise QuantityError(
            text, "is too fine", "a percentage has at most two digits after the point"
        )
    share = int(whole) * PERCENT + int(fraction.ljust(2, "0"))
    if not share:
        raise QuantityError(text, "is nothing", _ALLOWED)
    if share > WHOLE:
        raise QuantityError(text, "is more than all", _ALLOWED)
    return share


def write_share(share: int) -> str:
    """As ``parse_share`` reads it.

    >>> write_share(1250), write_share(500)
    ('12.5%', '5%')
    """
    whole, fraction = divmod(share, PERCENT)
    digits = f".{fraction:02}".rstrip("0").rstrip(".")
    return f"{whole}{digits}%"
