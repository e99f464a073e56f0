"""What folding and deciding may read of a shop: its time zone and its currency."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

#: Hours whose offset is remembered, over all zones: a year of one zone is 8,760.
_REMEMBERED_HOURS = 16_384
_HOUR_MS = 3_600_000


class ShopSettings(msgspec.Struct, frozen=True, gc=False):
    """One shop's settings in force at a moment. ``time_zone`` is an IANA name, ``currency`` ISO
    4217.
    """

    shop_id: str
    time_zone: str = "UTC"
    currency: str = "CNY"


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=_REMEMBERED_HOURS)
def _offset_minutes(time_zone: str, quarter: int) -> int:
    """The offset of ``time_zone`` from UTC in the quarter of an hour that starts ``quarter`` * 15
    min after 1970; zones change their offset on such quarters.
    """
    moment = datetime.fromtimestamp(quarter * 900, UTC).astimezone(_zone(time_zone))
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60


def hour_of_day(time: int, time_zone: str) -> int:
    """The hour (0-23) of ``time`` (ms since 1970) on the shop's clock.

    Times before 1970 count as 1970: they are mistakes, and far ones have no offset. Raises
    ``zoneinfo.ZoneInfoNotFoundError`` for an unknown zone.
    """
    time = max(time, 0)
    minutes = _offset_minutes(time_zone, time // (_HOUR_MS // 4))
    return (time + minutes * 60_000) // _HOUR_MS % 24
