"""huitou goals, and how much of a goal is reached, beside the figures of huitou report."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import delete
from typer.testing import CliRunner

from streams.cli.endings import EXIT_DOUBT, EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.cli.main import app
from streams.query.connecting import Database
from streams.query.goals import Goal, goals, set_goal
from streams.reports.goals import days_of, figure_named, value_of
from tests.query.events import placed
from tests.reports.histories import DAY, fill
from tests.reports.test_examples import paid

Run = Callable[..., Result]
CLOCK = ("--time-zone", "UTC", "--currency", "CNY")
JANUARY = ("--shop", "shop", "--from", "2026-01-01", "--to", "2026-01-31")


@pytest.fixture
def huitou(store: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A store with paid orders of 123.45 and 1.00 on the first two days of 2026, and one of unknown amount
    in February; Kafka is away.
    """
    fill(store, placed([paid(1, 10, 12_345), paid(2, DAY, 100), paid(3, 40 * DAY, None, "c3")], 1))
    monkeypatch.setenv("HUITOU_QUERY_STORE", str(store.url))
    monkeypatch.setenv("HUITOU_TOPIC_PREFIX", "elsewhere.")
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("COLUMNS", "400")

    def run(*arguments: str, code: int = 0) -> Result:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exit_code == code, done.output
        return done

    yield run
    with store.writing() as connection:
        connection.execute(delete(goals))


def set_(huitou: Run, figure: str, period: str, value: str, *more: str, code: int = 0) -> Result:
    return huitou(
        "goals", "set", "--shop", "shop", "--figure", figure, "--period", period, "--value", value,
        *more, code=code,
    )  # fmt: skip


def rows(huitou: Run, *arguments: str) -> list[dict[str, Any]]:
    said = huitou("report", *arguments, *CLOCK, "--json").stdout
    found: list[dict[str, Any]] = json.loads(said)["rows"]
    return found


def test_a_goal_stands_beside_its_figure_where_the_period_is_its_own(huitou: Run) -> None:
    set_(huitou, "paid_amount", "2026-01", "1,000.00", "--currency", "CNY")
    set_(huitou, "paid_orders", "2026-01", "1")
    set_(huitou, "order_value", "2026-01-02", "0.50", "--currency", "CNY")
    whole, first, second, *_ = rows(huitou, "overview", *JANUARY, "--by", "day")
    assert whole["goals"] == {
        "paid_amount": {"goal": 100_000, "currency": "CNY", "progress": 0.12445},
        "paid_orders": {"goal": 1, "progress": 2.0},
    }
    assert "goals" not in first
    assert second["goals"] == {"order_value": {"goal": 50, "currency": "CNY", "progress": 2.0}}
    (by_month,) = rows(huitou, "overview", *JANUARY[:-1], "2026-02-15", "--by", "month")[1:2]
    assert set(by_month["goals"]) == {"paid_amount", "paid_orders"}
    # The period cuts its month.
    cut = rows(huitou, "overview", *JANUARY[:-1], "2026-01-30", "--by", "month")
    assert not any("goals" in row for row in cut)


def test_a_week_s_goal_is_of_the_whole_week(huitou: Run) -> None:
    set_(huitou, "paid_orders", "2026-W02", "10")
    whole = ("--shop", "shop", "--from", "2026-01-05", "--to", "2026-01-18", "--by", "week")
    assert ["goals" in row for row in rows(huitou, "overview", *whole)] == [False, True, False]
    cut = ("--shop", "shop", "--from", "2026-01-06", "--to", "2026-01-18", "--by", "week")
    assert not any("goals" in row for row in rows(huitou, "overview", *cut))


def test_people_see_the_goal_and_its_percent(huitou: Run) -> None:
    set_(huitou, "paid_amount", "2026-01", "1000", "--currency", "CNY")
    set_(huitou, "paid_amount", "2026-01-01", "98.76", "--currency", "CNY")
    out = huitou("report", "overview", *JANUARY, *CLOCK).stdout
    assert "reached" in out
    assert "1,000.00 CNY │ 12.4 %" in out
    parts = huitou("report", "overview", *JANUARY, *CLOCK, "--by", "day", "--compare", "previous")
    assert re.search(r"goal 98.76 *CNY", parts.stdout)
    assert "(125.0 %)" in parts.stdout
    without = huitou("report", "overview", *JANUARY[:-1], "2026-01-30", *CLOCK).stdout
    assert "reached" not in without


def test_csv_has_columns_for_the_figures_with_a_goal(huitou: Run) -> None:
    set_(huitou, "paid_amount", "2026-01-02", "2", "--currency", "CNY")
    for compare in ((), ("--compare", "previous")):
        out = huitou(
            "report", "overview", *JANUARY, *CLOCK, "--by", "day", "--csv", *compare
        ).stdout
        lines = list(csv.DictReader(io.StringIO(out)))
        goals_of = [(line["paid_amount_goal"], line["paid_amount_progress"]) for line in lines[:4]]
        assert goals_of == [("", ""), ("", ""), ("200", "0.5"), ("", "")]
        assert "paid_orders_goal" not in lines[0]
        assert all(None not in line and None not in line.values() for line in lines)


def test_what_cannot_be_compared_says_why(huitou: Run, store: Database) -> None:
    set_(huitou, "paid_amount", "2026-02", "50", "--currency", "CNY")
    set_(huitou, "paid_amount", "2026-01", "5000", "--currency", "EUR")
    # Of a report that this build does not know, or defines otherwise: not shown, and no error.
    with store.writing() as connection:
        for report, figure in (("gone", "paid_orders"), ("products", "paid_orders")):
            set_goal(connection, Goal("shop", report, figure, *days_of("2026-01"), Decimal(1)))
    (whole,) = rows(huitou, "overview", *JANUARY)
    assert whole["goals"]["paid_amount"]["progress"] is None
    assert whole["goals"]["paid_amount"]["why"] == "the goal is in EUR, the figure in CNY"
    assert set(whole["goals"]) == {"paid_amount"}
    february = ("--shop", "shop", "--from", "2026-02-01", "--to", "2026-02-28")
    (unknown,) = rows(huitou, "overview", *february)
    assert unknown["goals"]["paid_amount"] == {
        "goal": 5_000, "currency": "CNY", "progress": None, "why": "1 of 1 orders tell no amount",
    }  # fmt: skip
    shown = huitou("report", "overview", *JANUARY, *CLOCK).stdout
    assert "paid_amount: the goal is in EUR, the figure in CNY" in shown
    as_csv = huitou("report", "overview", *JANUARY, *CLOCK, "--csv").stdout
    assert "paid_amount: the goal is in EUR, the figure in CNY" in as_csv


def test_the_same_definition_in_another_report_has_the_goal_too(huitou: Run) -> None:
    set_(huitou, "per_buyer", "2026-01", "60", "--currency", "CNY")
    for name in ("overview", "payments"):
        whole = rows(huitou, name, *JANUARY)[0]
        assert whole["goals"]["per_buyer"]["goal"] == 6_000


def test_goals_are_listed_set_again_and_removed(huitou: Run) -> None:
    assert "No goals." in huitou("goals", "list").stdout
    first = set_(huitou, "paid_amount", "2026-11", "100000.00", "--currency", "CNY", "--json")
    assert json.loads(first.stdout) == {
        "shop": "shop", "report": "overview", "figure": "paid_amount", "value": 10_000_000,
        "currency": "CNY", "from": "2026-11-01", "to": "2026-11-30", "changed": True,
    }  # fmt: skip
    again = set_(huitou, "paid_amount", "2026-11-01..2026-11-30", "100000", "--currency", "CNY")
    assert "it was so already" in again.stdout
    listed = huitou("goals", "list", "--shop", "shop")
    assert "100,000.00 CNY" in listed.stdout
    assert json.loads(huitou("goals", "list", "--shop", "other", "--json").stdout) == []
    one = ("--shop", "shop", "--figure", "paid_amount", "--period", "2026-11")
    assert "removed" in huitou("goals", "remove", *one).stdout
    assert "there is no such goal" in huitou("goals", "remove", *one, code=EXIT_FOUND).stderr


@pytest.mark.parametrize(
    ("figure", "period", "value", "said"),
    [
        ("paid_amont", "2026-11", "1", "no figure 'paid_amont'; there are "),
        ("paid_orders", "November", "1", "'November' is no period: write 2026, 2026-11"),
        ("paid_orders", "2026-13", "1", "is no period"),
        ("paid_orders", "2026-11-30..2026-11-01", "1", "no period"),
        ("paid_orders", "2026-11", "many", "'many' is no number"),
        ("paid_orders", "2026-11", "nan", "'nan' is no number"),
        ("paid_orders", "2026-11", "1.5", "is a number of things"),
        ("paid_orders", "2026-11", "0", "cannot be a goal"),
        ("paid_orders", "2026-11", "-1", "cannot be a goal"),
        ("paid_amount", "2026-11", "1.005", "CNY has 2 decimal digits"),
    ],
)
def test_a_mistake_is_said_with_what_is_right(
    huitou: Run, figure: str, period: str, value: str, said: str
) -> None:
    code = ("--currency", "CNY") if figure == "paid_amount" else ()
    done = set_(huitou, figure, period, value, *code, code=EXIT_USAGE)
    assert said in done.stderr
    if figure == "paid_amont":
        assert "paid_amount" in done.stderr
    assert "No goals." in huitou("goals", "list").stdout


def test_a_count_has_no_currency_and_money_not_an_unknown_one(huitou: Run) -> None:
    wrong = set_(huitou, "paid_orders", "2026-11", "1", "--currency", "CNY", code=EXIT_USAGE)
    assert "no amount of money" in wrong.stderr
    unknown = set_(huitou, "paid_amount", "2026-11", "1", code=EXIT_DOUBT)
    assert "say --currency" in unknown.stderr


def test_without_a_store_nothing_is_made(huitou: Run, tmp_path: Any) -> None:
    nowhere = tmp_path / "nowhere.sqlite"
    done = set_(
        huitou, "paid_orders", "2026-11", "1", "--store", f"sqlite:///{nowhere}", code=EXIT_REFUSED
    )
    assert "`huitou sink` makes" in done.stderr
    assert not nowhere.exists()


@pytest.mark.parametrize(
    ("report", "figure", "text", "value"),
    [
        ("rfm", "share", "12.5 %", Decimal("0.125")),
        ("rfm", "share", "0.125", Decimal("0.125")),
        ("overview", "paid_orders", "1,200", Decimal(1200)),
        ("overview", "paid_amount", "100000.00", Decimal(10_000_000)),
        ("reviews", "average_rating", "4.50", Decimal("4.5")),
    ],
)
def test_values_are_in_the_figure_s_unit(
    report: str, figure: str, text: str, value: Decimal
) -> None:
    assert value_of(text, figure_named(figure, report).figure, "CNY") == value


def test_a_time_is_written_with_its_unit() -> None:
    from streams.reports.registry import REPORTS

    times = [f for each in REPORTS.values() for f in each.figures if f.unit == "ms"]
    assert value_of("1.5 d", times[0], None) == Decimal(129_600_000)
    with pytest.raises(ValueError, match="write 36h"):
        value_of("36", times[0], None)
