"""What folding and deciding may read of a shop: its clock, its currency, what it holds customers worth."""

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from schemas.settings import Brushing, Contacting, Liking, RfmThresholds, Tier

#: Quarters of an hour whose offset is remembered, over all zones: a year of one zone is 35,040, and the
#: events of a shop are mostly of the last days.
_REMEMBERED_QUARTERS = 16_384
#: Minutes whose day and hour are remembered: five days of one zone, and the events of a bundle lie close.
_REMEMBERED_MINUTES = 8_192
#: Days whose beginning is remembered: eleven years of one zone.
_REMEMBERED_DAYS = 4_096
_MINUTE_MS = 60_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()

#: Of a shop that says nothing else. Amounts are minor units: 100, 300, 1,000 and 3,000 yuan.
DEFAULT_RFM = RfmThresholds(
    recency_days=(30, 60, 90, 180),
    orders=(2, 3, 5, 10),
    amount=(100_00, 300_00, 1_000_00, 3_000_00),
)
#: Of a shop that says nothing else; 500, 2,000 and 10,000 yuan.
DEFAULT_TIERS = (
    Tier(name="silver", orders=2, amount=500_00),
    Tier(name="gold", orders=6, amount=2_000_00),
    Tier(name="platinum", orders=12, amount=10_000_00),
)


#: Of a shop that says nothing else.
NO_LIMITS = Contacting()


class ShopSettings(msgspec.Struct, frozen=True, gc=False):
    """One shop's settings in force at a moment. ``time_zone`` is an IANA name, ``currency`` ISO
    4217; ``rfm`` scores customers, ``tiers`` are those of its membership, the lowest first;
    ``brushing`` judges orders and ``liking`` likes of wishes (streams.domain.integrity). ``category`` names
    the shops that it is compared with, in reports only.
    """

    shop_id: str
    time_zone: str = "UTC"
    currency: str = "CNY"
    rfm: RfmThresholds = DEFAULT_RFM
    tiers: tuple[Tier, ...] = DEFAULT_TIERS
    #: None: no order is judged.
    brushing: Brushing | None = None
    #: None: it is in none.
    category: str | None = None
    #: None: no like is judged, all likers count.
    liking: Liking | None = None
    #: What all campaigns together may do.
    contacting: Contacting = NO_LIMITS


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=_REMEMBERED_QUARTERS)
def _offset_minutes(time_zone: str, quarter: int) -> int:
    """The offset of ``time_zone`` from UTC in the quarter of an hour that starts ``quarter`` * 15
    min after 1970.

    Zones change their offset on such quarters. The few that did so a minute later (St. John's until
    2011, Gaza in 2010 and 2011, Casey until 2022) have the new one from the next quarter on.
    """
    moment = datetime.fromtimestamp(quarter * 900, UTC).astimezone(_zone(time_zone))
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) // 60


def day_and_hour(time: int, time_zone: str) -> tuple[int, int]:
    """The day (days since 1970-01-01) and the hour (0-23) of ``time`` (ms) on the shop's clock.

    Times before 1970 count as 1970: they are mistakes, and far ones have no offset. Raises
    ``zoneinfo.ZoneInfoNotFoundError`` for an unknown zone.
    """
    return _day_and_hour(max(time, 0) // _MINUTE_MS, time_zone)


@lru_cache(maxsize=_REMEMBERED_MINUTES)
def _day_and_hour(minute: int, time_zone: str) -> tuple[int, int]:
    # Offsets are whole minutes, so all moments of a minute have the same day and hour.
    local = minute + _offset_minutes(time_zone, minute // 15)
    return local // (24 * 60), local // 60 % 24


def hour_of_day(time: int, time_zone: str) -> int:
    """The hour (0-23) of ``time`` (ms) on the shop's clock: ``day_and_hour``."""
    return day_and_hour(time, time_zone)[1]


def day_of(time: int, time_zone: str) -> int:
    """The day (days since 1970-01-01) of ``time`` (ms) on the shop's clock: ``day_and_hour``."""
    return day_and_hour(time, time_zone)[0]


@lru_cache(maxsize=_REMEMBERED_DAYS)
def start_of_day(day: int, time_zone: str) -> int:
    """The first moment (ms) of ``day`` (days since 1970-01-01) on the shop's clock.

    Where the clock leaves out midnight it is the moment to which the clock is put forward.
    """
    moment = date_of(day)
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=_zone(time_zone))
    return int(midnight.timestamp()) * 1000


def date_of(day: int) -> date:
    """The date of ``day`` (days since 1970-01-01).

    >>> date_of(19_875).isoformat()
    '2024-06-01'
    """
    return date.fromordinal(_EPOCH_DAY + day)


def day_of_date(moment: date) -> int:
    """The reverse of ``date_of``."""
    return moment.toordinal() - _EPOCH_DAY
