"""Which shops sell the same as a shop."""

from schemas.settings import STACK
from streams.definitions import Definitions
from streams.reports.currencies import spans
from streams.reports.model import Category, Peer


def category_of(definitions: Definitions, shop: str, time_ms: int) -> Category | None:
    """The shop's category at ``time_ms`` (ms since 1970) and the others that were in it; None: in none."""
    name = definitions.at(shop, time_ms).category
    if name is None:
        return None
    peers = [
        Peer(other, settings.time_zone, spans(definitions, other))
        for other in definitions.shops()
        if other not in (shop, STACK)
        and (settings := definitions.at(other, time_ms)).category == name
    ]
    return Category(name, tuple(peers))
