"""What customers say of what they bought; a review that was removed does not count."""

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, case, func

from streams.domain.reviews import BAD_RATING
from streams.domain.themes import DEFAULT_THEMES
from streams.query.tables import review_events, reviews
from streams.reports.amounts import count, rows_of, share, unknown
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import DAY_MS, TIME_DIMENSIONS
from streams.reports.quantiles import add_quantiles, quantiles_of
from streams.reports.silence import unless_silent
from streams.reports.sums import Facts, Parts, Raw, add_up, counted
from streams.reports.themes import THEME, by_theme

_POSTED = "reviews.posted_ms, removed_ms"
_STARS: Final = range(1, 6)
FIGURES = (
    Figure(
        "reviews", "count", "Reviews posted in the period and not removed by now.", _POSTED, additive=True
    ),
    *(
        Figure(f"stars_{stars}", "count", f"Those with a rating of {stars}.", "reviews.rating", additive=True)
        for stars in _STARS
    ),
    Figure("average_rating", "rating", "Mean rating, 1 to 5.", "reviews.rating"),
    Figure(
        "bad_reviews", "count", f"差评: those with a rating of {BAD_RATING} or less.", "reviews.rating",
        additive=True,
    ),
    Figure("bad_share", "share", "Bad reviews / reviews.", "reviews.rating"),
    Figure("photo_reviews", "count", "晒单: those with photos.", "reviews.photos", additive=True),
    Figure(
        "appended_reviews", "count", "追评: those that something was added to.", "reviews.appended_ms",
        additive=True,
    ),
    Figure(
        "replied_reviews", "count", "Those that the shop has replied to by now.", "reviews.replied_ms",
        additive=True,
    ),
    Figure(
        "replied_within_day", "share", "Of all: those replied to within 24 h after they were posted.",
        "reviews.posted_ms, replied_ms",
    ),
    Figure("reply_median", "ms", "Median of the times from posted to replied.", "reviews.replied_ms"),
    Figure("reply_p90", "ms", "90th percentile (nearest rank) of these times.", "reviews.replied_ms"),
)  # fmt: skip


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    held = reviews.c
    facts = Facts(reviews, held.posted_ms, [held.shop_id == asked.shop, held.removed_ms.is_(None)])
    if asked.by == THEME:
        themed, examples = by_theme(connection, asked, facts)
        return [
            replace(row, examples=examples.get(row.key, ())) if row.kind == "part" else row
            for row in rows_of(asked, themed, FIGURES, _values)
        ]
    reply = held.replied_ms - held.posted_ms
    columns = [
        func.count(held.posted_ms).label("reviews"),
        *(func.count(case((held.rating == stars, 1))).label(f"stars_{stars}") for stars in _STARS),
        func.sum(held.rating).label("ratings"),
        func.count(case((held.photos > 0, 1))).label("photo"),
        func.count(held.appended_ms).label("appended"),
        func.count(held.replied_ms).label("replied"),
        func.count(case((reply <= DAY_MS, 1))).label("in_day"),
    ]
    key = held.sku if asked.by == "product" else None
    found = add_up(connection, asked, facts, columns, key, func.count())
    names = [name for name, _ in found.parts]
    whole, by_part, others = add_quantiles(connection, asked, facts, "reply", reply, names, key)
    parts = [(name, {**raw, **by_part.get(name, {})}) for name, raw in found.parts]
    left = None if found.others is None else {**found.others, **others}
    return rows_of(asked, Parts({**found.whole, **whole}, parts, left), FIGURES, _values)


def _values(raw: Raw) -> dict[str, Value]:
    number = counted(raw, "reviews")
    stars = {f"stars_{each}": count(counted(raw, f"stars_{each}")) for each in _STARS}
    bad = count(sum(counted(raw, f"stars_{n}") for n in _STARS if n <= BAD_RATING))
    rating = unknown("no review")
    if number:
        rating = Value(round(counted(raw, "ratings") / number, 2))
    return {
        "reviews": count(number),
        **stars,
        "average_rating": rating,
        "bad_reviews": bad,
        "bad_share": share(bad, count(number), "no review"),
        "photo_reviews": count(counted(raw, "photo")),
        "appended_reviews": count(counted(raw, "appended")),
        "replied_reviews": count(counted(raw, "replied")),
        "replied_within_day": share(count(counted(raw, "in_day")), count(number), "no review"),
        **quantiles_of(raw, "reply"),
    }


def _says(asked: Asked) -> tuple[str, ...]:
    if asked.by != THEME:
        return ()
    whose = "the built-in list" if asked.themes == DEFAULT_THEMES else "the shop's newest list"
    return (
        f"Themes by {whose} of words (`huitou settings`).",
        "A review may be of several themes, so nothing adds up; those of none are a part without a name.",
    )


REPORT = Report(
    "reviews",
    "Reviews",
    FIGURES,
    ("product", THEME, *TIME_DIMENSIONS),
    unless_silent(_rows, review_events, "review"),
    by="product",
    says=_says,
)
