"""The portrait as it is printed, against stored pages, and what may never be on it."""

import io
import json
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from streams.cli.portrait.page import print_portrait
from streams.cli.portrait.words import Language, Words, all_words, language_of
from streams.domain.shop import ShopSettings
from streams.query.known import Known, LateRefunds, Response
from tests.portrait.customers import HOSTILE, SHOWN, described, hostile, regular

PAGES = Path(__file__).parent / "pages"
KNOWN = Known(
    names={"lj-50": "西湖龙井 50克"},
    channels=["app", "web"],
    responses={"t7": Response("A9"), "t6": Response(None, "A8"), "t5": Response()},
)


def page(
    about: dict[str, Any], known: Known | None, language: Language, width: int = 100
) -> list[str]:
    """The lines that a terminal of ``width`` cells gets."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, highlight=False, markup=False, emoji=False, color_system=None
    )
    print_portrait(console, about, known, Words(language))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def stored(who: str) -> dict[str, Any]:
    """What `huitou customer --json` says of somebody, with the parts of later builds."""
    found: dict[str, Any] = json.loads((PAGES / f"{who}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("who", ["regular", "stranger"])
def test_the_page_is_the_stored_one(who: str, language: Language) -> None:
    shown = page(stored(who), KNOWN if who == "regular" else None, language)
    wanted = PAGES / f"{who}.{language}.txt"
    assert shown == wanted.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "(less late refunds of 2, by the query store)"),
        ("zh", "(据查询库扣除 2 单的迟到退款)"),
    ],
)
def test_what_came_too_late_for_the_state_is_the_store_s(language: Language, said: str) -> None:
    about = described(regular())
    plain = next(line for line in page(about, Known(), Language("en")) if "net of refunds" in line)
    assert "4 orders" in plain
    assert "496.06" in plain
    lines = page(about, Known(late=LateRefunds(2, 1, 10_000)), Language(language))
    (line,) = [line for line in lines if said in line]
    assert "396.06" in line
    assert ("3 orders" if language == "en" else "3 单") in line


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("language", list(Language))
def test_no_line_is_wider_than_the_terminal(language: Language, width: int) -> None:
    # A Chinese letter takes two cells.
    lines = page(described(regular()), KNOWN, language, width)
    assert max(map(cell_len, lines)) <= width
    assert "龙井" in "".join(lines)


def test_texts_stand_below_each_other_in_either_language() -> None:
    for language in Language:
        lines = page(described(regular()), KNOWN, language)
        region = next(line for line in lines if "浙江" in line)
        tags = next(line for line in lines if "gift" in line)
        assert cell_len(region[: region.index("浙江")]) == cell_len(tags[: tags.index("gift")])


@pytest.mark.parametrize("language", list(Language))
def test_what_customers_write_is_not_done_by_the_terminal(language: Language) -> None:
    known = Known(names={HOSTILE: HOSTILE}, channels=[HOSTILE])
    lines = page(described(hostile(), 0), known, language, 200)
    assert all(line.isprintable() for line in lines)
    whole = "\n".join(lines)
    # The id, the channel, the region, the tag, the product's name and code, and the order.
    assert whole.count(SHOWN) == 7
    assert "[red]:smile:" in whole


def test_what_is_not_known_says_so() -> None:
    without_settings = "\n".join(page(described(regular(), shop=None), None, Language.en, 200))
    assert "not known without the shop's settings" in without_settings
    assert "what came of it is not known" in without_settings
    assert "minor units" in without_settings
    erased = regular()
    erased.erased_at = erased.last_seen
    whole = "\n".join(page(described(erased), None, Language.en))
    assert "erased" in whole
    assert "erased at 2024-08-10" in whole


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (70, "the last order was 10 days ago|4 orders in 365 days"),
        (105, "no order for 45 days (more than twice the own interval of 20)"),
        (160, "no order for 100 days (more than 90)"),
        (300, "no order for 240 days (more than 180, and than 3 times the own interval)"),
    ],
)
def test_a_stage_has_its_reason(days: int, said: str) -> None:
    whole = " ".join(" ".join(page(described(regular(), days), None, Language.en, 200)).split())
    assert any(one in whole for one in said.split("|"))


def test_a_build_that_knows_less_of_a_customer_has_fewer_lines() -> None:
    about = stored("regular")
    about["browsing"]["touches"] = [{"source": "ad"}, {"source": "live"}]
    whole = page(about, KNOWN, Language.en)
    assert any("ad > live stream" in line for line in whole)
    for name in (
        "preferences", "keywords", "favorites", "products", "path", "touches", "shares", "channels",
        "regions", "attribution", "devices",
    ):  # fmt: skip
        about["browsing"].pop(name)
    about.pop("points")
    fewer = page(about, KNOWN, Language.en)
    labels, left = ({line[2:].split("  ")[0] for line in lines} for lines in (whole, fewer))
    assert left <= labels
    gone = {label for label in labels - left if label}
    assert gone == {
        "points", "uses", "came through", "last path", "shared", "brought by", "categories", "price",
        "keywords", "favourites", "viewed, not bought",
    }  # fmt: skip


def test_every_word_is_in_both_languages_and_takes_the_same_values() -> None:
    for word, texts in all_words().items():
        assert all(texts), word
        chinese, english = ({name for _, name, _, _ in Formatter().parse(t) if name} for t in texts)
        assert chinese == english, word


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, Language.en),
        ({"LANG": "zh_TW.UTF-8"}, Language.zh),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_CN", "LANG": "en_GB"}, Language.zh),
        ({"LC_ALL": "C", "LANG": "zh_CN"}, Language.en),
    ],
)
def test_the_language_is_the_locale_s(environment: dict[str, str], language: Language) -> None:
    assert language_of(environment) == language


def test_another_time_zone_and_currency_are_those_of_the_shop() -> None:
    shop = ShopSettings("shop", "Europe/Berlin", "JPY")
    whole = "\n".join(page(described(regular(), shop=shop), None, Language.en))
    assert "JPY" in whole
    assert "CNY" not in whole
    assert "2024-06-01 02:00" in whole


def test_one_is_no_plural_in_english() -> None:
    words = Words(Language.en)
    assert words("every_days", days=1) == "orders every 1 day"
    assert words("every_days", days=21) == "orders every 21 days"
    assert words("every_days", days="1.1") == "orders every 1.1 days"
    assert Words(Language.zh)("every_days", days=1) == "约 1 天一次"


def test_what_is_wished_for_is_named_the_newest_first() -> None:
    about = stored("regular")
    about["wishes"]["recent"] = [
        {"wish_id": "w0", "status": "granted", "sku": "cup", "attributes": {}, "likes": 9},
        {
            "wish_id": "w1",
            "status": "open",
            "sku": "lj-50",
            "attributes": {"size": "L"},
            "likes": 1,
        },
        {"wish_id": "w2", "status": "open", "sku": None, "attributes": {}, "likes": 0},
    ]
    (line,) = [text for text in page(about, KNOWN, Language.en) if "wanted" in text]
    assert line.endswith("w2, 西湖龙井 50克 (lj-50) size L (1 like)")
