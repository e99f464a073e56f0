"""Who is held out of a campaign, and who gets which variant: a hash, so nothing is stored or drawn.

A customer's bucket is the first 8 bytes of SHA-256, read as a big-endian number, modulo 10,000. Hashed are
four texts in UTF-8 with the unit separator (U+001F) between them: purpose, campaign, shop, customer. Only the
last may hold a separator itself, so no two customers hash the same bytes. 10,000 does not divide 2^64:
the buckets below 2^64 mod 10,000 = 1,616 are likelier than the others by 5 in 10^16.

Another campaign or purpose is another hash, so who is held out of one campaign says nothing about who is
held out of the next, nor about variants.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

#: A holdout's share and the weights of variants are whole numbers of these: a hundredth of a percent each.
BUCKETS: Final = 10_000
#: The holdout of all campaigns together. No campaign can have this name (schemas.trigger.CampaignName).
EVERY_CAMPAIGN: Final = "*"

_HOLDOUT: Final = "holdout"
_VARIANT: Final = "variant"
_SEPARATOR: Final = "\x1f"


class ShareError(ValueError):
    """A share or a weight is no number of buckets that can be given to somebody."""


class Variant(NamedTuple):
    """One offer of several that are compared, and how many of the 10,000 buckets get it."""

    name: str
    buckets: int


def holdout_bucket(campaign: str, shop_id: str, customer_id: str) -> int:
    """A customer's bucket in the holdout of ``campaign`` (or of EVERY_CAMPAIGN): 0 to 9,999."""
    return _bucket(_HOLDOUT, campaign, shop_id, customer_id)


def held_out(campaign: str, shop_id: str, customer_id: str, share: int) -> bool:
    """Whether the customer is among the ``share`` buckets (of 10,000) that get no offer.

    These are the lowest, so who is held out stays so when the share grows.
    Raises ShareError unless 0 <= share <= 10,000.
    """
    if not 0 <= share <= BUCKETS:
        raise ShareError(f"holdout of {share} buckets: it must be from 0 to {BUCKETS:,}")
    return holdout_bucket(campaign, shop_id, customer_id) < share


def variant_of(campaign: str, shop_id: str, customer_id: str, variants: Sequence[Variant]) -> str:
    """The name of the customer's variant: the buckets are given out in the order of ``variants``.

    Raises ShareError unless each variant has at least one bucket and all have 10,000 together.
    """
    few = [each for each in variants if each.buckets < 1]
    if few:
        raise ShareError(
            f"variant {few[0].name!r} has {few[0].buckets} buckets: give it at least 1"
        )
    together = sum(each.buckets for each in variants)
    if together != BUCKETS:
        raise ShareError(f"the variants of {campaign!r} have {together:,} buckets, not {BUCKETS:,}")
    left = _bucket(_VARIANT, campaign, shop_id, customer_id)
    for each in variants:
        left -= each.buckets
        if left < 0:
            return each.name
    raise AssertionError("the buckets of all variants are all buckets")


def _bucket(purpose: str, campaign: str, shop_id: str, customer_id: str) -> int:
    named = _SEPARATOR.join((purpose, campaign, shop_id, customer_id))
    return int.from_bytes(hashlib.sha256(named.encode()).digest()[:8]) % BUCKETS
