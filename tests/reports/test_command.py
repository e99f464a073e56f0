"""huitou report, as people and machines read it."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from streams.cli.endings import EXIT_DOUBT, EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.cli.main import app
from streams.query.connecting import Database
from streams.query.tables import sink_offsets
from streams.reports.documenting import MARK, markdown
from streams.reports.registry import REPORTS
from tests.query.events import event, placed
from tests.query.expected import PRODUCTS, REVIEWS
from tests.reports.histories import DAY, fill
from tests.reports.test_examples import paid

Run = Callable[..., Result]
DAYS = ("--shop", "shop", "--from", "2026-01-01", "--to", "2026-01-02")
CLOCK = ("--time-zone", "UTC", "--currency", "CNY")


@pytest.fixture
def huitou(store: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A store of three paid orders of two customers and three of other shops; Kafka is away."""
    events = [
        paid(1, 10, 12_345, region="north"), paid(2, DAY, 100, region="south"),
        paid(3, DAY + 1, None, "c2", region="south"),
        paid(4, 0, region="\x1b[2J\x1b[31mred", shop_id="odd"), paid(5, 0, region=":smile:", shop_id="odd"),
        paid(6, 0, region="=cmd|' /C calc'!A0", shop_id="sly"),
        paid(7, 0, shop_id="tea", lines=[{"sku": sku} for sku in ("t1", "t2", "t3")]),
        *(
            (PRODUCTS, event(PRODUCTS, f"p{sku}", 0, sku, sku=sku, shop_id=shop, action="listed", name=name))
            for shop, sku, name in (
                ("tea", "t1", "明前龙井"), ("tea", "t2", "=1+1 \x1b[2J[red]"), ("other", "t3", "not tea's"),
            )
        ),
    ]  # fmt: skip
    fill(store, placed(events, 1))
    monkeypatch.setenv("HUITOU_QUERY_STORE", str(store.url))
    # Offsets are held of topics of no such name, so that Kafka, which is away, is not waited for.
    monkeypatch.setenv("HUITOU_TOPIC_PREFIX", "elsewhere.")
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("COLUMNS", "250")

    def run(*arguments: str, code: int = 0) -> Result:
        done = CliRunner().invoke(app, ["report", *arguments])
        assert done.exit_code == code, done.output
        return done

    return run


def asked_as_json(huitou: Run, *arguments: str) -> Any:
    return json.loads(huitou(*arguments, "--json").stdout)


@pytest.mark.parametrize("width", [60, 100, 250])
def test_a_wide_table_is_told_in_several_and_no_head_is_cut(
    huitou: Run, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    said = huitou("refunds", *DAYS, *CLOCK, "--by", "day").stdout
    lines = said.splitlines()
    heads = [line for line in lines if line.startswith("┃ day")]
    names = [name.strip() for line in heads for name in line.strip("┃").split("┃")]
    figures = [figure.name for figure in REPORTS["refunds"].figures]
    told = [name for name in names if name != "day"]
    assert told == [name for name in figures if name in told]
    assert len(told) > 8
    assert {60: 8, 100: 4, 250: 2}[width] >= len(heads) >= {60: 4, 100: 2, 250: 1}[width]
    # Each of them names the days again.
    assert said.count("│ 2026-01-02 │") == len(heads)
    assert max(len(line) for line in lines if line.startswith(("┃", "│"))) <= width


def test_a_reason_is_said_once_with_all_figures_that_it_is_of(huitou: Run) -> None:
    said = huitou("refunds", "--shop", "odd", *DAYS[2:], *CLOCK, "--by", "day").stdout.splitlines()
    whys = [line.partition(": ") for line in said if line.startswith(("every figure: ", "refund"))]
    assert whys
    assert len({why for _, _, why in whys}) == len(whys)
    assert any(", " in names or names == "every figure" for names, _, _ in whys), whys


def test_a_table_for_people(huitou: Run) -> None:
    out = huitou("overview", *DAYS, *CLOCK, "--by", "day").stdout
    assert "2026-01-01 to 2026-01-02, both included, UTC" in out
    assert "- (at least 124.45 CNY)" in out
    unpriced = "paid_amount, net_amount, per_buyer, order_value: 1 of 3 orders tell no amount"
    assert unpriced in out
    assert "buyers_without_visit: Redis at redis://127.0.0.1:1 does not answer" in out
    assert "123.45 CNY" in out
    assert "The parts do not add up to the whole for buyers" in out
    assert "how far the store is behind is unknown" in out


def test_one_object_for_machines(huitou: Run) -> None:
    said = asked_as_json(huitou, "overview", *DAYS, *CLOCK, "--by", "day")
    whole, first, second = said["rows"]
    assert (whole["row"], first["row"], second["key"]) == ("whole", "part", "2026-01-02")
    assert whole["figures"]["buyers"] == 2
    assert whole["figures"]["paid_amount"] is None
    assert whole["why"]["paid_amount"] == "1 of 3 orders tell no amount"
    assert whole["at_least"]["paid_amount"] == 12_445
    assert whole["figures"]["visitors"] is None
    assert first["figures"]["per_buyer"] == 12_345
    assert first["currency"]["paid_amount"] == said["currency"] == "CNY"
    assert said["period"]["until_at"] == "2026-01-03T00:00:00Z"
    assert said["freshness"] == {"behind": None, "appended_at": None}
    assert "figures" not in said


def test_rows_for_a_spreadsheet(huitou: Run) -> None:
    out = huitou("regions", *DAYS, *CLOCK, "--csv", "--compare", "previous").stdout
    north, south = [row for row in csv.DictReader(io.StringIO(out)) if row["row"] == "part"]
    assert (north["key"], north["paid_amount"], north["paid_amount_before"], north["currency"]) == (
        "north", "12345", "0", "CNY",
    )  # fmt: skip
    assert (south["paid_amount"], south["paid_orders"]) == ("", "2")
    assert "paid_amount: 1 of 2 orders tell no amount" in south["why"]


def test_a_spreadsheet_is_given_no_formula(huitou: Run) -> None:
    out = huitou("regions", "--shop", "sly", *DAYS[2:], *CLOCK, "--csv").stdout
    (part,) = [row for row in csv.DictReader(io.StringIO(out)) if row["row"] == "part"]
    assert part["key"] == "'=cmd|' /C calc'!A0"


def test_products_have_names_beside_their_codes(huitou: Run) -> None:
    days = ("--shop", "tea", *DAYS[2:], *CLOCK)
    out = huitou("products", *days).stdout
    assert "明前龙井" in out
    assert r"=1+1 \x1b[2J[red]" in out
    assert "\x1b" not in out
    assert "not tea's" not in out
    said = asked_as_json(huitou, "products", *days, "--compare", "previous")
    assert {row["key"]: row["name"] for row in said["rows"] if row["row"] == "part"} == {
        "t1": "明前龙井", "t2": "=1+1 \x1b[2J[red]", "t3": None,
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(huitou("products", *days, "--csv").stdout)))
    assert {row["key"]: row["name"] for row in rows if row["row"] == "part"} == {
        "t1": "明前龙井", "t2": "'=1+1 \x1b[2J[red]", "t3": "",
    }  # fmt: skip
    assert "name" not in asked_as_json(huitou, "products", *days, "--by", "category")["rows"][0]


def test_reviews_by_theme_name_orders(huitou: Run, store: Database) -> None:
    told = (
        ("o1", 1, "尺码不对"),
        ("o2", 5, "nice fit"),
        ("=o3", 2, "broken \x1b[2J box"),
        ("o4", 4, "nice"),
    )
    events = [
        (REVIEWS, event(REVIEWS, f"r{at}", at, "c1", order_id=order, sku="a", action="posted",
                        rating=rating, text=text))
        for at, (order, rating, text) in enumerate(told)
    ]  # fmt: skip
    fill(store, placed([paid(1, 10), *events], 1))
    by_theme = ("reviews", *DAYS, *CLOCK, "--by", "theme")
    said = asked_as_json(huitou, *by_theme)
    assert "examples" not in said["rows"][0]
    assert {row["key"]: row["examples"] for row in said["rows"][1:]} == {
        "fit": ["o2", "o1"], "packaging": ["=o3"], "quality": ["=o3"], None: ["o4"],
    }  # fmt: skip
    fit = said["rows"][1]["figures"]
    assert (fit["reviews"], fit["average_rating"], fit["bad_share"]) == (2, 3.0, 0.5)
    assert any("the built-in list" in note for note in said["notes"])
    rows = list(csv.DictReader(io.StringIO(huitou(*by_theme, "--csv").stdout)))
    assert [row["examples"] for row in rows] == ["", "o2; o1", "'=o3", "'=o3", "o4"]
    out = huitou(*by_theme).stdout
    assert "=o3" in out
    assert "A review may be of several themes" in out
    compared = asked_as_json(huitou, *by_theme, "--limit", "1", "--compare", "previous")
    assert [row["row"] for row in compared["rows"]] == ["whole", "part", "others"]
    # Of three themes, but two reviews.
    assert compared["rows"][2]["figures"]["reviews"] == 2


def test_the_greatest_and_all_others(huitou: Run) -> None:
    said = asked_as_json(huitou, "regions", *DAYS, *CLOCK, "--limit", "1")
    whole, north, others = said["rows"]
    assert (north["key"], others["row"], others["figures"]["paid_orders"]) == ("north", "others", 2)
    assert whole["figures"]["paid_orders"] == 3
    assert "The 1 greatest are shown; all others are one row (--limit)." in said["notes"]
    assert "(all others)" in huitou("regions", *DAYS, *CLOCK, "--limit", "1").stdout


def test_two_periods_side_by_side(huitou: Run) -> None:
    days = ("--shop", "shop", "--from", "2026-01-02", "--to", "2026-01-02")
    said = asked_as_json(huitou, "overview", *days, *CLOCK, "--compare", "previous")
    assert said["compared"]["from"] == said["compared"]["to"] == "2026-01-01"
    compared = said["rows"][0]["compared"]
    assert compared["paid_orders"] == {"before": 1, "change": 1, "change_share": 1.0}
    assert compared["paid_amount"] == {
        "before": 12_345, "currency": "CNY", "change": None, "change_share": None,
    }  # fmt: skip
    assert compared["visitors"]["why"].startswith("Redis at redis://127.0.0.1:1 does not answer")
    out = huitou("overview", *days, *CLOCK, "--compare", "year").stdout
    assert "beside it: 2025-01-02 to 2025-01-02" in out
    out = huitou("overview", *days, *CLOCK, "--compare", "previous", "--by", "day").stdout
    assert "+100.0 %" in out
    assert "before 123.45 CNY" in out


def test_what_customers_wrote_is_not_done_by_the_terminal(huitou: Run) -> None:
    out = huitou("regions", "--shop", "odd", *DAYS[2:], *CLOCK).stdout
    assert "\x1b" not in out
    assert r"\x1b[2J\x1b[31mred" in out
    assert ":smile:" in out
    assert "--shop is not UTF-8" in huitou("regions", "--shop", "\udcff", code=EXIT_USAGE).stderr


def test_a_currency_is_three_letters(huitou: Run) -> None:
    wrong = ("--time-zone", "UTC", "--currency", "jpy")
    assert "write its three letters" in huitou("overview", *DAYS, *wrong, code=EXIT_USAGE).stderr


def test_figures_are_explained(huitou: Run) -> None:
    out = huitou("overview", "--explain").stdout
    assert "客单价" in out
    assert "gross paid amount / buyers" in out
    assert "客单价" in huitou("overview", *DAYS, *CLOCK, "--explain").stdout
    said = asked_as_json(huitou, "hours", *DAYS, *CLOCK, "--explain")
    assert {"name", "unit", "definition", "source", "additive"} == set(said["figures"][0])


def test_all_reports_are_listed(huitou: Run) -> None:
    out = huitou().stdout
    assert all(name in out for name in REPORTS)


@pytest.mark.long
@pytest.mark.parametrize("name", list(REPORTS))
def test_every_report_has_its_three_forms(huitou: Run, name: str) -> None:
    for by in REPORTS[name].dimensions:
        assert REPORTS[name].title in huitou(name, *DAYS, *CLOCK, "--by", by).stdout
        asked_as_json(huitou, name, *DAYS, *CLOCK, "--by", by, "--compare", "year")
        rows = list(
            csv.reader(io.StringIO(huitou(name, *DAYS, *CLOCK, "--by", by, "--csv").stdout))
        )
        assert {len(row) for row in rows} == {len(rows[0])}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("profit", *DAYS), "no report 'profit'; there are overview, funnel, sources"),
        (("regions", *DAYS, "--by", "hat"), "regions is not shown by 'hat'; it is by region, day"),
        (("overview", "--shop", "shop"), "say --shop, --from and --to"),
        (("overview", *DAYS[:4], "--to", "soon", *CLOCK), "'soon' is no date: write 2026-01-31"),
        (("overview", *DAYS[:4], "--to", "2025-01-01", *CLOCK), "the first day comes first"),
        (("overview", *DAYS, "--time-zone", "Moon"), "no time zone 'Moon'"),
        (("overview", *DAYS, *CLOCK, "--json", "--csv"), "take one"),
        (
            (
                "overview",
                "--shop",
                "shop",
                "--from",
                "2000-01-01",
                *DAYS[4:],
                *CLOCK,
                "--by",
                "day",
            ),
            "more than the 1,000",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(huitou: Run, arguments: Any, sentence: str) -> None:
    assert sentence in huitou(*arguments, code=EXIT_USAGE).stderr


def test_an_unknown_shop_has_no_figures(huitou: Run) -> None:
    said = huitou("overview", "--shop", "shpo", *DAYS[2:], *CLOCK, code=EXIT_FOUND)
    assert "shop shpo is unknown" in said.stderr
    assert said.stdout == ""


def test_a_store_that_is_not_there_is_refused(huitou: Run, tmp_path: Path) -> None:
    store = ("--store", f"sqlite:///{tmp_path / 'none.sqlite'}")
    assert (
        "there is no query store"
        in huitou("overview", *DAYS, *CLOCK, *store, code=EXIT_REFUSED).stderr
    )


@pytest.mark.long
def test_without_kafka_nobody_knows_the_shops_days(huitou: Run) -> None:
    said = huitou("overview", *DAYS, code=EXIT_DOUBT).stderr
    assert "start Kafka, or say --time-zone" in said


def test_offsets_of_the_topics_are_its_freshness(huitou: Run, store: Database) -> None:
    with store.writing() as connection:
        connection.execute(sink_offsets.update().values(appended_ms=1_767_225_600_000))
    said = asked_as_json(huitou, "overview", *DAYS, *CLOCK)
    assert said["since_at"] is None
    assert said["freshness"]["behind"] is None


def test_the_documentation_has_all_figures() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
    assert text[text.index(MARK) :].strip() == markdown().strip()
