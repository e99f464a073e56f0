"""What customers wish for (心愿): by product and attribute, what became of it, and how many like it."""

from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    String,
    Subquery,
    and_,
    case,
    func,
    literal,
    null,
    select,
)

from schemas.catalogue import WISHES
from streams.domain.summary import BANDS
from streams.query.tables import (
    products,
    wish_attributes,
    wish_events,
    wish_likes,
    wish_verdicts,
    wishes,
)
from streams.query.wording import money
from streams.reports.amounts import count, rows_of, unknown
from streams.reports.model import Asked, Figure, Report, Row, Value
from streams.reports.period import TIME_DIMENSIONS
from streams.reports.reach import has_rows, within_reach
from streams.reports.silence import unless_silent
from streams.reports.sums import Facts, Parts, Raw, add_up, counted

ATTRIBUTE: Final = "attribute"
CATEGORY: Final = "category"
PRICE: Final = "price"
_DECISIONS: Final = ("granted", "declined", "withdrawn")
_MADE, _DECIDED = "wishes.made_ms: the earliest `made`", "wishes.decision: the last of the three"
_LIKED = "wish_likes: liked, less wishes.suspicious"
_NEVER = "no like of this shop was ever held to be bought, or its settings have no `liking`"
FIGURES = (
    Figure("wishes", "count", "Wishes made in the period.", _MADE, additive=True),
    Figure("wishers", "count", "Different customers who made them.", _MADE),
    Figure("granted", "count", "Those of them that are granted by now.", _DECIDED, additive=True),
    Figure("declined", "count", "Those that are declined.", _DECIDED, additive=True),
    Figure("withdrawn", "count", "Those that their owner withdrew.", _DECIDED, additive=True),
    Figure("undecided", "count", "Those of which nothing has become yet.", _DECIDED, additive=True),
    Figure(
        "likes", "count",
        "Likes of these wishes by others than their owner, each liker's last word, but those that look "
        "bought.",
        _LIKED, additive=True,
    ),
    Figure("liked_wishes", "count", "Wishes with such a like.", _LIKED, additive=True),
    Figure(
        "suspicious_likes", "count", "Likes of these wishes that look bought.",
        "wishes.suspicious: of the newest verdict on the wish", additive=True,
    ),
)  # fmt: skip
#: What costs this, in minor units, or more is in one band.
_DEAREST: Final = 100_000_000


def _price_band(currency: str | None) -> ColumnElement[Any]:
    """The band of the product's price; bands are those that a state has (streams.domain.summary BANDS)."""
    price = products.c.price
    begins = [begin for begin in BANDS if begin <= _DEAREST]
    bands = [
        (price < below, literal(f"{money(begin, currency)} to {money(below - 1, currency)}"))
        for begin, below in pairwise(begins)
    ]
    return case(
        (price.is_(None), null()), *bands, else_=literal(f"from {money(_DEAREST, currency)}")
    )


_held = wishes.c
_wanted = wish_attributes.c
_liked = wish_likes.c
_KEYS: Final[dict[str, ColumnElement[Any]]] = {
    "product": _held.sku, CATEGORY: products.c.category,
}  # fmt: skip


def _rows(connection: Connection, asked: Asked) -> list[Row]:
    asked = within_reach(connection, asked, WISHES, wish_events, "wish")
    likes = _likes(asked)
    own = and_(likes.c.customer_id == _held.customer_id, likes.c.wish_id == _held.wish_id)
    source: FromClause = wishes.outerjoin(likes, own)
    columns = _columns(func.coalesce(likes.c.likes, 0))
    never = None if has_rows(connection, wish_verdicts, asked.shop) else unknown(_NEVER)
    key = _price_band(asked.currency_at_end()) if asked.by == PRICE else _KEYS.get(asked.by or "")
    if asked.by in (CATEGORY, PRICE):
        same = and_(products.c.shop_id == asked.shop, products.c.sku == _held.sku)
        source = source.outerjoin(products, same)
    whole = None
    if asked.by == ATTRIBUTE:
        # Joined with its attributes a wish is there several times.
        whole = add_up(connection, replace(asked, by=None), _facts(asked, source), columns).whole
        source, key = (
            source.outerjoin(wish_attributes, _own_attributes()),
            _wanted.name + "=" + _wanted.value,
        )
    found = add_up(connection, asked, _facts(asked, source), columns, key, func.count())
    shown = found if whole is None else Parts(whole, found.parts, found.others)

    def values(raw: Raw) -> dict[str, Value]:
        said = {figure.name: count(counted(raw, figure.name)) for figure in FIGURES}
        if whole is not None and raw is shown.others:
            said["likes"] = said["suspicious_likes"] = unknown(
                "a wish with several of these attributes would count several times"
            )
        if never is not None:
            said["suspicious_likes"] = never
        return said

    return rows_of(asked, shown, FIGURES, values)


def _facts(asked: Asked, source: FromClause) -> Facts:
    return Facts(source, _held.made_ms, [_held.shop_id == asked.shop])


def _likes(asked: Asked) -> Subquery:
    """Of each wish of the shop, how many others like it."""
    return (
        select(_liked.customer_id, _liked.wish_id, func.count().label("likes"))
        .where(
            _liked.shop_id == asked.shop, _liked.liked == 1, _liked.liker_id != _liked.customer_id
        )
        .group_by(_liked.customer_id, _liked.wish_id)
        .subquery("likes")
    )


def _own_attributes() -> ColumnElement[bool]:
    return and_(
        _wanted.shop_id == _held.shop_id,
        _wanted.customer_id == _held.customer_id,
        _wanted.wish_id == _held.wish_id,
    )


def _columns(given: ColumnElement[int]) -> list[ColumnElement[Any]]:
    # A like that was taken back may still be on the way to the worker.
    likes = case((given > _held.suspicious, given - _held.suspicious), else_=0)
    # The length keeps apart what would be the same text.
    wish = func.length(_held.customer_id).cast(String) + " " + _held.customer_id + _held.wish_id

    def wishes_where(condition: ColumnElement[bool], name: str) -> ColumnElement[Any]:
        return func.count(func.distinct(case((condition, wish)))).label(name)

    return [
        func.count(func.distinct(wish)).label("wishes"),
        func.count(func.distinct(_held.customer_id)).label("wishers"),
        *(wishes_where(_held.decision == each, each) for each in _DECISIONS),
        wishes_where(_held.decision.is_(None), "undecided"),
        func.sum(likes).label("likes"),
        wishes_where(likes > 0, "liked_wishes"),
        func.sum(given - likes).label("suspicious_likes"),
    ]


def _says(asked: Asked) -> tuple[str, ...]:
    if asked.by != ATTRIBUTE:
        return ()
    return (
        "A wish may have several attributes, so nothing adds up; one without any is in a part of no name.",
    )


REPORT = Report(
    "wishes", "Wishes", FIGURES, (ATTRIBUTE, "product", CATEGORY, PRICE, *TIME_DIMENSIONS),
    unless_silent(_rows, wish_events, "wish"), by=ATTRIBUTE, says=_says,
    notes=(
        "Wishes are of the day on which they were made, and so is what became of them.",
        "Only shops whose settings have `liking` judge likes; which look bought huitou customer says.",
        "Category and price are those of the product, as the shop has it now; prices are in bands.",
        "What a visitor wished for stays under that name, and who liked under two names liked twice.",
    ),
)  # fmt: skip
