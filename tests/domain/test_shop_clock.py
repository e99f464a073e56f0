"""Days on the shop's clock: which day a moment is in, and when a day begins."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from streams.domain.shop import date_of, day_of, day_of_date, start_of_day

ZONES = st.sampled_from(
    ["UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Europe/Berlin", "Pacific/Apia"]
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: 2015 to 2060.
MOMENTS = st.integers(1_420_070_400_000, 2_840_140_800_000)


@given(MOMENTS, ZONES)
def test_the_day_is_that_of_the_clock_on_the_wall(moment: int, zone: str) -> None:
    on_the_wall = (EPOCH + timedelta(milliseconds=moment)).astimezone(ZoneInfo(zone)).date()
    assert date_of(day_of(moment, zone)) == on_the_wall
    assert day_of_date(on_the_wall) == day_of(moment, zone)


@given(MOMENTS, ZONES)
def test_a_day_begins_where_the_one_before_ends(moment: int, zone: str) -> None:
    day = day_of(moment, zone)
    start = start_of_day(day, zone)
    assert start <= moment < start_of_day(day + 1, zone)
    assert day_of(start, zone) == day
    assert day_of(start - 1, zone) == day - 1


def test_a_day_without_a_midnight_begins_when_the_clock_is_put_forward() -> None:
    # On 2018-11-04 the clocks of São Paulo went from 00:00 to 01:00.
    day = day_of_date(datetime(2018, 11, 4, tzinfo=UTC).date())
    start = start_of_day(day, "America/Sao_Paulo")
    assert start == int(datetime(2018, 11, 4, 3, tzinfo=UTC).timestamp()) * 1000
    assert day_of(start, "America/Sao_Paulo") == day
    assert day_of(start - 1, "America/Sao_Paulo") == day - 1
