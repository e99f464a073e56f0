"""What of a shop's settings was in force when, one span after another: its currency, its RFM thresholds,
the tiers of its membership.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from schemas.settings import STACK
from streams.definitions import Definitions
from streams.domain.shop import ShopSettings
from streams.reports.model import CurrencySpan, ThresholdSpan, TierSpan

#: Later than any event.
FOREVER: Final = 1 << 62
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
T = TypeVar("T")


def spans(definitions: Definitions, shop: str) -> tuple[CurrencySpan, ...]:
    """The shop's currencies, one after another; the last one holds for ever."""
    found = _spans(definitions, shop, lambda settings: settings.currency)
    return tuple(CurrencySpan(until_ms, currency) for until_ms, currency in found)


def threshold_spans(definitions: Definitions, shop: str) -> tuple[ThresholdSpan, ...]:
    """The shop's RFM thresholds, one after another; the last ones hold for ever."""
    found = _spans(definitions, shop, lambda settings: settings.rfm)
    return tuple(ThresholdSpan(until_ms, rfm) for until_ms, rfm in found)


def tier_spans(definitions: Definitions, shop: str) -> tuple[TierSpan, ...]:
    """The tiers of the shop's membership, one after another; the last ones hold for ever."""
    found = _spans(definitions, shop, lambda settings: settings.tiers)
    return tuple(TierSpan(until_ms, tiers) for until_ms, tiers in found)


def _spans(
    definitions: Definitions, shop: str, of: Callable[[ShopSettings], T]
) -> Iterator[tuple[int, T]]:
    """(until when, what): neighbours differ."""
    # The first version of each holds since ever.
    versions = [*definitions.versions(shop)[1:], *definitions.versions(STACK)[1:]]
    changes = sorted(
        {(each.effective_from - _EPOCH) // timedelta(milliseconds=1) for each in versions}
    )
    found: list[tuple[int, T]] = []
    for since, until in zip([0, *changes], [*changes, FOREVER], strict=True):
        value = of(definitions.at(shop, since))
        if found and found[-1][1] == value:
            found.pop()
        found.append((until, value))
    yield from found
