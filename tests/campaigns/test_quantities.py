"""Quantities: what is written is read exactly, and what is no quantity says why."""

import doctest
import re
from collections.abc import Callable
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns.language.quantities import (
    clock_span,
    currency,
    duration,
    money,
    rate,
    share,
)
from streams.campaigns.language.quantities.clock_span import ClockSpan, parse_clock_span
from streams.campaigns.language.quantities.duration import parse_duration
from streams.campaigns.language.quantities.error import QuantityError
from streams.campaigns.language.quantities.money import parse_money, write_money
from streams.campaigns.language.quantities.rate import Rate, parse_count_rate, parse_money_rate
from streams.campaigns.language.quantities.share import parse_share

DAY = 86_400_000
CURRENCIES = st.sampled_from(sorted(currency.DIGITS))
PERIODS = st.one_of(
    st.builds(
        lambda seconds: {"sliding": seconds * 1000},
        st.integers(1, duration.LONGEST // 1000),
    ),
    st.builds(lambda name: {"calendar": name}, st.sampled_from(rate.CALENDAR)),
)


@pytest.mark.parametrize("module", [clock_span, duration, money, rate, share])
def test_the_examples_hold(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1s", 1000),
        ("30m", 1_800_000),
        ("24h", DAY),
        ("7d", 7 * DAY),
        ("2w", 14 * DAY),
        ("1d12h", 36 * 3_600_000),
        ("90m", 5_400_000),
        ("1w2d3h4m5s", 9 * DAY + 3 * 3_600_000 + 4 * 60_000 + 5_000),
    ],
)
def test_a_duration_is_its_units_added_up(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no duration"),
        ("30", "whole numbers with w, d, h, m (minutes) or s"),
        ("30 m", "is no duration"),
        ("30min", "is no duration"),
        ("1m1h", "longest unit first"),
        ("-1d", "is no duration"),
        ("1.5h", "is no duration"),
        ("٣d", "is no duration"),
        ("7d\n", "is no duration"),
        ("0m", "at least 1s"),
        ("3661d", "at most 3660d"),
        ("999999999w", "is too long"),
    ],
)
def test_what_is_no_duration_says_why(text: str, said: str) -> None:
    with pytest.raises(QuantityError, match=re.escape(said)):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "code", "minor"),
    [
        ("99.00", "CNY", 9900),
        ("99", "CNY", 9900),
        ("0.1", "CNY", 10),
        ("0.29", "CNY", 29),  # 0.29 * 100 is 28.999... in binary
        ("1.15", "CNY", 115),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("10000000000.00", "CNY", 10**12),
    ],
)
def test_money_is_exact(text: str, code: str, minor: int) -> None:
    assert parse_money(text, code) == minor


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("99.001", "CNY", "more digits after the point than CNY"),
        ("99.0", "JPY", "no digits after a point"),
        ("1,000.00", "CNY", "no commas"),
        ("-1", "CNY", "no sign"),
        ("1e3", "CNY", "is no amount"),
        ("¥99", "CNY", "is no amount"),
        (".5", "CNY", "is no amount"),
        ("10000000000.01", "CNY", "at most 10000000000.00 CNY"),
    ],
)
def test_what_is_no_amount_says_why(text: str, code: str, said: str) -> None:
    with pytest.raises(QuantityError, match=re.escape(said)):
        parse_money(text, code)


@pytest.mark.parametrize(
    ("text", "hundredths"),
    [("5%", 500), ("5", 500), ("100%", 10_000), ("0.01%", 1), ("12.5", 1250)],
)
def test_a_share_is_in_hundredths_of_a_percent(text: str, hundredths: int) -> None:
    assert parse_share(text) == hundredths


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0%", "is nothing"),
        ("0.00", "above 0"),
        ("100.01%", "is more than all"),
        ("0.001%", "is too fine"),
        ("five", "is no percentage"),
        ("-5%", "is no percentage"),
    ],
)
def test_what_is_no_share_says_why(text: str, said: str) -> None:
    with pytest.raises(QuantityError, match=re.escape(said)):
        parse_share(text)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("22:00-08:00", ClockSpan(1320, 480)),
        ("09:30 - 10:00", ClockSpan(570, 600)),
        ("20:00-24:00", ClockSpan(1200, 0)),
    ],
)
def test_a_span_may_go_over_midnight(text: str, span: ClockSpan) -> None:
    assert parse_clock_span(text) == span


def test_a_span_has_its_start_and_not_its_end() -> None:
    night = parse_clock_span("22:00-08:00")
    assert [night.has(minute) for minute in (1319, 1320, 0, 479, 480, 720)] == [
        False, True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("08:00-08:00", "leaves too little of the day"),
        ("00:00-24:00", "leaves too little of the day"),
        ("08:00-06:01", "leaves at least 2 hours"),
        ("25:00-08:00", "that no clock shows"),
        ("22:60-08:00", "that no clock shows"),
        ("24:00-08:00", "that no clock shows"),
        ("10pm-8am", "is no span of the day"),
    ],
)
def test_what_is_no_span_says_why(text: str, said: str) -> None:
    with pytest.raises(QuantityError, match=re.escape(said)):
        parse_clock_span(text)


def test_two_hours_of_the_day_are_enough() -> None:
    assert parse_clock_span("08:00-06:00").minutes == 22 * 60


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1/7d", Rate(1, 7 * DAY)),
        ("3/day", Rate(3, calendar="day")),
        ("1/total", Rate(1, calendar="total")),
    ],
)
def test_a_rate_slides_or_goes_by_the_calendar(text: str, found: Rate) -> None:
    assert parse_count_rate(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1", "is no rate"),
        ("0/7d", "allows nothing"),
        ("1.5/day", "no whole number"),
        ("1/fortnight", "day, week, month, total, or a duration"),
        ("1/", "no time behind the /"),
        ("9999999999/day", "is too many"),
    ],
)
def test_what_is_no_rate_says_why(text: str, said: str) -> None:
    with pytest.raises(QuantityError, match=re.escape(said)):
        parse_count_rate(text)


def test_a_budget_is_money_in_a_time() -> None:
    assert parse_money_rate("50000.00/day", "CNY") == Rate(50_000_00, calendar="day")
    with pytest.raises(QuantityError, match="allows nothing"):
        parse_money_rate("0.00/day", "CNY")
    with pytest.raises(QuantityError, match="more digits after the point than JPY"):
        parse_money_rate("1.00/day", "JPY")


@given(st.integers(1, duration.LONGEST // 1000))
def test_durations_round_trip(seconds: int) -> None:
    text = duration.write_duration(seconds * 1000)
    assert parse_duration(text) == seconds * 1000
    assert re.search(duration.PATTERN, text)


@given(st.integers(0, money.MOST_MINOR), CURRENCIES)
def test_money_round_trips(minor: int, code: str) -> None:
    text = write_money(minor, code)
    assert parse_money(text, code) == minor
    assert re.search(money.PATTERN, text)


@given(st.integers(1, share.WHOLE))
def test_shares_round_trip(hundredths: int) -> None:
    text = share.write_share(hundredths)
    assert parse_share(text) == hundredths
    assert re.search(share.PATTERN, text)


@given(st.integers(0, 1439), st.integers(1, 1440 - clock_span.LEAST_LEFT))
def test_spans_round_trip(start: int, length: int) -> None:
    span = ClockSpan(start, (start + length) % 1440)
    text = clock_span.write_clock_span(span)
    assert parse_clock_span(text) == span
    assert sum(map(span.has, range(1440))) == span.minutes == length
    assert re.search(clock_span.PATTERN, text)


@given(st.integers(1, rate.MOST_COUNT), PERIODS)
def test_rates_round_trip(most: int, period: dict[str, int]) -> None:
    wanted = Rate(most, **period)
    text = rate.write_count_rate(wanted)
    assert parse_count_rate(text) == wanted
    assert re.search(rate.COUNT_PATTERN, text)


@given(st.integers(1, money.MOST_MINOR), PERIODS, CURRENCIES)
def test_budgets_round_trip(most: int, period: dict[str, int], code: str) -> None:
    wanted = Rate(most, **period)
    text = rate.write_money_rate(wanted, code)
    assert parse_money_rate(text, code) == wanted
    assert re.search(rate.MONEY_PATTERN, text)


@given(st.text(max_size=12), CURRENCIES)
def test_any_text_is_read_or_refused_with_a_sentence(text: str, code: str) -> None:
    for parse in (
        parse_duration, parse_share, parse_clock_span, parse_count_rate,
        lambda text: parse_money(text, code), lambda text: parse_money_rate(text, code),
    ):  # fmt: skip
        assert ": " in _refusal(parse, text)


def _refusal(parse: Callable[[str], object], text: str) -> str:
    """Why ``text`` is none, or what it is."""
    try:
        return f"read: {parse(text)}"
    except QuantityError as error:
        return str(error)
