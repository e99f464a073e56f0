"""Finds orders, newest first, a page at a time; the next page begins behind the last key of this one."""

import base64
import binascii
from dataclasses import dataclass
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, FromClause, Table, and_, exists, select, tuple_

from streams.query.facts import storable
from streams.query.orders import STATUSES
from streams.query.tables import order_coupons, order_lines, orders

#: Time of the order (ms), shop, customer, order.
PageKey: TypeAlias = tuple[int, str, str, str]

#: What both stores can compare an integer with.
_Stored: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_decode_key: Final = msgspec.json.Decoder(tuple[_Stored, str, str, str]).decode

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
    """The newest ``limit`` orders of those wanted, after ``after``."""
    along = _along(wanted)
    key = [along.c[column.name] for column in _key]
    conditions = _conditions(wanted, along)
    if wanted.after is not None:
        # By key, not by number: what comes in meanwhile moves nothing to another page.
        conditions.append(tuple_(*key) < wanted.after)
    statement = (
        select(orders)
        .select_from(orders if along is orders else along.join(orders, _same_order(along, orders)))
        .where(*conditions)
        .order_by(*(column.desc() for column in key))
        .limit(wanted.limit + 1)
    )
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    page = rows[: wanted.limit]
    if len(rows) <= wanted.limit:
        return Found(page, None)
    last = page[-1]
    return Found(page, (last["ordered_ms"], last["shop_id"], last["customer_id"], last["order_id"]))


def _along(wanted: Wanted) -> Table:
    """The table whose index has the orders in the order of a page.

    A product or a coupon names few orders of many: walking the orders and asking each for it would read them
    all, and collecting those that have it would sort them all.
    """
    if wanted.product is not None:
        return order_lines
    return orders if wanted.coupon is None else order_coupons


def _conditions(wanted: Wanted, along: Table) -> list[ColumnElement[bool]]:
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
        conditions += [order_lines.c.sku == wanted.product, ~_earlier_line()]
    if wanted.coupon is not None:
        of_code = order_coupons.c.code == wanted.coupon
        conditions.append(
            of_code
            if along is order_coupons
            else exists().where(_same_order(order_coupons, along), of_code)
        )
    if wanted.remark is not None:
        conditions.append(held.remark.icontains(wanted.remark, autoescape=True))
    if wanted.since_ms is not None:
        conditions.append(along.c.ordered_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(along.c.ordered_ms < wanted.until_ms)
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


def written(key: PageKey) -> str:
    """A page's key as one word for a command line.

    >>> read_key(written((1, "shop", "c1", "o1")))
    (1, 'shop', 'c1', 'o1')
    """
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def read_key(word: str) -> PageKey:
    """What ``written`` wrote. Raises ValueError for anything else."""
    try:
        raw = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
        key = _decode_key(raw)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        key = None
    # A text with a NUL is in no store, and PostgreSQL cannot even look for it.
    if key is None or any(storable(text) != text for text in key[1:]):
        raise ValueError(f"{word!r} is no page: give what `huitou orders find` printed")
    return key
