"""Verdicts on orders and wishes: all there were, of which the one with the greatest number holds, whatever
came first.

A verdict names its order or wish by the hash that a customer's state keeps. So the store looks for those of
the customer, and of the visitors who turned out to be them, whose id has that hash; and each one that changes
looks for its verdict. A row of an order or wish is a function of its history and the verdicts that there are.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, select

from streams.domain.names import name_hash
from streams.domain.orders import order_hash
from streams.query.statements import KEYS, Row, among, chunks, insert_rows
from streams.query.tables import orders, verdicts, wish_verdicts, wishes

#: Shop, customer, and the id of the order or wish.
Key = tuple[str, str, str]

_decode_ids = msgspec.json.Decoder(list[str]).decode


@dataclass(frozen=True, slots=True)
class Judged:
    """What verdicts are about: their table, and that of what they judge."""

    verdicts: Table
    #: In ``verdicts``: by what the judged is named.
    digest: str
    table: Table
    #: In ``table``: its id, and how that gives ``digest``.
    name: str
    digest_of: Callable[[str], bytes]

    def take(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> set[Key]:
        """Keep these verdicts; returns what is stored that they may be about."""
        once = {
            (row["shop_id"], row[self.digest], row["customer_id"], row["number"]): row
            for row in rows
        }
        insert_rows(connection, self.verdicts, list(once.values()), existing="keep")
        return self._about(connection, once.values())

    def forget(
        self, connection: Connection, shop_id: str, customer_id: str, until_ms: int
    ) -> set[Key]:
        """Delete a customer's verdicts until then; returns what is stored that they may be about."""
        rows = self.of_customer(connection, shop_id, customer_id, until_ms)
        if rows:
            until = self._until(shop_id, customer_id, until_ms)
            connection.execute(delete(self.verdicts).where(until))
        return self._about(connection, rows)

    def of_customer(
        self, connection: Connection, shop_id: str, customer_id: str, until_ms: int
    ) -> list[Row]:
        """The customer's verdicts until then."""
        until = self._until(shop_id, customer_id, until_ms)
        found = connection.execute(select(self.verdicts).where(until))
        return [dict(row) for row in found.mappings()]

    def holding(self, connection: Connection, keys: Iterable[Key]) -> dict[Key, Row]:
        """The verdict that holds of each of these, those that were ever judged."""
        by_hash: dict[tuple[str, str], list[Key]] = {}
        for key in keys:
            by_hash.setdefault((key[0], self.digest_of(key[2]).hex()), []).append(key)
        found: dict[Key, Row] = {}
        for row in self._with(connection, sorted(by_hash)):
            owners = {row["customer_id"], *visitors_in(row)}
            for key in by_hash[row["shop_id"], row[self.digest]]:
                if key[1] in owners and _rank(row) > _rank(found.get(key)):
                    found[key] = row
        return found

    def _about(self, connection: Connection, rows: Iterable[Row]) -> set[Key]:
        """What is stored that these verdicts may be about."""
        wanted: dict[tuple[str, str], set[str]] = {}
        for row in rows:
            for customer_id in (row["customer_id"], *visitors_in(row)):
                wanted.setdefault((row["shop_id"], customer_id), set()).add(row[self.digest])
        held = self.table.c
        key = (held.shop_id, held.customer_id, held[self.name])
        found: set[Key] = set()
        for some in chunks(sorted(wanted), KEYS):
            own = connection.execute(select(*key).where(among(connection, list(key[:2]), some)))
            found.update(
                (shop_id, customer_id, name)
                for shop_id, customer_id, name in own
                if self.digest_of(name).hex() in wanted[shop_id, customer_id]
            )
        return found

    def _with(self, connection: Connection, hashes: Sequence[tuple[str, str]]) -> Iterator[Row]:
        held = self.verdicts.c
        for some in chunks(hashes, KEYS):
            fits = among(connection, [held.shop_id, held[self.digest]], some)
            found = connection.execute(select(self.verdicts).where(fits))
            yield from (dict(row) for row in found.mappings())

    def _until(self, shop_id: str, customer_id: str, until_ms: int) -> ColumnElement[bool]:
        held = self.verdicts.c
        own = and_(held.shop_id == shop_id, held.customer_id == customer_id)
        return and_(own, held.time_ms <= until_ms)


ON_ORDERS: Final = Judged(verdicts, "order_hash", orders, "order_id", order_hash)
ON_WISHES: Final = Judged(wish_verdicts, "wish_hash", wishes, "wish_id", name_hash)


def visitors_in(row: Row) -> list[str]:
    """The ids under which the customer of a verdict had come before."""
    return _decode_ids(row["visitors"])


def _rank(row: Row | None) -> tuple[int, str]:
    """Numbers go on past a hand-over; two customers with one number share nothing but by a mistake."""
    return (-1, "") if row is None else (row["number"], row["customer_id"])
