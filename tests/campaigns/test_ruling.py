"""The arbiter's steps, each by hand; periods and quiet hours against a walk over every minute."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.settings import Contacting
from streams.campaigns.language.quantities.clock_span import ClockSpan
from streams.campaigns.language.quantities.rate import Rate, parse_count_rate
from streams.campaigns.listening.index import Candidate, Index
from streams.campaigns.listening.moments import Moment
from streams.campaigns.measure.assignment import EVERY_CAMPAIGN, holdout_bucket
from streams.campaigns.ruling.contacts import Contact, Contacts, contacts_of
from streams.campaigns.ruling.periods import EVER, begin_of, quiet_until
from streams.campaigns.ruling.steps import Ruled, identity_of, rule_all
from streams.domain.shop import ShopSettings
from streams.domain.state import COUPONS, Coupon, CustomerState, new_state
from tests.campaigns.test_listening import version
from tests.domain.events import DAY, SHOP, START, fold_all, order, profile

MINUTE = 60_000
HOUR = 60 * MINUTE
#: 2024-06-05, a Wednesday, 20:00 in Shanghai.
NOW = START + 4 * DAY + 12 * HOUR
NOBODY = Contacts((), EVER)


def candidate(
    state: CustomerState | None = None,
    at: int = NOW,
    shop: ShopSettings = SHOP,
    more: str = "",
    **data: Any,
) -> Candidate:
    """Of a campaign that heard of order o1."""
    one = version("order_paid", data.pop("name", "it"), data.pop("priority", 50))
    (found,) = Index([one]).candidates(
        [Moment("order_paid", "o1", 1)], state or new_state("shop", "c1"), at, shop
    )
    return found


def ruled(
    one: Candidate,
    contacts: Contacts = NOBODY,
    limits: Contacting = Contacting(),  # noqa: B008
) -> Ruled:
    (found,) = rule_all([one], contacts, limits)
    return found


def steps(found: Ruled) -> list[str]:
    return [check.step for check in found.checks]


def test_a_stranger_s_way_is_free() -> None:
    found = ruled(candidate())
    assert found.refused is None
    assert steps(found) == ["consent", "brushed", "issued_before", "campaign_cap", "priority"]
    assert (found.channels, found.not_before, found.held_out) == (("sms",), None, False)


def test_consent_that_was_withdrawn() -> None:
    state = fold_all([profile("p", START, "consent", consent={"sms": False})])
    refused = ruled(candidate(state)).refused
    assert refused is not None
    assert (refused.step, refused.value, refused.threshold) == ("consent", "sms", "sms")


def test_brushed_orders() -> None:
    state = fold_all([order("p", START, "o1", "paid", amount_paid=1)])
    assert state.orders is not None
    state.orders.totals.brushed = 1
    found = ruled(candidate(state))
    assert steps(found) == ["consent", "brushed"]
    assert found.channels == ()


def test_an_occasion_is_answered_once() -> None:
    state = new_state("shop", "c1")
    one = candidate(state)
    state.coupons = [Coupon(identity_of(one), "it", NOW - 400 * DAY, NOW)]
    refused = ruled(one, contacts_of(state)).refused
    assert refused is not None
    assert (refused.step, refused.value) == ("issued_before", 1)


@pytest.mark.parametrize(
    ("rate", "ago", "passes"),
    [
        ("1/7d", 7 * DAY, True), ("1/7d", 7 * DAY - 1, False), ("2/7d", 1, True),
        # Of the shop's calendar: it is 20:00 on a Wednesday, the fifth.
        ("1/day", 20 * HOUR, False), ("1/day", 20 * HOUR + 1, True),
        ("1/week", 2 * DAY + 20 * HOUR, False), ("1/week", 2 * DAY + 20 * HOUR + 1, True),
        ("1/month", 4 * DAY + 20 * HOUR, False), ("1/month", 4 * DAY + 20 * HOUR + 1, True),
        ("1/total", 900 * DAY, False),
    ],
)  # fmt: skip
def test_a_campaign_s_own_cap(rate: str, ago: int, passes: bool) -> None:
    one = candidate()
    contacts = Contacts([Contact("it", NOW - ago), Contact("another", NOW)], EVER)
    found = ruled(_with_rate(one, rate), contacts)
    assert (found.refused is None) == passes
    if found.refused is not None:
        assert (found.refused.step, found.refused.threshold) == ("campaign_cap", rate)


def _with_rate(one: Candidate, rate: str) -> Candidate:
    definition = one.version.definition
    limits = msgspec.structs.replace(definition.limits, per_customer=parse_count_rate(rate))
    changed = msgspec.structs.replace(definition, limits=limits)
    return one._replace(version=msgspec.structs.replace(one.version, definition=changed))


def test_what_nobody_counted_any_more_refuses() -> None:
    state = new_state("shop", "c1")
    state.coupons = [Coupon(f"t{n}", "another", NOW - DAY + n, NOW) for n in range(COUPONS)]
    refused = ruled(candidate(state), contacts_of(state)).refused
    assert refused is not None
    assert (refused.step, refused.value) == ("campaign_cap", "at least 0")
    # Within what is known it may.
    assert ruled(_with_rate(candidate(state), "1/day"), contacts_of(state)).refused is None


def test_a_channel_that_has_had_its_day_is_left_out() -> None:
    one = candidate()
    limits = Contacting(per_day={"sms": 2})
    today = [Contact("a", NOW - HOUR, ("sms",)), Contact("b", NOW - 2 * HOUR)]
    refused = ruled(one, Contacts(today, EVER), limits).refused
    assert refused is not None
    assert (refused.step, refused.value, refused.threshold) == ("channel_cap", "sms", "sms")
    for others in (
        [today[0]],
        [today[0], Contact("b", NOW, ("email",))],
        [today[0], Contact("b", NOW - DAY)],
    ):
        assert ruled(one, Contacts(others, EVER), limits).refused is None


def test_a_channel_without_a_limit_of_its_own_stays() -> None:
    one = candidate()
    delivery = one.version.definition.delivery
    assert delivery is not None
    both = msgspec.structs.replace(delivery, channels=("sms", "email"))
    definition = msgspec.structs.replace(one.version.definition, delivery=both)
    one = one._replace(version=msgspec.structs.replace(one.version, definition=definition))
    had = Contacts([Contact("a", NOW)], EVER)
    found = ruled(one, had, Contacting(per_day={"sms": 1}))
    assert (found.refused, found.channels) == (None, ("email",))
    assert next(check for check in found.checks if check.step == "channel_cap").value == "sms"


def test_rest_between_two_contacts() -> None:
    limits = Contacting(rest_minutes=DAY // MINUTE)
    for ago, passes in ((DAY, True), (DAY - 1, False)):
        found = ruled(candidate(), Contacts([Contact("a", NOW - ago)], EVER), limits)
        assert (found.refused is None) == passes
    refused = ruled(candidate(), Contacts([Contact("a", NOW)], EVER), limits).refused
    assert refused is not None
    assert (refused.step, refused.value) == ("rest", "2024-06-05T12:00:00.000Z")


@pytest.mark.parametrize("on_quiet", ["defer", "drop"])
def test_quiet_hours_defer_or_drop(on_quiet: str) -> None:
    one = candidate()
    delivery = one.version.definition.delivery
    assert delivery is not None
    delivery = msgspec.structs.replace(
        delivery, quiet_hours=ClockSpan(19 * 60, 8 * 60), on_quiet=on_quiet
    )
    definition = msgspec.structs.replace(one.version.definition, delivery=delivery)
    one = one._replace(version=msgspec.structs.replace(one.version, definition=definition))
    found = ruled(one)
    check = next(check for check in found.checks if check.step == "quiet_hours")
    assert (check.value, check.threshold) == ("2024-06-06T00:00:00.000Z", on_quiet)
    if on_quiet == "drop":
        assert found.refused == check
    else:
        # Eight in the morning in Shanghai.
        assert (found.refused, found.not_before) == (None, NOW + 12 * HOUR)


def test_of_one_moment_the_first_goes_on_and_the_others_are_told_who_it_is() -> None:
    state = new_state("shop", "c1")
    first = candidate(state, name="first", priority=90)
    second = candidate(state, name="second", priority=10)
    found = rule_all([first, second], NOBODY, Contacting())
    assert [one.refused is None for one in found] == [True, False]
    refused = found[1].refused
    assert refused is not None
    assert (refused.step, refused.value, refused.threshold) == ("priority", "first", "second")
    # One that is refused before stands in nobody's way.
    capped = Contacts([Contact("first", NOW - DAY)], EVER)
    found = rule_all([first, second], capped, Contacting())
    assert [one.refused is None for one in found] == [False, True]


def test_who_is_held_out_passed_all_that_the_others_did() -> None:
    state = new_state("shop", "c1")
    bucket = holdout_bucket(EVERY_CAMPAIGN, "shop", "c1")
    for share, out in ((bucket, False), (bucket + 1, True)):
        found = ruled(candidate(state), limits=Contacting(holdout=share))
        assert found.held_out == out
        assert found.checks[-1].value == bucket
        assert steps(found)[:-1] == [
            "consent",
            "brushed",
            "issued_before",
            "campaign_cap",
            "priority",
        ]
    # And stands in the way of those behind as whoever gets the offer.
    both = [candidate(state, name="first", priority=90), candidate(state, name="second")]
    found_all = rule_all(both, NOBODY, Contacting(holdout=10_000))
    assert [one.held_out for one in found_all] == [True, False]
    refused = found_all[1].refused
    assert refused is not None
    assert refused.step == "priority"


_zones = st.sampled_from(
    ["Asia/Shanghai", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"]
)
#: Around changes of these clocks, and any moment.
_moments = st.one_of(
    st.integers(-30 * 60, 30 * 60).map(lambda n: 1_711_846_800_000 + n * MINUTE),
    st.integers(-30 * 60, 30 * 60).map(lambda n: 1_729_990_800_000 + n * MINUTE),
    st.integers(-30 * 60, 30 * 60).map(lambda n: 1_730_608_200_000 + n * MINUTE),
    st.integers(START, START + 400 * DAY),
)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_439), st.integers(1, 1_320), _moments, _zones)
def test_quiet_hours_end_at_the_first_minute_that_is_not_quiet(
    start: int, length: int, at: int, zone: str
) -> None:
    span = ClockSpan(start, (start + length) % 1_440)
    found = quiet_until(span, at, zone)
    minute = at // MINUTE
    if not span.has(_of_day(minute, zone)):
        assert found is None
        return
    while span.has(_of_day(minute, zone)):
        minute += 1
    assert found == minute * MINUTE


def _of_day(minute: int, zone: str) -> int:
    local = datetime.fromtimestamp(minute * 60, UTC).astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute


@given(_moments, _zones, st.sampled_from(["day", "week", "month"]))
def test_a_period_of_the_calendar_begins_at_its_first_midnight(
    at: int, zone: str, name: Any
) -> None:
    begun = begin_of(Rate(1, calendar=name), at, zone)
    assert begun <= at
    one, other = (datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)) for ms in (begun, at))
    before = datetime.fromtimestamp((begun - 1) / 1000, ZoneInfo(zone))

    def period(moment: datetime) -> tuple[int, ...]:
        if name == "week":
            return tuple(moment.isocalendar())[:2]
        return (moment.year, moment.month, *([moment.day] if name == "day" else []))

    assert period(one) == period(other) != period(before)
