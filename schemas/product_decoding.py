"""Records of shop.products, which is not folded, read by the rules that hold for all that upstream writes."""

from collections.abc import Mapping
from typing import NamedTuple, cast

from schemas.catalogue import PRODUCTS
from schemas.deadletter import DeadLetter, Record, dead_letter
from schemas.decoding import Decoder
from schemas.product import ProductEvent


class DecodedProduct(NamedTuple):
    """A good event and its time in ms since 1970, cut down to the millisecond."""

    event: ProductEvent
    time_ms: int


class ProductDecoder:
    """Reads the records of shop.products; not for several threads at once.

    ``partitions`` and ``names`` as in schemas.decoding.Decoder.
    """

    def __init__(self, partitions: int, names: Mapping[str, str] | None = None) -> None:
        self._decoder = Decoder(partitions, names, topics=(PRODUCTS,))

    def decode(self, record: Record, latest_ms: int) -> DecodedProduct | DeadLetter:
        """One record, or why it cannot be read; ``latest_ms`` and what is raised as in Decoder.decode."""
        result = self._decoder.decode(record, latest_ms)
        if isinstance(result, DeadLetter):
            return result
        # The decoder of that topic alone reads no other type.
        event = cast(ProductEvent, result.event)
        if event.subject != event.data.sku:
            # A sku has one partition, in which its events have an order.
            return dead_letter(
                record, "key_not_subject", f"the sku is {event.data.sku!r}, and the subject another"
            )
        return DecodedProduct(event, result.time_ms)
