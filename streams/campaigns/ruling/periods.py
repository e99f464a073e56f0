"""When a rate's period began, and when quiet hours end, on the shop's clock."""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from streams.campaigns.language.quantities.clock_span import ClockSpan
from streams.campaigns.language.quantities.rate import Rate
from streams.domain.shop import date_of, day_of, day_of_date, start_of_day

_MINUTE_MS: Final = 60_000
#: Before any event: of a rate that counts a campaign's whole life.
EVER: Final = -1


def begin_of(rate: Rate, at: int, time_zone: str) -> int:
    """The first moment (ms) that counts together with ``at`` for ``rate``; EVER: all do.

    Of a rate that slides that is so long before, not counted: what was exactly so long ago is over.
    """
    if rate.calendar is None:
        return at - rate.sliding + 1
    if rate.calendar == "total":
        return EVER
    day = day_of(at, time_zone)
    date = date_of(day)
    if rate.calendar == "week":
        day -= date.weekday()
    elif rate.calendar == "month":
        day = day_of_date(date.replace(day=1))
    return start_of_day(day, time_zone)


def quiet_until(span: ClockSpan, at: int, time_zone: str) -> int | None:
    """The first moment (ms, a whole minute) from ``at`` on that is not in ``span``; None: ``at`` is not."""
    zone = ZoneInfo(time_zone)
    first = at // _MINUTE_MS
    if not span.has(_minute_of_day(first, zone)):
        return None
    local = _local(first, zone)
    end = local.replace(hour=span.end // 60, minute=span.end % 60, fold=0)
    if end <= local:
        end += timedelta(days=1)
    # Where the clock leaves out the hour in which the span ends, that is over as soon as it does.
    last = int(end.timestamp()) // 60
    minutes = range(first, max(last, first + 1) + 1)
    found = bisect_left(minutes, True, key=lambda one: not span.has(_minute_of_day(one, zone)))
    return minutes[min(found, len(minutes) - 1)] * _MINUTE_MS


def _local(minute: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC).astimezone(zone)


def _minute_of_day(minute: int, zone: ZoneInfo) -> int:
    local = _local(minute, zone)
    return local.hour * 60 + local.minute
