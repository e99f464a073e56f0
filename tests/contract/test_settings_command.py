"""`huitou settings`: what it shows, fills in, writes and refuses."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from typer.testing import CliRunner

from schemas.settings import STACK
from streams.cli.settings import given_in, planned, settings_app
from streams.definition_checks import BadDefinitionError
from streams.definitions import Definitions
from streams.domain.shop import DEFAULT_RFM, DEFAULT_TIERS
from streams.settings import Settings
from streams.topics import create_topics
from tests.contract.versions import version


@pytest.fixture
def command(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    create_topics(settings)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", settings.kafka_bootstrap)
    monkeypatch.setenv("HUITOU_TOPIC_PREFIX", settings.topic_prefix)
    handlers = list(logging.root.handlers)
    yield CliRunner()
    # The command sets up its process's logging, which here is the tests'.
    logging.root.handlers[:] = handlers
    structlog.reset_defaults()


def apply(command: CliRunner, given: object) -> tuple[int, str]:
    done = command.invoke(settings_app, ["apply", "-"], input=json.dumps(given))
    return done.exit_code, done.stdout + done.stderr


def shown(command: CliRunner) -> dict[str, Any]:
    done = command.invoke(settings_app, ["show", "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_apply_and_show(command: CliRunner, tmp_path: Path) -> None:
    assert "No definitions" in command.invoke(settings_app, ["show"]).stdout
    file = tmp_path / "shops.json"
    first = [{"shop_id": STACK, "lateness_s": 2}, {"shop_id": "tea", "time_zone": "Asia/Shanghai"}]
    file.write_text(json.dumps(first))
    done = command.invoke(settings_app, ["apply", str(file)])
    assert done.exit_code == 0, done.output
    assert "tea: version 1 from " in done.stdout
    report = shown(command)
    assert report["bad_records"] == 0
    tea = report["shops"]["tea"]
    assert tea["now"] == {
        "shop_id": "tea", "time_zone": "Asia/Shanghai", "currency": "CNY",
        **json.loads(msgspec.json.encode({"rfm": DEFAULT_RFM, "tiers": DEFAULT_TIERS})),
        "brushing": None, "category": None, "liking": None,
        "contacting": {},
    }  # fmt: skip
    assert report["shops"][STACK]["versions"][0]["lateness_s"] == 2.0

    assert apply(command, {"shop_id": "tea", "currency": "EUR"})[0] == 0
    assert [v["version"] for v in shown(command)["shops"]["tea"]["versions"]] == [1, 2]
    assert shown(command)["shops"]["tea"]["now"]["currency"] == "CNY"
    text = command.invoke(settings_app, ["show", "--shop", "tea"]).stdout
    lines = text.splitlines()
    assert lines[:8] == [
        "tea: time_zone Asia/Shanghai, currency CNY",
        "  rfm: recency_days 30/60/90/180, orders 2/3/5/10, amount 10000/30000/100000/300000",
        "  tiers: silver (2 orders, 50000), gold (6 orders, 200000), platinum (12 orders, 1000000)",
        "  brushing: no order is judged",
        "  category: none",
        "  liking: no like is judged",
        "  contacting: no limits",
        "  review_themes: the built-in list: quality, fit, logistics, packaging, service, price",
    ]
    assert [json.loads(line)["version"] for line in lines[8:]] == [1, 2]


def test_a_shop_has_its_orders_judged_by_points_of_its_own(command: CliRunner) -> None:
    given = [
        {"shop_id": "tea", "brushing": {"verdict_points": 80}},
        {"shop_id": "ink", "brushing": {}},
    ]
    assert apply(command, given)[0] == 0
    shops = shown(command)["shops"]
    assert shops["tea"]["now"]["brushing"]["verdict_points"] == 80
    assert shops["ink"]["now"]["brushing"]["verdict_points"] == 55
    text = command.invoke(settings_app, ["show", "--shop", "ink"]).stdout
    assert text.splitlines()[3] == (
        "  brushing: verdict_points 55, rate 30, unviewed 20, device 30, address 10, praise 20"
    )
    code, said = apply(command, {"shop_id": "tea", "brushing": {"buyers": 1}})
    assert (code, "buyers" in said) == (1, True)


def test_themes_are_a_shops_own(command: CliRunner) -> None:
    themes = [{"name": "taste", "words": ["好喝", "bitter"]}]
    given = [{"shop_id": "tea", "review_themes": themes}, {"shop_id": "ink", "review_themes": []}]
    assert apply(command, given)[0] == 0
    assert shown(command)["shops"]["tea"]["versions"][0]["review_themes"] == themes
    lines = command.invoke(settings_app, ["show"]).stdout.splitlines()
    assert [line for line in lines if "themes: " in line] == [
        "  review_themes: none", "  review_themes: taste (2 words)",
    ]  # fmt: skip


def test_a_shop_has_its_likes_judged(command: CliRunner) -> None:
    assert apply(command, {"shop_id": "tea", "liking": {"likers": 6}})[0] == 0
    assert shown(command)["shops"]["tea"]["now"]["liking"]["likers"] == 6
    text = command.invoke(settings_app, ["show", "--shop", "tea"]).stdout
    assert (
        "  liking: verdict_points 55, rate 40, young 20, device 60, own_device 40"
        in text.splitlines()
    )
    code, said = apply(command, {"shop_id": "tea", "liking": {"likers": 1}})
    assert (code, "likers" in said) == (1, True)


def test_a_shop_is_in_a_category_and_the_stack_is_not(command: CliRunner) -> None:
    assert apply(command, {"shop_id": "tea", "category": "drinks"})[0] == 0
    assert shown(command)["shops"]["tea"]["now"]["category"] == "drinks"
    text = command.invoke(settings_app, ["show", "--shop", "tea"]).stdout
    assert text.splitlines()[4] == "  category: drinks"
    code, said = apply(command, {"shop_id": STACK, "category": "drinks"})
    assert (code, "every shop says its own" in said) == (1, True)
    assert apply(command, {"shop_id": "tea", "category": "d" * 65})[0] == 1


def test_thresholds_and_tiers_are_a_shops_own(command: CliRunner) -> None:
    given = {
        "shop_id": "tea",
        "rfm": {"recency_days": [7, 14, 30, 60], "orders": [2, 3, 4, 5], "amount": [1, 2, 3, 4]},
        "tiers": [
            {"name": "gold", "orders": 3, "amount": 500},
            {"name": "black", "orders": 9, "amount": 500},
        ],
    }
    assert apply(command, [given, {"shop_id": "coffee", "tiers": []}])[0] == 0
    report = shown(command)
    assert report["shops"]["tea"]["now"]["rfm"] == given["rfm"]
    assert report["shops"]["tea"]["now"]["tiers"] == given["tiers"]
    assert report["shops"]["coffee"]["now"]["tiers"] == []
    text = command.invoke(settings_app, ["show", "--shop", "coffee"]).stdout
    assert text.splitlines()[2] == "  tiers: none"


def test_apply_writes_nothing_where_a_part_is_wrong(command: CliRunner) -> None:
    code, said = apply(command, [{"shop_id": "tea"}, {"shop_id": "tea", "version": 1}])
    assert code == 1
    assert "version 1 of tea does not follow 1; nothing was written" in said
    assert shown(command)["shops"] == {}


NOW = datetime(2026, 5, 1, tzinfo=UTC)
KNOWN = Definitions([version("tea", 1)])
RFM = {"recency_days": [1, 2, 3, 4], "orders": [1, 2, 3, 4], "amount": [1, 2, 3, 4]}


def soon(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([{"shop_id": "tea", "effective_from": soon(-5)}], "at least 60 s from now"),
        ([{"shop_id": "tea", "effective_from": soon(59.9)}], "at least 60 s from now"),
        ([{"shop_id": "tea", "effective_from": "2027-01-01T00:00:00"}], "timezone"),
        ([{"shop_id": "tea", "version": 1}], "does not follow 1"),
        ([{"shop_id": "tea", "time_zone": "Mars/Olympus"}], "no time zone"),
        ([{"shop_id": "tea", "lateness_s": 1}], "only _stack"),
        ([{"shop_id": "tea", "currency": "yuan"}], "currency"),
        ([{"shop_id": "tea", "currency": "EUR\n"}], "currency"),
        ([{"shop_id": "tea", "rfm": {**RFM, "orders": [2, 2, 3, 4]}}], "rfm.orders must rise"),
        ([{"shop_id": "tea", "rfm": {**RFM, "amount": [4, 3, 2, 1]}}], "rfm.amount must rise"),
        ([{"shop_id": "tea", "rfm": {**RFM, "amount": [1, 2, 3]}}], "rfm.amount"),
        ([{"shop_id": "tea", "rfm": {**RFM, "recency_days": [-1, 2, 3, 4]}}], "recency_days"),
        ([{"shop_id": "tea", "rfm": {"orders": [1, 2, 3, 4]}}], "recency_days"),
        ([{"shop_id": "tea", "tiers": [{"name": "none"}]}], "none of them 'none'"),
        ([{"shop_id": "tea", "review_themes": [{"name": "a", "words": []}]}], "review_themes"),
        (
            [{"shop_id": "tea", "review_themes": [{"name": "a", "words": [" "]}]}],
            "theme a is blank",
        ),
        (
            [{"shop_id": "tea", "review_themes": [{"name": "a", "words": ["w" * 65]}]}],
            "review_themes",
        ),
        (
            [{"shop_id": "tea", "review_themes": [{"name": "a", "words": ["w"] * 101}]}],
            "review_themes",
        ),
        (
            [{"shop_id": "tea", "review_themes": [{"name": "a", "words": ["w"]}] * 2}],
            "names of their",
        ),
        (
            [
                {
                    "shop_id": "tea",
                    "review_themes": [{"name": f"t{n}", "words": ["w"]} for n in range(21)],
                }
            ],
            "review_themes",
        ),
        (
            [{"shop_id": "tea", "tiers": [{"name": "a"}, {"name": "a", "orders": 1}]}],
            "names of their",
        ),
        ([{"shop_id": "tea", "tiers": [{"name": "a"}, {"name": "b"}]}], "b must take more than a"),
        (
            [{"shop_id": "tea", "tiers": [{"name": "a", "amount": 2}, {"name": "b", "orders": 1}]}],
            "b must take more than a",
        ),
        (
            [{"shop_id": "tea", "tiers": [{"name": f"t{n}", "orders": n} for n in range(21)]}],
            "tiers",
        ),
        ([{"currency": "EUR"}], "shop_id"),
        ([{"shop_id": ["tea"]}], "shop_id"),
        ([{"shop_id": "coffee"}, {"shop_id": "tea", "version": 0}], "version"),
        (
            [{"shop_id": "coffee"}, {"shop_id": "coffee", "effective_from": soon(0)}],
            "at least 60 s from now",
        ),
    ],
)
def test_what_apply_refuses(given: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(BadDefinitionError, match=reason):
        planned(given, KNOWN, NOW, 60.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting"),
        ("[]", "not an object or a list"),
        ('["tea"]', "not an object or a list"),
        ('{"shop_id": "tea", "curency": "EUR"}', "unknown fields curency"),
    ],
)
def test_files_that_apply_refuses(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "given.json"
    file.write_text(text)
    with pytest.raises(BadDefinitionError, match=reason):
        given_in(file)
    with pytest.raises(BadDefinitionError, match="No such file"):
        given_in(tmp_path / "absent.json")


def test_what_apply_fills_in() -> None:
    first, second, third = planned(
        [
            {"shop_id": "coffee"},
            {"shop_id": "tea"},
            {"shop_id": "tea", "effective_from": soon(120)},
        ],
        KNOWN,
        NOW,
        60.0,
    )
    assert (first.version, first.effective_from) == (1, NOW)
    assert (second.version, second.effective_from) == (2, NOW + timedelta(seconds=60))
    assert (third.version, third.effective_from) == (3, NOW + timedelta(seconds=120))
