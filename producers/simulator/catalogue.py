"""What the simulated shop says of its assortment: each product listed once, at the beginning of a run.

Not a part of the feed: products are not folded, so they have no place among the events that workers are
measured by.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from producers.bulk import BulkPublisher
from producers.cluster import Cluster
from producers.simulator.assortment import PRODUCTS as ASSORTMENT
from producers.simulator.events import SOURCE
from producers.source import Record
from schemas.catalogue import PRODUCTS
from schemas.product import Product, ProductEvent

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: A piece costs the shop so much of its price, in percent, and so many are in stock.
_COST_PERCENT: Final = 60
_STOCK: Final = 1_000


def listed_products(shop_id: str, at_ms: int) -> Iterator[Record]:
    """A ``listed`` of each product at ``at_ms`` (ms since 1970); the same arguments give the same bytes."""
    encode = msgspec.json.Encoder().encode
    for product in ASSORTMENT:
        event = ProductEvent(
            specversion="1.0",
            id=f"{product.sku}-{at_ms:x}",
            source=SOURCE,
            subject=product.sku,
            time=_EPOCH + timedelta(milliseconds=at_ms),
            data=Product(
                shop_id=shop_id,
                sku=product.sku,
                action="listed",
                name=product.name,
                category=product.category,
                price=product.price,
                unit_cost=product.price * _COST_PERCENT // 100,
                stock=_STOCK,
            ),
        )
        yield Record(at_ms, PRODUCTS, product.sku.encode(), encode(event))


def publish_catalogue(cluster: Cluster, shop_id: str, at_ms: int) -> int:
    """Lists the shop's products; how many. Blocks; raises as BulkPublisher does."""
    publisher = BulkPublisher(cluster, client_id="huitou-catalogue")
    for record in listed_products(shop_id, at_ms):
        publisher.send(record.topic, record.key, record.value, label=f"product {record.key!r}")
    publisher.flush()
    return publisher.published
