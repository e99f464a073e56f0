"""Finds orders, newest first, a page at a time; the next page begins behind the last key of this one.

All pages of a walk are by the times of its first one (streams.query.moves): each order is in one of them.
"""

from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Connection, FromClause, Table, and_, exists, select, tuple_

from streams.query.moves import newest_move
from streams.query.orders import STATUSES
from streams.query.page_keys import StoredInteger, read_key
from streams.query.tables import order_coupons, order_lines, order_moves, orders


class PageKey(NamedTuple):
    """Where a page ended. ``view``: the newest move at the walk's first page; the time is as of then."""

    view: StoredInteger
    ordered_ms: StoredInteger
    shop_id: str
    customer_id: str
    order_id: str


_key: Final = (orders.c.ordered_ms, orders.c.shop_id, orders.c.customer_id, orders.c.order_id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What all found orders must have; None: anything.

    ``since_ms`` and ``until_ms`` (ms since 1970, the latter excluded) are about when an order was placed.
    ``remark`` is a part of it; letters of ASCII match in either case.
    """

    shop: str | None = None
    order_id: str | None = None
    customer: str | None = None
    product: str | None = None
    status: str | None = None
    region: str | None = None
    payment: str | None = None
    coupon: str | None = None
    remark: str | None = None
    #: True: only those held to be brushed; False: only the others.
    brushed: bool | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    after: PageKey | None = None
    limit: int = 20

    def __post_init__(self) -> None:
        """Raises ValueError for a status that no order can have: nothing found would say something else."""
        if self.status is not None and self.status not in STATUSES:
            raise ValueError(f"no status {self.status!r}; there are {', '.join(STATUSES)}")


class Found(NamedTuple):
    """A page. ``next`` is the ``after`` of the page behind it; None: there is none."""

    orders: list[dict[str, Any]]
    next: PageKey | None


def find(connection: Connection, wanted: Wanted) -> Found:
    """The newest ``limit`` orders of those wanted, after ``after``.

    Those that came in since the first page are found where they are older than ``after``.
    """
    newest = newest_move(connection)
    view = newest if wanted.after is None else wanted.after.view
    found = _standing(connection, wanted, view if newest > view else None)
    if newest > view:
        found = sorted(found + _moved(connection, wanted, view), key=itemgetter(0), reverse=True)
    page = found[: wanted.limit]
    rows = [row for _, row in page]
    return Found(rows, PageKey(view, *page[-1][0]) if len(found) > wanted.limit else None)


#: Where an order stands in a walk, and its row.
_Placed: TypeAlias = tuple[tuple[int, str, str, str], dict[str, Any]]


def _standing(connection: Connection, wanted: Wanted, view: int | None) -> list[_Placed]:
    """The next orders, and one more than a page; ``view``: without those that moved since."""
    along = _along(wanted)
    key = [along.c[column.name] for column in _key]
    conditions = _conditions(wanted, along, along.c.ordered_ms)
    if wanted.after is not None:
        # By key, not by number: what comes in meanwhile moves nothing to another page.
        conditions.append(tuple_(*key) < wanted.after[1:])
    if view is not None:
        moved = (_same_order(order_moves, along), order_moves.c.number > view)
        conditions.append(~exists().where(*moved))
    statement = (
        select(orders)
        .select_from(orders if along is orders else along.join(orders, _same_order(along, orders)))
        .where(*conditions)
        .order_by(*(column.desc() for column in key))
        .limit(wanted.limit + 1)
    )
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    return [(_place(row["ordered_ms"], row), row) for row in rows]


def _moved(connection: Connection, wanted: Wanted, view: int) -> list[_Placed]:
    """Of the orders that moved since ``view`` the next by where they stood then, one more than a page."""
    was, earlier = order_moves.c, order_moves.alias()
    key = [was[column.name] for column in _key]
    conditions = _conditions(wanted, orders, was.ordered_ms)
    if wanted.after is not None:
        conditions.append(tuple_(*key) < wanted.after[1:])
    moved_before = exists().where(
        _same_order(earlier, order_moves), earlier.c.number > view, earlier.c.number < was.number
    )
    statement = (
        select(orders, was.ordered_ms.label("was_ms"))
        .select_from(order_moves.join(orders, _same_order(order_moves, orders)))
        .where(was.number > view, ~moved_before, *conditions)
        .order_by(*(column.desc() for column in key))
        .limit(wanted.limit + 1)
    )
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    return [(_place(row.pop("was_ms"), row), row) for row in rows]


def _place(at_ms: int, row: dict[str, Any]) -> tuple[int, str, str, str]:
    return at_ms, row["shop_id"], row["customer_id"], row["order_id"]


def _along(wanted: Wanted) -> Table:
    """The table whose index has the orders in the order of a page.

    A product or a coupon names few orders of many: walking the orders and asking each for it would read them
    all, and collecting those that have it would sort them all.
    """
    if wanted.product is not None:
        return order_lines
    return orders if wanted.coupon is None else order_coupons


def _conditions(
    wanted: Wanted, along: Table, time_ms: ColumnElement[int]
) -> list[ColumnElement[bool]]:
    """``time_ms``: an order's time, as the walk has it."""
    held = orders.c
    conditions: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (along.c.shop_id, wanted.shop),
            (along.c.order_id, wanted.order_id),
            (along.c.customer_id, wanted.customer),
            (held.status, wanted.status),
            (held.region, wanted.region),
            (held.payment_method, wanted.payment),
        )
        if value is not None
    ]
    if wanted.product is not None:
        of_sku = order_lines.c.sku == wanted.product
        conditions.append(
            and_(of_sku, ~_earlier_line())
            if along is order_lines
            else exists().where(_same_order(order_lines, along), of_sku)
        )
    if wanted.coupon is not None:
        of_code = order_coupons.c.code == wanted.coupon
        conditions.append(
            of_code
            if along is order_coupons
            else exists().where(_same_order(order_coupons, along), of_code)
        )
    if wanted.brushed is not None:
        conditions.append(held.brushed == int(wanted.brushed))
    if wanted.remark is not None:
        conditions.append(held.remark.icontains(wanted.remark, autoescape=True))
    if wanted.since_ms is not None:
        conditions.append(time_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(time_ms < wanted.until_ms)
    return conditions


def _earlier_line() -> ColumnElement[bool]:
    """That the order has the product on a line before this one, too: it is found once."""
    other = order_lines.alias()
    return exists().where(
        _same_order(other, order_lines),
        other.c.sku == order_lines.c.sku,
        other.c.line < order_lines.c.line,
    )


def _same_order(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(*(one.c[name] == other.c[name] for name in ("shop_id", "customer_id", "order_id")))


def page_key(word: str) -> PageKey:
    """The key of which `huitou orders find` printed ``word``. Raises ValueError for any other word.

    >>> from streams.query.page_keys import written
    >>> page_key(written(PageKey(0, 1, "shop", "c1", "o1"))).order_id
    'o1'
    """
    return read_key(word, PageKey, "huitou orders find")
