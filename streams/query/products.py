"""What a shop sells, as the topic says it: a row a product, the latest of what was said of each field.

Of two events of one time the one that lies later in its partition is taken. So a row is a function of the set
of records, whatever order they came in and however often. Prices and stock of before are not kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from sqlalchemy import Connection, select

from schemas.product import Product
from streams.query.facts import Place, storable
from streams.query.statements import KEYS, among, chunks, insert_rows
from streams.query.tables import products

#: Shop, sku.
ProductKey: TypeAlias = tuple[str, str]
#: Event time and place: of one field, the greatest stands.
Rank: TypeAlias = tuple[int, str, int, int]

_TEXTS: Final = ("name", "brand", "category", "image")
_NUMBERS: Final = ("price", "unit_cost", "stock")
#: Whether it is on sale: the later of listed and delisted.
_STATUS: Final = "status"
FIELDS: Final = (*_TEXTS, *_NUMBERS, _STATUS)

_encode = msgspec.json.encode
_decode_ranks = msgspec.json.Decoder(dict[str, tuple[int, str, int, int]]).decode


class ProductFact(NamedTuple):
    """What one record says of a product: ``values`` by field, only of those that it says."""

    product: ProductKey
    time_ms: int
    place: Place
    values: Mapping[str, str | int]

    @property
    def rank(self) -> Rank:
        return (self.time_ms, *self.place)


def said_of(data: Product) -> dict[str, str | int]:
    """The fields that an event says, whatever its action."""
    found: dict[str, str | int] = {}
    for name in _TEXTS:
        text = getattr(data, name)
        if text is not None:
            found[name] = storable(text)
    for name in _NUMBERS:
        number = getattr(data, name)
        if number is not None:
            found[name] = number
    if data.action in ("listed", "delisted"):
        found[_STATUS] = data.action
    return found


def product_row(
    product: ProductKey, facts: Iterable[ProductFact], held: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The row of ``product`` after ``facts``, which are all of it; ``held``: the row before, if any."""
    values: dict[str, Any] = {name: held[name] if held else None for name in FIELDS}
    ranks: dict[str, Rank] = _decode_ranks(held["said"]) if held else {}
    changed_ms = held["changed_ms"] if held else 0
    for fact in facts:
        changed_ms = max(changed_ms, fact.time_ms)
        for name, value in fact.values.items():
            if name not in ranks or fact.rank > ranks[name]:
                values[name], ranks[name] = value, fact.rank
    shop_id, sku = product
    said = _encode({name: ranks[name] for name in FIELDS if name in ranks}).decode()
    return {"shop_id": shop_id, "sku": sku, **values, "changed_ms": changed_ms, "said": said}


def write_products(connection: Connection, facts: Sequence[ProductFact]) -> None:
    """Merge ``facts`` into the table; the sink's partitions keep two writers of a product apart."""
    by_product: dict[ProductKey, list[ProductFact]] = {}
    for fact in facts:
        by_product.setdefault(fact.product, []).append(fact)
    held: dict[ProductKey, Mapping[str, Any]] = {}
    key = [products.c.shop_id, products.c.sku]
    for some in chunks(sorted(by_product), KEYS):
        found = connection.execute(select(products).where(among(connection, key, some)))
        held.update({(row["shop_id"], row["sku"]): dict(row) for row in found.mappings()})
    rows = [product_row(each, own, held.get(each)) for each, own in by_product.items()]
    insert_rows(connection, products, rows, existing="replace")


def product_names(connection: Connection, shop_id: str, skus: Iterable[str]) -> dict[str, str]:
    """Names by sku, of those of ``skus`` that have one in the shop."""
    held = products.c
    wanted = {storable(sku): sku for sku in skus}
    names: dict[str, str] = {}
    for some in chunks([(shop_id, sku) for sku in sorted(wanted)], KEYS):
        fits = among(connection, [held.shop_id, held.sku], some)
        found = connection.execute(select(held.sku, held.name).where(fits, held.name.is_not(None)))
        names |= {wanted[row.sku]: row.name for row in found}
    return names
