"""Figures that people can work out by hand, at the places where reports go wrong."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from schemas.settings import STACK
from schemas.settings import Settings as Version
from streams.definitions import Definitions
from streams.query.connecting import Database
from streams.query.store import QueryStore, Stored
from streams.query.tables import order_events
from streams.reports.currencies import spans
from streams.reports.model import Asked, CurrencySpan
from streams.reports.period import Period, offsets, start_of
from streams.reports.reach import reach
from streams.reports.registry import REPORTS
from tests.query.events import event, placed
from tests.query.expected import ORDERS, REVIEWS, Published
from tests.reports.asking import FOREVER, by_key, figures, moment_ms, rows, said
from tests.reports.histories import DAY, HOUR, fill
from tests.reports.oracle import Question, Unknown

#: Seconds after 2026 began: Berlin's clock goes from 02:00 to 03:00 on 29 March, from 03:00 to 02:00 on 25
#: October.
SPRING, AUTUMN = 87 * DAY + HOUR, 297 * DAY + HOUR


def paid(
    number: int, at: float, amount: int | None = 100, customer: str = "c1", **data: Any
) -> Any:
    return ORDERS, event(
        ORDERS, f"e{number}", at, customer, order_id=f"o{number}", status="paid", amount_paid=amount, **data
    )  # fmt: skip


def asked_of(
    store: Database, events: list[Any], first: str, last: str, zone: str = "UTC", **more: Any
) -> Question:
    published: list[Published] = placed(events, 1)
    fill(store, published)
    return Question(published, date.fromisoformat(first), date.fromisoformat(last), zone, **more)


def test_a_day_is_one_of_the_shops_clock_when_it_changes(store: Database) -> None:
    events = [
        paid(number, at)
        for number, at in enumerate(
            (SPRING - 0.001, SPRING, AUTUMN - 1, AUTUMN, 86 * DAY + 23 * HOUR)
        )
    ]
    question = asked_of(store, events, "2026-03-29", "2026-03-29", "Europe/Berlin")
    found = by_key(rows(store, question, "hours"))
    assert {hour: n for hour, values in found.items() if (n := values["paid_orders"])} == {
        "00": 1, "01": 1, "03": 1,
    }  # fmt: skip
    question.first = question.last = date(2026, 10, 25)
    found = by_key(rows(store, question, "hours"))
    assert found["02"]["paid_orders"] == 2, "that hour comes twice"
    spring = Period(date(2026, 3, 29), date(2026, 3, 29), "Europe/Berlin")
    autumn = Period(date(2026, 10, 25), date(2026, 10, 25), "Europe/Berlin")
    assert [(p.until_ms - p.since_ms) // 3_600_000 for p in (spring, autumn)] == [23, 25]
    changes = offsets(spring.since_ms, autumn.until_ms, "Europe/Berlin")
    assert [one.until_ms for one in changes[:2]] == [
        moment_ms("2026-03-29T01:00:00+00:00"), moment_ms("2026-10-25T01:00:00+00:00"),
    ]  # fmt: skip


def test_a_day_without_a_midnight_and_a_date_that_there_was_not() -> None:
    assert start_of(date(2018, 11, 4), "America/Sao_Paulo") == moment_ms(
        "2018-11-04T03:00:00+00:00"
    )
    skipped = Period(date(2011, 12, 29), date(2011, 12, 31), "Pacific/Apia").buckets("day")
    assert [(one.until_ms - one.since_ms) // 3_600_000 for one in skipped] == [24, 0, 24]


def test_several_currencies_are_never_added_together(store: Database) -> None:
    turn = moment_ms("2026-01-02T00:00:00+00:00")
    events = [paid(1, DAY - 1, 70, region="north"), paid(2, DAY, 30, region="north"),
              paid(3, DAY, 30, "c2", region="south")]  # fmt: skip
    question = asked_of(store, events, "2026-01-01", "2026-01-02", turn_ms=turn)
    answer = said(store, question, "overview", "day")
    whole, first, second = [line.row for line in answer.lines]
    assert figures(whole)["paid_amount"] == {"CNY": 70, "USD": 60}
    assert whole.values["paid_amount"].number is None
    assert whole.values["per_buyer"].number is None
    assert (first.values["paid_amount"].number, first.values["paid_amount"].currency) == (70, "CNY")
    assert (second.values["paid_amount"].number, second.values["per_buyer"].currency) == (60, "USD")
    assert by_key(rows(store, question, "regions"))["north"]["paid_amount"] == {
        "CNY": 70,
        "USD": 30,
    }


def test_amounts_of_two_currencies_make_no_share_and_no_change(store: Database) -> None:
    turn = moment_ms("2026-01-03T00:00:00+00:00")
    refund = {"order_id": "o1", "status": "refunded", "refund_id": "r1", "amount": 70}
    events = [paid(1, 0, 70), paid(2, 2 * DAY, 30),
              (ORDERS, event(ORDERS, "e3", 2 * DAY, "c1", **refund))]  # fmt: skip
    question = asked_of(store, events, "2026-01-03", "2026-01-03", turn_ms=turn)
    (row, *_) = rows(store, question, "refunds", "day")
    assert row.values["refunded_amount"].currency == "CNY"
    assert row.values["refund_amount_rate"].why == "CNY and USD make no share"
    assert row.values["refund_rate"].number == 1
    question.first = question.last = date(2026, 1, 3)
    question = Question(question.published, date(2026, 1, 3), date(2026, 1, 4), "UTC", turn)
    change = said(store, question, "overview", "whole", compare="previous").lines[0].changes
    assert change is not None
    assert change["paid_orders"].by == 0
    assert (change["paid_amount"].before.number, change["paid_amount"].before.currency) == (
        70,
        "CNY",
    )
    assert (change["paid_amount"].by, change["paid_amount"].part) == (None, None)


def test_days_of_two_years_are_compared_by_their_dates(store: Database) -> None:
    question = asked_of(store, [], "2024-02-28", "2024-03-02")
    answer = said(store, question, "overview", "day", compare="year")
    pairs = {line.row.key: line.compared_key for line in answer.lines if line.row.kind == "part"}
    assert pairs == {
        "2024-02-28": "2023-02-28", "2024-02-29": None,
        "2024-03-01": "2023-03-01", "2024-03-02": "2023-03-02",
    }  # fmt: skip
    assert any("There is a February 29" in note for note in answer.notes)


def test_of_days_of_two_years_each_has_its_own_of_the_year_before(store: Database) -> None:
    question = asked_of(store, [], "2025-01-01", "2026-12-31")
    answer = said(store, question, "overview", "day", compare="year")
    pairs = {line.row.key: line.compared_key for line in answer.lines if line.row.kind == "part"}
    assert len(pairs) == 730
    assert all(pairs[day] == f"{int(day[:4]) - 1}{day[4:]}" for day in pairs if day)


def test_who_tells_payments_only_is_not_known_to_have_none_that_wait(store: Database) -> None:
    question = asked_of(store, [paid(1, 0)], "2026-01-01", "2026-01-01")
    whole = rows(store, question, "overview", "whole")[0]
    assert whole.values["unpaid_orders"].why == "no order says when it was placed"


def test_without_a_verdict_nobody_knows_whether_any_order_is_judged(store: Database) -> None:
    question = asked_of(store, [paid(1, 0)], "2026-01-01", "2026-01-01")
    for row in rows(store, question, "brushing", "whole"):
        assert all(value.number is None and value.why for value in row.values.values())


def test_an_order_whose_money_went_back_before_it_left_is_not_open(store: Database) -> None:
    refund = {"order_id": "o1", "status": "refunded", "refund_id": "r1", "amount": 100}
    events = [paid(1, 0), paid(2, 1), (ORDERS, event(ORDERS, "e3", 2, "c1", **refund))]
    question = asked_of(store, events, "2026-01-01", "2026-01-01")
    assert figures(rows(store, question, "fulfilment", "whole")[0])["open_orders"] == 1


def test_a_period_of_more_than_a_century_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 36,600 days"):
        Period(date(1971, 1, 1), date(9990, 12, 31), "Europe/Berlin")


def test_an_order_of_unknown_amount_makes_the_sum_unknown_and_says_so(store: Database) -> None:
    question = asked_of(store, [paid(1, 0), paid(2, 1, None)], "2026-01-01", "2026-01-01")
    (row,) = rows(store, question, "overview", "whole")
    amount = row.values["paid_amount"]
    assert (amount.number, amount.why, amount.at_least) == (
        None,
        "1 of 2 orders tell no amount",
        100,
    )
    assert figures(row)["paid_orders"] == 2
    assert row.values["order_value"].why == "1 of 2 orders tell no amount"
    assert row.values["visitors"].why == "live figures were not read"


def test_averages_are_rounded_half_up_and_of_nobody_unknown(store: Database) -> None:
    question = asked_of(store, [paid(1, 0, 3), paid(2, 1, 2)], "2026-01-01", "2026-01-02")
    _, first, second = [figures(row) for row in rows(store, question, "overview", "day")]
    assert (first["order_value"], first["per_buyer"]) == (3, 5)
    assert (second["order_value"], second["paid_amount"]) == (Unknown(), 0)


def test_two_orders_whose_ids_are_one_text_are_two(store: Database) -> None:
    line = [{"sku": "a"}]
    events = [
        (
            ORDERS,
            event(
                ORDERS, f"{customer}{order}", 0, customer, order_id=order, status="paid", lines=line
            ),
        )
        for customer, order in (("c1", "1o"), ("c11", "o"))
    ]
    question = asked_of(store, events, "2026-01-01", "2026-01-01")
    assert by_key(rows(store, question, "products"))["a"]["paid_orders"] == 2


def test_sums_beyond_sixty_four_bits_are_exact(store: Database) -> None:
    line = {"sku": "a", "unit_price": 10**12, "quantity": 10**6}
    question = asked_of(store, [paid(1, 0, lines=[line] * 30)], "2026-01-01", "2026-01-01")
    assert by_key(rows(store, question, "products"))["a"]["goods_amount"] == 30 * 10**18 > 2**64


def test_compared_are_the_same_parts_and_what_is_not_among_them(store: Database) -> None:
    before = [paid(1, 0, 100, region="north"), paid(2, 1, 50, "c2", region="west")]
    now = [paid(3, DAY, 80, region="north"), paid(4, DAY, 10, region="south")]
    question = asked_of(store, [*before, *now], "2026-01-02", "2026-01-02")
    lines = said(store, question, "regions", compare="previous").lines
    told = {
        (line.row.kind, line.row.key): (
            line.row.values["paid_amount"].number,
            line.changes and line.changes["paid_amount"].before.number,
            line.changes and line.changes["paid_amount"].by,
            line.changes and line.changes["paid_amount"].part,
        )
        for line in lines
    }
    assert told == {
        ("whole", None): (90, 150, -60, -0.4), ("part", "north"): (80, 100, -20, -0.2),
        ("part", "south"): (10, 0, 10, None), ("others", None): (0, 50, -50, -1.0),
    }  # fmt: skip


def test_a_year_before_february_29_is_the_28_and_it_is_said(store: Database) -> None:
    question = asked_of(store, [], "2028-02-28", "2028-02-29")
    answer = said(store, question, "overview", "day", compare="year")
    assert answer.compared is not None
    assert (str(answer.compared.first), str(answer.compared.last)) == ("2027-02-28", "2027-02-28")
    assert any("There is a February 29" in note for note in answer.notes)
    assert [line.changes is None for line in answer.lines] == [False, False, True]
    assert Period(date(2024, 3, 1), date(2024, 3, 31), "UTC").previous() == Period(
        date(2024, 1, 30), date(2024, 2, 29), "UTC"
    )


def test_what_lies_before_the_stores_beginning_is_unknown(store: Database) -> None:
    """Retention had removed the topic's beginning; the first record that was left is of 12:00, 2 January."""
    published = placed([paid(1, 1.5 * DAY), paid(2, 2.5 * DAY), paid(3, 2.6 * DAY, None)], 1)
    moved = [one._replace(place=(ORDERS, 0, 5 + one.place[2])) for one in published]
    fill(store, moved, first_offset=5)
    question = Question(moved, date(2026, 1, 2), date(2026, 1, 3), "UTC")
    whole, second, third = rows(store, question, "overview", "day")
    for row, least in ((whole, 3), (second, 1)):
        value = row.values["paid_orders"]
        assert (value.number, value.at_least) == (None, least)
        assert value.why == "the store has this shop's orders from 2026-01-02 12:00:00 on only"
        assert row.values["buyers"].number is None
        assert row.values["buyers"].at_least is None
    assert third.values["paid_orders"].number == 2
    question.first = date(2026, 1, 3)
    found = rows(store, question, "repurchase")
    assert found[0].values["buyers"].number == 1
    assert found[0].values["return_rate"].number is None
    assert found[1].values["buyers"].number is None
    assert rows(store, question, "intervals", "whole")[0].values["intervals"].at_least == 2


def test_a_store_without_any_order_knows_nothing(store: Database) -> None:
    question = asked_of(store, [], "2026-01-01", "2026-01-01")
    with store.writing() as connection:
        connection.exec_driver_sql("DELETE FROM sink_offsets")
    for name in REPORTS:
        whole = rows(store, question, name)[0]
        assert {value.number for value in whole.values.values()} == {None}, name
        assert all(value.why for value in whole.values.values())
    whole = rows(store, question, "reviews")[0]
    assert whole.values["reviews"].why == "the store has no order yet: `huitou sink` fills it"


def test_more_parts_by_time_than_anybody_reads_are_refused(store: Database) -> None:
    question = asked_of(store, [], "2020-01-01", "2026-01-01")
    with pytest.raises(ValueError, match="2,193 days are more than the 1,000 that are shown"):
        rows(store, question, "overview", "day")
    with pytest.raises(ValueError, match="the first day comes first"):
        Period(date(2026, 1, 2), date(2026, 1, 1), "UTC")


def test_a_shops_currencies_follow_the_versions_of_its_settings() -> None:
    def version(shop_id: str, number: int, day: int, currency: str | None) -> Version:
        since = datetime(2026, 1, day, tzinfo=UTC)
        return Version(shop_id=shop_id, version=number, effective_from=since, currency=currency)

    assert spans(Definitions(), "shop") == (CurrencySpan(FOREVER, "CNY"),)
    versions = [
        # The first version holds since ever, whatever its moment.
        version("shop", 1, 5, "JPY"), version("shop", 2, 7, "USD"), version("shop", 3, 8, "USD"),
        version("shop", 4, 9, "JPY"), version(STACK, 1, 1, "EUR"), version(STACK, 2, 6, "GBP"),
    ]  # fmt: skip
    assert spans(Definitions(versions), "shop") == (
        CurrencySpan(moment_ms("2026-01-07T00:00:00+00:00"), "JPY"),
        CurrencySpan(moment_ms("2026-01-09T00:00:00+00:00"), "USD"),
        CurrencySpan(FOREVER, "JPY"),
    )
    assert spans(Definitions(versions), "another") == (
        CurrencySpan(moment_ms("2026-01-06T00:00:00+00:00"), "EUR"), CurrencySpan(FOREVER, "GBP"),
    )  # fmt: skip


def test_a_currency_that_comes_back_is_one_sum(store: Database) -> None:
    question = asked_of(
        store, [paid(1, 0, 1), paid(2, DAY, 20), paid(3, 2 * DAY, 300)], "2026-01-01", "2026-01-03"
    )
    day = [moment_ms(f"2026-01-0{number}T00:00:00+00:00") for number in (2, 3)]
    currencies = (
        CurrencySpan(day[0], "JPY"), CurrencySpan(day[1], "USD"), CurrencySpan(FOREVER, "JPY"),
    )  # fmt: skip
    period = Period(question.first, question.last, "UTC")
    with store.reading() as connection:
        (row,) = REPORTS["overview"].rows(connection, Asked("shop", period, currencies=currencies))
    assert row.values["paid_amount"].by_currency == {"JPY": 301, "USD": 20}


@pytest.mark.long
def test_every_figure_is_named_once_and_every_row_has_all(store: Database) -> None:
    question = asked_of(store, [paid(1, 0, lines=[{"sku": "a"}])], "2026-01-01", "2026-01-01")
    for name, report in REPORTS.items():
        names = [figure.name for figure in report.figures]
        assert len(set(names)) == len(names)
        for by in ("whole", *report.dimensions):
            for row in rows(store, question, name, by):
                assert sorted(row.values) == sorted(names), (name, by)
        assert isinstance(report.rows, type(rows))
        assert report.by is None or report.by in report.dimensions
    assert Asked("s", Period(date(2026, 1, 1), date(2026, 1, 1), "UTC")).whole_life() is None


def test_a_refund_takes_what_those_before_it_have_left(store: Database) -> None:
    """r2 came first: 60 of 100; r1 is of the whole order: the other 40; r3 finds nothing left."""
    refunds = [
        (ORDERS, event(ORDERS, name, day * DAY, "c1", order_id="o1", status="refunded", refund_id=name,
                       amount=amount, reason=name))
        for name, day, amount in (("r2", 1, 60), ("r1", 2, None), ("r3", 3, 60))
    ]  # fmt: skip
    question = asked_of(store, [paid(1, 0), *refunds], "2026-01-01", "2026-01-04")
    found = by_key(rows(store, question, "refunds"))
    assert {name: values["refunded_amount"] for name, values in found.items()} == {
        "r1": 40, "r2": 60, "r3": 0,
    }  # fmt: skip
    question.first = question.last = date(2026, 1, 3)
    whole = figures(rows(store, question, "refunds")[0])
    assert (whole["refunded_amount"], whole["refunds"], whole["cohort_refunded_orders"]) == (
        40,
        1,
        0,
    )
    assert whole["refund_rate"] == Unknown(), "no order was paid on that day"


@pytest.mark.parametrize("compare", [None, "previous"])
def test_refunds_of_orders_of_the_period_that_were_none_of_it_are_others(
    store: Database, compare: str | None
) -> None:
    """Its refund came before the period, so the period has no part to show it in."""
    back = event(
        ORDERS, "back", -DAY, "c1", order_id="o1", status="refunded", refund_id="r", reason="broken", amount=9
    )  # fmt: skip
    question = asked_of(store, [paid(1, 1), (ORDERS, back)], "2026-01-01", "2026-01-31")
    found = [line.row for line in said(store, question, "refunds", "reason", compare=compare).lines]
    assert [row.kind for row in found] == ["whole", "others"]
    assert [row.values["cohort_refunded_orders"].number for row in found] == [1, 1]


def test_medians_and_percentiles(store: Database) -> None:
    """Ten orders shipped after 1 to 10 hours, and one that was shipped before it was paid."""
    shipped = [
        (
            ORDERS,
            event(
                ORDERS, f"s{number}", number * HOUR, "c1", order_id=f"o{number}", status="shipped"
            ),
        )
        for number in range(1, 11)
    ]
    early = (ORDERS, event(ORDERS, "s11", -HOUR, "c1", order_id="o11", status="shipped"))
    orders = [paid(number, 0, region="north" if number < 4 else "south") for number in range(1, 12)]
    question = asked_of(store, [*orders, *shipped, early], "2026-01-01", "2026-01-01")
    hour = HOUR * 1_000
    for by in ("whole", "day"):
        whole = figures(rows(store, question, "fulfilment", by)[-1])
        assert (whole["shipping_median"], whole["shipping_p90"]) == (5.5 * hour, 9 * hour)
        assert (whole["disordered_orders"], whole["shipped_orders"]) == (1, 11)
        assert whole["delivery_median"] == Unknown()
    cut = [figures(row) for row in rows(store, question, "fulfilment", "region", limit=1)]
    assert [(one["shipping_median"], one["shipping_p90"]) for one in cut] == [
        (5.5 * hour, 9 * hour), (7 * hour, 10 * hour), (2 * hour, 3 * hour),
    ]  # fmt: skip


def test_repurchase_counts_orders_and_days_apart(store: Database) -> None:
    """c1 pays twice on one day of Shanghai (two dates in UTC), c2 on two days, c3 in the window before."""
    events = [
        paid(1, 10 * DAY + 15 * HOUR), paid(2, 10 * DAY + 17 * HOUR, customer="c2"),
        paid(3, 11 * DAY + 1 * HOUR), paid(4, 10 * DAY + 17 * HOUR),
        paid(5, 12 * DAY, customer="c2"), paid(6, 8 * DAY, customer="c3"), paid(7, 8 * DAY, customer="c2"),
    ]  # fmt: skip
    question = asked_of(store, events[1:], "2026-01-11", "2026-01-13", "Asia/Shanghai")
    whole = figures(rows(store, question, "repurchase")[0])
    assert (whole["buyers"], whole["repeat_buyers"], whole["day_repeat_buyers"]) == (2, 2, 1)
    assert (whole["repurchase_rate"], whole["day_repurchase_rate"]) == (1, 0.5)
    assert (whole["previous_buyers"], whole["returned_buyers"], whole["return_rate"]) == (2, 1, 0.5)


@pytest.mark.parametrize(
    ("days", "name"),
    [(0.99, "under 1 day"), (1, "1-6 days"), (6.99, "1-6 days"), (7, "7-29 days"), (364.99, "180-364 days"),
     (365, "365 days and more")],
)  # fmt: skip
def test_an_interval_is_in_one_class(store: Database, days: float, name: str) -> None:
    # The orders' ids are not in the order of their times.
    question = asked_of(store, [paid(2, 0), paid(1, days * DAY)], "2026-01-01", "2027-01-02")
    found = by_key(rows(store, question, "intervals"))
    assert {key for key, values in found.items() if values["intervals"]} == {name}
    assert found[name]["interval_median"] == round(days * DAY * 1_000)


def test_cohorts_are_of_the_first_order_there_ever_was(store: Database) -> None:
    """c1 began in January, c2 before the period; February has ended at its end, March has not."""
    events = [
        paid(1, 0, 100), paid(2, 40 * DAY, 50), paid(3, -DAY, 7, "c2"), paid(4, DAY, 7, "c2"),
        paid(5, 41 * DAY, 30, "c3"), paid(6, 70 * DAY, 900),
    ]  # fmt: skip
    question = asked_of(store, events, "2026-01-01", "2026-03-05")
    found = by_key(rows(store, question, "cohorts"))
    assert [(name, values["customers"], values["month_1"]) for name, values in found.items()] == [
        ("2026-01", 1, 1), ("2026-02", 1, Unknown()), ("2026-03", 0, Unknown()),
    ]  # fmt: skip
    found = by_key(rows(store, question, "value"))
    assert [values["net_amount"] for values in found.values()] == [150, 30, 0]
    question.last = date(2026, 3, 31)
    found = by_key(rows(store, question, "cohorts"))
    assert [found["2026-01"][f"month_{number}"] for number in (1, 2, 3)] == [1, 1, Unknown()]
    assert by_key(rows(store, question, "value"))["2026-01"]["value_per_customer"] == 1_050


def test_a_removed_review_does_not_count(store: Database) -> None:
    events = [
        (REVIEWS, event(REVIEWS, f"{sku}-{action}", number, "c1", order_id="o1", sku=sku, action=action,
                        rating=rating))
        for number, (sku, action, rating) in enumerate(
            (("a", "removed", None), ("a", "posted", 1), ("b", "posted", 2), ("c", "posted", 5))
        )
    ]  # fmt: skip
    question = asked_of(store, events, "2026-01-01", "2026-01-01")
    whole = figures(rows(store, question, "reviews")[0])
    assert (whole["reviews"], whole["bad_reviews"], whole["average_rating"]) == (2, 1, 3.5)


def test_the_store_reaches_back_as_far_as_its_youngest_beginning(store: Database) -> None:
    fill(store, placed([paid(1, 2 * DAY), paid(2, DAY), paid(3, 3 * DAY)], 1), first_offset=7)
    with store.writing() as connection:
        for number in range(3):
            of_order = order_events.c.order_id == f"o{number + 1}"
            connection.execute(order_events.update().where(of_order).values(partition=number))
    # The third partition was always whole: it says nothing of how far the others reach.
    QueryStore(store).begin(
        [Stored(ORDERS, number, "id", first, 8, None, 1, 0) for number, first in ((1, 7), (2, 0))]
    )
    with store.reading() as connection:
        assert reach(connection).since_ms == moment_ms("2026-01-03T00:00:00+00:00")
    QueryStore(store).begin([Stored(ORDERS, 3, "id", 7, 7, None, 0, 0)])
    with store.reading() as connection:
        assert reach(connection).why == "the store has nothing of shop.orders[3] any more"
