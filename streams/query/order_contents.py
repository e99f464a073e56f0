"""What found orders are of: the products of their lines and the coupons that were used."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, select

from streams.query.statements import KEYS, among, chunks
from streams.query.tables import order_coupons, order_lines

_KEY: Final = ("shop_id", "customer_id", "order_id")


def add_contents(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Give each row of ``orders`` its ``skus`` and ``coupon_codes``: lists, each of them once, sorted."""
    skus = _by_order(connection, rows, order_lines, order_lines.c.sku)
    codes = _by_order(connection, rows, order_coupons, order_coupons.c.code)
    for row in rows:
        key = _key_of(row)
        row["skus"], row["coupon_codes"] = sorted(skus.get(key, ())), sorted(codes.get(key, ()))


def _by_order(
    connection: Connection, rows: Sequence[dict[str, Any]], table: Table, column: Column[Any]
) -> dict[tuple[str, ...], set[str]]:
    key = [table.c[name] for name in _KEY]
    found: dict[tuple[str, ...], set[str]] = {}
    for some in chunks(sorted(map(_key_of, rows)), KEYS):
        for *of, value in connection.execute(
            select(*key, column).where(among(connection, key, some))
        ):
            found.setdefault(tuple(of), set()).add(value)
    return found


def _key_of(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in _KEY)
