"""Which versions of a shop's definitions count, beyond what their types say."""

from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.settings import NO_TIER, STACK, ReviewTheme, RfmThresholds, Tier
from schemas.settings import Settings as Version


class BadDefinitionError(ValueError):
    """A record of shop.settings that does not count; the message says why."""


def check_version(version: Version, newest: Version | None) -> None:
    """Raise BadDefinitionError unless ``version`` may follow ``newest``, the shop's newest so far."""
    if newest is not None and version.version <= newest.version:
        raise BadDefinitionError(
            f"version {version.version} of {version.shop_id} does not follow {newest.version}"
        )
    if version.lateness_s is not None and version.shop_id != STACK:
        raise BadDefinitionError(f"only {STACK} has lateness_s: one watermark serves all shops")
    if version.category is not None and version.shop_id == STACK:
        raise BadDefinitionError(f"{STACK} has no category: every shop says its own")
    if version.time_zone is not None:
        try:
            ZoneInfo(version.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadDefinitionError(f"no time zone {version.time_zone!r}: {error}") from None
    if version.rfm is not None:
        _check_rfm(version.rfm)
    if version.tiers is not None:
        _check_tiers(version.tiers)
    if version.review_themes is not None:
        _check_themes(version.review_themes)


def _check_rfm(rfm: RfmThresholds) -> None:
    for name in rfm.__struct_fields__:
        limits = getattr(rfm, name)
        if any(low >= high for low, high in pairwise(limits)):
            raise BadDefinitionError(f"rfm.{name} must rise from one to the next: {list(limits)}")


def _check_tiers(tiers: Sequence[Tier]) -> None:
    names = [tier.name for tier in tiers]
    if NO_TIER in names or len(set(names)) < len(names):
        raise BadDefinitionError(f"tiers must have names of their own, none of them {NO_TIER!r}")
    for low, high in pairwise(tiers):
        rises = high.orders >= low.orders and high.amount >= low.amount
        if not rises or (low.orders, low.amount) == (high.orders, high.amount):
            raise BadDefinitionError(
                f"tier {high.name} must take more than {low.name}: the lowest comes first, and "
                "neither orders nor amount may fall"
            )


def _check_themes(themes: Sequence[ReviewTheme]) -> None:
    names = [theme.name for theme in themes]
    if len(set(names)) < len(names):
        raise BadDefinitionError("review_themes must have names of their own")
    for theme in themes:
        if not all(word.strip() == word for word in theme.words):
            raise BadDefinitionError(
                f"a word of theme {theme.name} is blank, or has spaces around it: a word stands alone "
                "without them"
            )
