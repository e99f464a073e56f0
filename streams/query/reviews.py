"""A review's row as a pure function of the set of its facts, in whatever order they came."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from schemas.review import Review
from streams.query.facts import Fact, storable_or_none

_decode = msgspec.json.Decoder(Review).decode
_ACTIONS: Final = ("posted", "appended", "shown", "replied", "removed")


def review_row(facts: Sequence[Fact]) -> dict[str, Any]:
    """The row of the one review that all ``facts`` (at least one, each natural key once) are of."""
    said = {fact.name[1]: _decode(fact.data) for fact in facts}
    times = {fact.name[1]: fact.time_ms for fact in facts}
    posted, appended = said.get("posted"), said.get("appended")
    return {
        **dict(zip(("shop_id", "customer_id", "order_id"), facts[0].order, strict=True)),
        "sku": facts[0].name[0],
        "rating": posted.rating if posted else None,
        "text": storable_or_none(posted.text if posted else None),
        "appended_text": storable_or_none(appended.text if appended else None),
        "photos": max(review.photos for review in said.values()),
        **{f"{action}_ms": times.get(action) for action in _ACTIONS},
    }
