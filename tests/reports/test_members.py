"""Members by tier: what people can work out by hand, at the ends of months and periods."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from schemas.settings import STACK, Tier
from schemas.settings import Settings as Version
from streams.definitions import Definitions
from streams.domain.shop import DEFAULT_TIERS
from streams.query.connecting import Database
from streams.reports.answer import answer
from streams.reports.currencies import FOREVER, tier_spans
from streams.reports.model import TierSpan
from streams.reports.registry import REPORTS
from tests.query.events import event
from tests.query.expected import ORDERS, PROFILES
from tests.reports.asking import asked, by_key, figures, moment_ms, rows
from tests.reports.histories import DAY
from tests.reports.oracle import Unknown
from tests.reports.test_command import CLOCK, Run, huitou
from tests.reports.test_customers import DAYS, counts, erasure
from tests.reports.test_examples import asked_of, paid

__all__ = ["huitou"]


def test_a_tier_is_reached_at_once_and_kept_until_the_year_rolls_past_a_month(
    store: Database,
) -> None:
    """Of 10 and 20 January 2025, the second makes the tier; in 2026 January's last day is past both."""
    events = [paid(n, (day - 365) * DAY, 30_000) for n, day in ((1, 9), (2, 19))]
    for first, last, tier, up, down in (
        ("2025-01-10", "2025-01-19", "none", 0, 0),
        ("2025-01-10", "2025-01-20", "silver", 1, 0),
        ("2025-01-21", "2025-12-31", "silver", 0, 0),
        ("2026-01-01", "2026-01-31", "silver", 0, 0),
        ("2026-01-01", "2026-02-01", "none", 0, 1),
        ("2026-02-01", "2026-02-01", "none", 0, 1),
        ("2026-02-02", "2026-02-02", "none", 0, 0),
    ):
        question = asked_of(store, events, first, last)
        found = rows(store, question, "members")
        assert counts(found) == {tier: 1}, (first, last)
        whole = figures(found[0])
        assert (whole["moved_up"], whole["moved_down"]) == (up, down), (first, last)


def test_amounts_are_of_the_period_and_cancelled_orders_take_the_tier_away(store: Database) -> None:
    events = [paid(1, 0, 30_000), paid(2, 40 * DAY, 30_000), paid(3, 40 * DAY, 500, "c2")]
    question = asked_of(store, events, "2026-02-01", "2026-02-28")
    found = by_key(rows(store, question, "members"))
    assert (found["silver"]["paid_orders"], found["silver"]["paid_amount"]) == (1, 30_000)
    assert (found["none"]["paid_orders"], found["none"]["paid_amount"]) == (1, 500)
    back = event(ORDERS, "back", 90 * DAY, "c1", order_id="o2", status="cancelled")
    question = asked_of(store, [*events, (ORDERS, back)], "2026-02-01", "2026-02-28")
    whole = rows(store, question, "members")
    assert counts(whole) == {"none": 2}
    assert figures(whole[0])["moved_up"] == 0
    # It was paid in the period all the same.
    assert figures(whole[0])["paid_amount"] == 30_500


def test_parts_are_from_the_highest_tier_to_none_and_those_not_known(store: Database) -> None:
    events = [paid(1, 0, 30_000), erasure(5 * DAY), paid(2, 10 * DAY, 40_000), paid(3, 0, 1, "c2")]
    question = asked_of(store, events, "2026-01-01", "2026-01-31")
    found = rows(store, question, "members")
    assert [row.key for row in found[1:]] == ["platinum", "gold", "silver", "none", None]
    assert counts(found) == {"none": 1, None: 1}
    unknown = figures(found[-1])
    assert (unknown["moved_up"], unknown["paid_amount"]) == (Unknown(0), Unknown(40_000))
    assert unknown["erased_customers"] == 1
    why = found[0].values["moved_up"].why
    assert why == "of 1 of 2 customers the tier at one of the period's ends is not known"
    # A year and the rest of a month later nothing rests on what was before.
    question = asked_of(store, [*events, paid(4, 370 * DAY, 60_000)], "2027-03-01", "2027-03-31")
    assert figures(rows(store, question, "members")[0])["moved_up"] == 0


def test_an_order_without_an_amount_counts_and_adds_no_money(store: Database) -> None:
    question = asked_of(store, [paid(1, 0, 49_999), paid(2, 1, None)], "2026-01-01", "2026-01-31")
    found = rows(store, question, "members")
    assert counts(found) == {"none": 1}
    assert figures(found[0])["paid_amount"] == Unknown(49_999)


def test_both_ends_are_judged_by_the_tiers_of_the_last_moment(store: Database) -> None:
    one = (Tier(name="one", orders=1),)
    spans = (
        TierSpan(moment_ms("2026-01-31T00:00:00+00:00"), DEFAULT_TIERS), TierSpan(FOREVER, one),
    )  # fmt: skip
    for last, wanted in ((date(2026, 1, 30), "none"), (date(2026, 1, 31), "one")):
        question = asked_of(store, [paid(1, 0)], "2026-01-30", str(last))
        with store.reading() as connection:
            whole = replace(asked(connection, question, "members"), tiers=spans)
            told = answer(connection, REPORTS["members"], whole, None)
        found = [line.row for line in told.lines]
        assert counts(found) == {wanted: 1}
        assert figures(found[0])["moved_up"] == 0
        assert any(f"Tiers at the end of {last} (the shop's then)" in note for note in told.notes)


def test_tiers_follow_from_the_versions_of_the_settings() -> None:
    one = (Tier(name="one", orders=1),)

    def version(number: int, day: int, tiers: Any) -> Version:
        moment = datetime(2026, 1, day, tzinfo=UTC)
        return Version(shop_id="shop", version=number, effective_from=moment, tiers=tiers)

    stack = Version(shop_id=STACK, version=1, effective_from=datetime(2026, 1, 1, tzinfo=UTC))
    versions = [version(1, 1, None), version(2, 5, one), stack]
    assert tier_spans(Definitions(versions), "shop") == (
        TierSpan(moment_ms("2026-01-05T00:00:00+00:00"), DEFAULT_TIERS), TierSpan(FOREVER, one),
    )  # fmt: skip
    assert tier_spans(Definitions(), "shop") == (TierSpan(FOREVER, DEFAULT_TIERS),)


def test_the_command_says_whose_tiers_these_are(huitou: Run) -> None:
    out = huitou("members", *DAYS, *CLOCK).stdout
    assert "Tiers at the end of 2026-01-02 (the defaults: the shop's own were not read)" in out
    assert "silver 2 and 50,000" in out
    assert "platinum" in out


def joined(customer: str, at: float) -> Any:
    name = f"j-{customer}"
    return PROFILES, event(PROFILES, name, at, customer, action="joined_membership")


def test_points_are_earned_from_joining_on_and_expire_after_a_year(store: Database) -> None:
    """c1 joined on 10 January 2025: what was paid before earns nothing, 30 January's expire in a year."""
    events = [
        joined("c1", -356 * DAY), joined("c9", 0), joined("later", 300 * DAY),
        paid(1, -360 * DAY, 99_900), paid(2, -336 * DAY, 12_345), paid(3, 3 * DAY, 555),
        paid(4, 3 * DAY, 70_000, "c2"),
    ]  # fmt: skip
    events[5][1]["data"]["points_used"] = 120
    found = rows(store, asked_of(store, events, "2026-01-01", "2026-01-05"), "members")
    whole, parts = figures(found[0]), by_key(found)
    assert (whole["members"], whole["members_without_order"]) == (1, 1)
    assert (whole["points_earned"], whole["points_expiring"]) == (123 + 5, 123)
    assert whole["points_used_amount"] == 120
    assert parts["none"]["members_without_order"] == 1
    assert sum(part["points_earned"] for part in parts.values()) == 128
    # A day of which money is not known may have earned more.
    unknown = [*events, paid(5, DAY, None)]
    found = rows(store, asked_of(store, unknown, "2026-01-01", "2026-01-05"), "members")
    assert figures(found[0])["points_earned"] == Unknown(128)
    # A year after the second order its points are gone, and the third's are not.
    found = rows(store, asked_of(store, events, "2026-02-01", "2026-02-28"), "members")
    assert (figures(found[0])["points_earned"], figures(found[0])["points_expiring"]) == (5, 0)
    assert figures(found[0])["points_used_amount"] == Unknown()


def test_who_is_a_member_is_not_known_of_a_shop_that_tells_no_profiles(store: Database) -> None:
    found = rows(store, asked_of(store, [paid(1, 0, 500)], "2026-01-01", "2026-01-01"), "members")
    for name in ("members", "members_without_order", "points_earned", "points_expiring"):
        assert found[0].values[name].why == "the shop has told no profile yet"
