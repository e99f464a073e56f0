"""Finds orders, newest first, a page at a time; the next page begins behind the last key of this one."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, exists, select, tuple_

from streams.query.tables import order_coupons, order_lines, orders

#: Time of the order (ms), shop, customer, order.
PageKey: TypeAlias = tuple[int, str, str, str]

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


class Found(NamedTuple):
    """A page. ``next`` is the ``after`` of the page behind it; None: there is none."""

    orders: list[dict[str, Any]]
    next: PageKey | None


def find(connection: Connection, wanted: Wanted) -> Found:
    """The newest ``limit`` orders of those wanted, after ``after``."""
    conditions = _conditions(wanted)
    if wanted.after is not None:
        # By key, not by number: what comes in meanwhile moves nothing to another page.
        conditions.append(tuple_(*_key) < wanted.after)
    statement = (
        select(orders)
        .where(*conditions)
        .order_by(*(column.desc() for column in _key))
        .limit(wanted.limit + 1)
    )
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    page = rows[: wanted.limit]
    if len(rows) <= wanted.limit:
        return Found(page, None)
    last = page[-1]
    return Found(page, (last["ordered_ms"], last["shop_id"], last["customer_id"], last["order_id"]))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    held = orders.c
    conditions: list[ColumnElement[bool]] = [
        column == value
        for column, value in (
            (held.shop_id, wanted.shop),
            (held.order_id, wanted.order_id),
            (held.customer_id, wanted.customer),
            (held.status, wanted.status),
            (held.region, wanted.region),
            (held.payment_method, wanted.payment),
        )
        if value is not None
    ]
    if wanted.product is not None:
        conditions.append(_has(order_lines, order_lines.c.sku == wanted.product))
    if wanted.coupon is not None:
        conditions.append(_has(order_coupons, order_coupons.c.code == wanted.coupon))
    if wanted.remark is not None:
        conditions.append(held.remark.icontains(wanted.remark, autoescape=True))
    if wanted.since_ms is not None:
        conditions.append(held.ordered_ms >= wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append(held.ordered_ms < wanted.until_ms)
    return conditions


def _has(table: Table, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    of_order = and_(
        table.c.shop_id == orders.c.shop_id,
        table.c.customer_id == orders.c.customer_id,
        table.c.order_id == orders.c.order_id,
    )
    return exists().where(of_order, condition)


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
        return msgspec.json.decode(raw, type=tuple[int, str, str, str])
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise ValueError(f"{word!r} is no page: give what `huitou orders find` printed") from None
