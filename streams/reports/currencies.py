"""Which currency was a shop's when: from the versions of its settings."""

from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.settings import STACK
from streams.definitions import Definitions
from streams.reports.model import CurrencySpan

#: Later than any event.
FOREVER: Final = 1 << 62
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def spans(definitions: Definitions, shop: str) -> tuple[CurrencySpan, ...]:
    """The shop's currencies, one after another; the last one holds for ever."""
    # The first version of each holds since ever.
    versions = [*definitions.versions(shop)[1:], *definitions.versions(STACK)[1:]]
    changes = sorted(
        {(each.effective_from - _EPOCH) // timedelta(milliseconds=1) for each in versions}
    )
    found: list[CurrencySpan] = []
    for since, until in zip([0, *changes], [*changes, FOREVER], strict=True):
        currency = definitions.at(shop, since).currency
        if found and found[-1].currency == currency:
            found.pop()
        found.append(CurrencySpan(until, currency))
    return tuple(found)
