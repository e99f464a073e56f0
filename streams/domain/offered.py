"""How what was issued went out: its kind and its channels, as a state keeps them in one number."""

from collections.abc import Iterable
from typing import Final, get_args

from schemas.profile import ContactChannel

#: Kinds of triggers that offer something, by their number; what becomes of a coupon later is none.
OFFERS: Final = ("coupon_issued", "message_requested", "survey_requested", "service_task")
COUPON, MESSAGE, SURVEY, TASK = range(4)
#: Bits of the kind; above them one for each channel, in this order: channels are only ever appended.
_KIND_BITS: Final = 2
CHANNELS: Final[tuple[str, ...]] = get_args(ContactChannel)


def how(kind: int, channels: Iterable[str]) -> int:
    """Of an offer of ``kind`` (COUPON, MESSAGE ...) that goes by ``channels``; others have no bit.

    >>> how(MESSAGE, ["sms"]), channels_of(9)
    (9, ('sms',))
    """
    bits = sum(1 << CHANNELS.index(each) for each in {*channels} if each in CHANNELS)
    return kind | bits << _KIND_BITS


def kind_of(number: int) -> int:
    """COUPON, MESSAGE, SURVEY or TASK; a coupon of before kinds were kept is one."""
    return number & ((1 << _KIND_BITS) - 1)


def channels_of(number: int) -> tuple[str, ...]:
    """In the order of CHANNELS; empty: none, or of before they were kept."""
    bits = number >> _KIND_BITS
    return tuple(name for place, name in enumerate(CHANNELS) if bits >> place & 1)
