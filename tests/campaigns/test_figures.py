"""Figures say what `huitou customer` shows of the same state, and what nobody knows they say is unknown."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from streams.campaigns.language.figures.catalogue import FIGURES, read_figure
from streams.campaigns.language.figures.figure import Reading, Seen, Unknown
from streams.campaigns.language.figures.scene import Scene
from streams.domain.describe import describe
from streams.domain.shop import ShopSettings
from streams.domain.state import Coupon, CustomerState, new_state
from streams.domain.summary import PRODUCTS, interest_name
from tests.domain.events import (
    DAY,
    MINUTE,
    SHOP,
    START,
    Timed,
    cart,
    click,
    fold_all,
    order,
    profile,
    service,
    wish,
)
from tests.domain.sample import golden_state, life

AS_OF = START + 40 * DAY


def read(name: str, state: CustomerState, at: int = AS_OF, shop: ShopSettings = SHOP) -> Reading:
    return read_figure(FIGURES[name], Scene(state, at, shop), "CNY")


def value(name: str, state: CustomerState, at: int = AS_OF) -> object:
    found = read(name, state, at)
    return found.value if isinstance(found, Seen) else None


def _ago(text: str | None) -> int | None:
    """Milliseconds from a moment of ``describe`` to AS_OF."""
    if text is None:
        return None
    at = datetime.fromisoformat(text).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return max(AS_OF - round(at.total_seconds() * 1000), 0)


def _day(text: str | None) -> int | None:
    return None if text is None else date.fromisoformat(text).toordinal()


def _names(rows: list[dict[str, Any]], field: str) -> frozenset[str]:
    return frozenset(row[field] for row in rows)


def _first(rows: list[dict[str, Any]], field: str) -> Any:
    return rows[0][field] if rows else None


def _due(doc: dict[str, Any], sign: int) -> int | None:
    expected = _day(doc["worth"]["expected_next"])
    if expected is None:
        return None
    return max(sign * (expected - (_day(doc["worth"]["day"]) or 0)), 0) * DAY


def _unpaid(doc: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in doc["orders"]["recent"] if row["placed_at"] and not row["paid_at"]]


Doc = dict[str, Any]
#: Figure -> what ``describe`` says. Only what is nowhere in there is not in here.
SHOWN: dict[str, Callable[[Doc], object]] = {
    "shop": lambda doc: doc["shop_id"],
    "first_seen.ago": lambda doc: _ago(doc["first_seen"]),
    "last_seen.ago": lambda doc: _ago(doc["last_seen"]),
    "channels": lambda doc: frozenset(doc["browsing"]["channels"]),
    "region": lambda doc: _first(doc["browsing"]["regions"], "region"),
    "profile.gender": lambda doc: doc["profile"]["gender"],
    "profile.age_band": lambda doc: doc["profile"]["age_band"],
    "profile.income_band": lambda doc: doc["profile"]["income_band"],
    "profile.education": lambda doc: doc["profile"]["education"],
    "profile.region": lambda doc: doc["profile"]["region"],
    "member": lambda doc: doc["profile"]["joined_at"] is not None,
    "member.for": lambda doc: _ago(doc["profile"]["joined_at"]),
    "consent.given": lambda doc: frozenset(
        name for name, said in doc["profile"]["consent"].items() if said["given"]
    ),
    "consent.refused": lambda doc: frozenset(
        name for name, said in doc["profile"]["consent"].items() if not said["given"]
    ),
    "lifecycle": lambda doc: doc["worth"]["lifecycle"]["stage"],
    **{
        f"rfm.{name}": lambda doc, name=name: doc["worth"]["rfm"][name]
        for name in ("r", "f", "m", "segment")
    },
    **{
        f"orders.{name}.count": lambda doc, name=name: doc["orders"][name]
        for name in (
            "placed", "paid", "net", "shipped", "received", "cancelled", "refunded", "refunds", "brushed",
        )
    },
    **{
        f"orders.{name}.amount": lambda doc, name=name: doc["orders"][f"{name}_amount"]
        for name in ("paid", "net", "refunded")
    },
    **{
        f"orders.{name}.count.{days}d": lambda doc, name=name, days=days: (
            doc["worth"]["windows"][days] or {name: None}
        )[name]
        for name in ("paid", "net")
        for days in ("30", "90", "180", "365")
    },
    **{
        # Where nothing is known of an amount a figure has at least 0.
        f"orders.{name}.amount.{days}d": lambda doc, name=name, days=days: (
            None if doc["worth"]["windows"][days] is None
            else doc["worth"]["windows"][days][f"{name}_amount"] or 0
        )
        for name in ("paid", "net")
        for days in ("30", "90", "180", "365")
    },
    "orders.average": lambda doc: (
        doc["orders"]["net_amount"] // doc["orders"]["net"]
        if doc["orders"]["net"] and not doc["orders"]["unknown_amount"] and not doc["erased_at"] else None
    ),
    "orders.recency": lambda doc: (
        None if (days := doc["worth"]["rfm"]["recency_days"]) is None else days * DAY
    ),
    "orders.unpaid.count": lambda doc: len(
        [row for row in _unpaid(doc) if row["status"] != "cancelled"]
    ),
    "orders.interval": lambda doc: (
        None if (days := doc["worth"]["interval_days"]) is None else days * DAY
    ),
    "orders.due_in": lambda doc: _due(doc, 1),
    "orders.overdue": lambda doc: _due(doc, -1),
    "orders.hour": lambda doc: doc["worth"]["favourite_hour"],
    "orders.points_used": lambda doc: doc["points"]["used_amount"],
    "tier": lambda doc: doc["worth"]["tier"],
    "points": lambda doc: doc["points"]["earned"],
    "points.expiring": lambda doc: doc["points"]["expiring"],
    **{
        f"clicks.{action}.count": lambda doc, action=action: doc["browsing"]["actions"][action]
        for action in (
            "view", "search", "favorite", "unfavorite", "share", "ask", "trial_apply", "game_play",
            "card_collect", "live_enter", "live_leave", "campaign_open", "store_visit",
        )
    },
    "browsing.dwell": lambda doc: doc["browsing"]["dwell_ms"],
    "visits.count": lambda doc: doc["browsing"]["sessions"],
    "visits.ago": lambda doc: _ago((doc["browsing"]["session"] or {"end": None})["end"]),
    "browsing.viewed": lambda doc: _names(
        [row for row in doc["browsing"]["products"] if row["viewed_at"]], "sku"
    ),
    "browsing.unbought": lambda doc: _names(
        [row for row in doc["browsing"]["products"] if row["viewed_not_bought"]], "sku"
    ),
    "browsing.unbought.count": lambda doc: sum(
        row["viewed_not_bought"] for row in doc["browsing"]["products"]
    ),
    "favorites": lambda doc: _names(doc["browsing"]["favorites"], "sku"),
    "favorites.count": lambda doc: len(doc["browsing"]["favorites"]),
    "preferences.category": lambda doc: _first(doc["browsing"]["preferences"]["categories"], "category"),
    "preferences.categories": lambda doc: _names(doc["browsing"]["preferences"]["categories"], "category"),
    "preferences.keyword": lambda doc: _first(doc["browsing"]["keywords"], "keyword"),
    "preferences.keywords": lambda doc: _names(doc["browsing"]["keywords"], "keyword"),
    "preferences.price": lambda doc: (
        (doc["browsing"]["preferences"]["price"]["median"] or {"from": None})["from"]
    ),
    "sources": lambda doc: _names(doc["browsing"]["touches"], "source"),
    "sources.brought": lambda doc: bool(doc["browsing"]["shares"]["came_by"]),
    "cart.lines": lambda doc: len(doc["cart"]["lines"]),
    "cart.pieces": lambda doc: sum(line["quantity"] for line in doc["cart"]["lines"]),
    "cart.skus": lambda doc: _names(doc["cart"]["lines"], "sku"),
    "cart.age": lambda doc: _ago(max((line["since"] for line in doc["cart"]["lines"]), default=None)),
    "cart.value": lambda _: None,
    "cart.adds.count": lambda doc: doc["cart"]["adds"],
    **{
        f"reviews.{name}.count": lambda doc, name=name: doc["reviews"][name]
        for name in ("posted", "appended", "shown", "bad", "bad_open", "removed")
    },
    **{
        f"reviews.stars_{stars}.count": lambda doc, stars=stars: doc["reviews"]["by_rating"][stars - 1]
        for stars in range(1, 6)
    },
    **{
        f"service.{name}.count": lambda doc, name=name: doc["service"][name]
        for name in ("opened", "complaints", "resolved", "open")
    },
    "service.open.age": lambda doc: _ago(_first(doc["service"]["open_cases"], "opened_at")),
    "service.reply": lambda doc: (
        doc["service"]["reply_ms"] // doc["service"]["replied"] if doc["service"]["replied"] else None
    ),
    "service.survey.score": lambda doc: doc["service"]["survey_score"],
    "service.survey.ago": lambda doc: _ago(doc["service"]["survey_at"]),
    **{
        f"wishes.{name}.count": lambda doc, name=name: doc["wishes"][name]
        for name in ("made", "open", "granted", "declined", "withdrawn", "likes")
    },
    "wishes.suspicious.count": lambda doc: doc["wishes"]["suspicious_likes"],
    "wishes.skus": lambda doc: _names(
        [row for row in doc["wishes"]["recent"] if row["status"] == "open" and row["sku"]], "sku"
    ),
    "coupons.count": lambda doc: len(doc["coupons"]),
    "coupons.ago": lambda doc: _ago(max((row["issued_at"] for row in doc["coupons"]), default=None)),
    "coupons.campaigns": lambda doc: _names(doc["coupons"], "campaign"),
}  # fmt: skip
#: Looked at by hand below.
BY_HAND = {
    "now.hour", "now.weekday", "profile.tags", "profile.age", "profile.birthday.in",
    "orders.unpaid.age", "sources.last", "wishes.likers.most", "coupons.good.count",
}  # fmt: skip


def _states() -> Iterator[tuple[str, CustomerState]]:
    yield "new", new_state("shop", "c1")
    yield "full", golden_state()
    for number, (_, state) in enumerate(life(600, customers=3)):
        if number % 97 == 0 or number == 599:
            yield f"life {number}", state


@pytest.fixture(scope="module")
def documents() -> list[tuple[str, dict[str, Any], dict[str, Reading]]]:
    """What ``describe`` and the figures say of the same states at one moment."""
    return [
        # Through JSON: the state goes on changing.
        (
            name,
            json.loads(json.dumps(describe(state, SHOP, AS_OF))),
            {figure: read(figure, state) for figure in FIGURES},
        )
        for name, state in _states()
    ]


def test_every_figure_is_held_against_something() -> None:
    assert set(FIGURES) == set(SHOWN) | BY_HAND
    assert not set(SHOWN) & BY_HAND


@pytest.mark.parametrize("name", SHOWN)
def test_a_figure_is_what_the_customer_command_shows(
    name: str, documents: list[tuple[str, dict[str, Any], dict[str, Reading]]]
) -> None:
    for label, doc, readings in documents:
        found = readings[name]
        assert (found.value if isinstance(found, Seen) else None) == SHOWN[name](doc), (
            label,
            found,
        )


def test_the_states_tell_nearly_every_figure(
    documents: list[tuple[str, dict[str, Any], dict[str, Reading]]],
) -> None:
    """So that what is compared above is not nothing with nothing."""
    silent = {
        name
        for name in FIGURES
        if all(isinstance(readings[name], Unknown) for _, _, readings in documents)
    }
    assert silent == {"cart.value"}


@pytest.mark.parametrize("name", FIGURES)
def test_types_and_choices_are_kept_to(
    name: str, documents: list[tuple[str, dict[str, Any], dict[str, Reading]]]
) -> None:
    figure = FIGURES[name]
    python = {"text": str, "choice": str, "set": frozenset, "flag": bool}.get(figure.type, int)
    for _, _, readings in documents:
        found = readings[name]
        if isinstance(found, Unknown):
            assert found.why
            continue
        assert type(found.value) is python
        if figure.choices:
            named = found.value if isinstance(found.value, frozenset) else {found.value}
            assert named <= set(figure.choices)


def test_nobody_knows_anything_of_a_stranger_but_that_nothing_was_counted() -> None:
    stranger = new_state("shop", "c1")
    assert value("orders.paid.count", stranger) == 0
    assert value("lifecycle", stranger) == "visitor"
    for name in (
        "rfm.m",
        "profile.gender",
        "profile.tags",
        "orders.recency",
        "points",
        "visits.ago",
    ):
        assert isinstance(read(name, stranger), Unknown), name


def test_of_an_erased_customer_sums_are_at_least_so_much() -> None:
    state = fold_all(
        [
            order("o1", START, "A", "paid", amount_paid=100),
            profile("x", START + DAY, "erase"),
            order("o2", START + 2 * DAY, "B", "paid", amount_paid=250),
        ]
    )
    assert read("orders.paid.count", state) == Seen(1, at_least=True)
    assert read("orders.paid.amount", state) == Seen(250, at_least=True)
    assert isinstance(read("orders.net.count.365d", state), Unknown)
    assert isinstance(read("lifecycle", state), Unknown)


def test_an_amount_that_is_unknown_makes_a_sum_at_least_so_much() -> None:
    state = fold_all(
        [order("o1", START, "A", "paid", amount_paid=100), order("o2", START, "B", "paid")]
    )
    assert read("orders.paid.amount", state) == Seen(100, at_least=True)
    assert read("orders.paid.amount.90d", state) == Seen(100, at_least=True)
    assert read("orders.paid.count", state) == Seen(2)
    assert isinstance(read("orders.average", state), Unknown)


def test_the_average_is_rounded_down() -> None:
    paid = [order(f"o{n}", START + n, f"A{n}", "paid", amount_paid=n * 100) for n in (1, 2, 2)]
    assert value("orders.average", fold_all(paid)) == 150
    paid = [order(f"o{n}", START + n, f"A{n}", "paid", amount_paid=n) for n in (1, 2)]
    assert value("orders.average", fold_all(paid)) == 1


def test_money_of_a_shop_with_another_currency_is_unknown() -> None:
    state = fold_all([order("o1", START, "A", "paid", amount_paid=100)])
    yen = ShopSettings("shop", "Asia/Tokyo", "JPY")
    found = read("orders.paid.amount", state, shop=yen)
    assert found == Unknown("the shop counts in JPY, the campaign in CNY")
    assert read("orders.paid.count", state, shop=yen) == Seen(1)


@pytest.mark.parametrize(
    ("born", "today", "days", "age"),
    [
        (date(1994, 6, 3), date(2024, 6, 1), 2, 29),
        (date(1994, 6, 1), date(2024, 6, 1), 0, 30),
        (date(1994, 5, 31), date(2024, 6, 1), 364, 30),
        (date(2000, 2, 29), date(2025, 2, 27), 1, 24),
        (date(2000, 2, 29), date(2025, 2, 28), 0, 25),
        (date(2000, 2, 29), date(2028, 2, 28), 1, 27),
    ],
)
def test_birthdays_come_by_the_shops_calendar(born: date, today: date, days: int, age: int) -> None:
    state = fold_all([profile("p", START, "updated", birthday=born)])
    # 23:30 the evening before in UTC is 07:30 of the day in Shanghai.
    at = (today.toordinal() - date(1970, 1, 1).toordinal()) * DAY - 30 * MINUTE
    assert value("profile.birthday.in", state, at) == days * DAY
    assert value("profile.age", state, at) == age


def test_tags_that_were_said_to_be_none_are_none() -> None:
    assert value("profile.tags", fold_all([profile("p", START, "updated", tags=[])])) == frozenset()
    tagged = fold_all([profile("p", START, "updated", tags=["vip", "tea"])])
    assert value("profile.tags", tagged) == frozenset({"vip", "tea"})
    assert isinstance(read("profile.tags", fold_all([profile("p", START, "updated")])), Unknown)


def test_what_time_it_is_is_a_matter_of_the_shops_clock() -> None:
    state = new_state("shop", "c1")
    # 2024-06-01T00:00Z, a Saturday, is 08:00 in Shanghai.
    assert value("now.hour", state, START) == 8
    assert value("now.weekday", state, START) == "sat"
    assert value("now.weekday", state, START + 17 * 60 * MINUTE) == "sun"


def test_what_waits_for_its_payment_is_counted_from_the_newest() -> None:
    placed = [order("o1", START, "A", "placed"), order("o2", START + MINUTE, "B", "placed")]
    state = fold_all(placed)
    assert value("orders.unpaid.age", state, START + 31 * MINUTE) == 30 * MINUTE
    state = fold_all([*placed, order("o3", START + 2 * MINUTE, "B", "paid")])
    assert value("orders.unpaid.age", state, START + 31 * MINUTE) == 31 * MINUTE
    state = fold_all(
        [*placed, order("o3", START, "B", "paid"), order("o4", START, "A", "cancelled")]
    )
    assert isinstance(read("orders.unpaid.age", state), Unknown)


def test_ages_follow_the_moment_and_never_are_negative() -> None:
    state = fold_all([cart("c", START, "add", "a"), click("k", START)])
    for name in ("cart.age", "last_seen.ago", "visits.ago"):
        assert value(name, state, START + 5 * MINUTE) == 5 * MINUTE
        assert value(name, state, START - 5 * MINUTE) == 0


def test_coupons_are_good_from_their_issue_to_their_end() -> None:
    state = new_state("shop", "c1")
    state.coupons = [Coupon("t", "welcome", START, START + DAY)]
    seen = [value("coupons.good.count", state, START + at) for at in (-1, 0, DAY - 1, DAY)]
    assert seen == [0, 1, 1, 0]


def test_the_last_source_is_that_of_the_touch_that_began_last() -> None:
    clicks: list[Timed] = [
        click("a", START, session_id="s1", traffic_source="search"),
        click("b", START + DAY, session_id="s2", traffic_source="live"),
    ]
    assert value("sources.last", fold_all(clicks)) == "live"
    assert value("sources", fold_all(clicks), START + 31 * DAY) == frozenset()


def test_likers_are_those_who_count() -> None:
    likes = [wish(f"l{n}", START + n, "liked", "W", liker_id=f"c{n}") for n in range(1, 4)]
    state = fold_all([wish("w", START, "made", "W", sku="a"), *likes])
    # c1 is the owner.
    assert value("wishes.likers.most", state) == 2
    assert isinstance(read("wishes.likers.most", new_state("shop", "c1")), Unknown)


def test_a_full_list_may_lack_some() -> None:
    few = fold_all([click(f"k{n}", START + n, sku=f"s{n}") for n in range(PRODUCTS - 1)])
    many = fold_all([click(f"k{n}", START + n, sku=f"s{n}") for n in range(PRODUCTS + 1)])
    assert read("browsing.viewed", few) == Seen(frozenset(f"s{n}" for n in range(9)))
    found = read("browsing.viewed", many)
    assert isinstance(found, Seen)
    assert found.at_least
    assert len(found.value) == PRODUCTS  # type: ignore[arg-type]


def test_a_name_is_looked_for_as_the_state_keeps_it() -> None:
    long = "sku" * 20
    state = fold_all([click("k", START, "favorite", sku=long)])
    assert value("favorites", state) == frozenset({interest_name(long)})
    assert FIGURES["favorites"].known_as(long) == interest_name(long) != long


def test_an_open_case_waits_since_it_was_opened() -> None:
    state = fold_all(
        [service("s1", START, "complaint", "K"), service("s2", START + DAY, "inquiry", "L")]
    )
    assert value("service.open.age", state, START + 3 * DAY) == 3 * DAY
