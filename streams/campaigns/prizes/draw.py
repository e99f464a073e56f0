"""Draws of prizes that anybody can recompute once the game is over.

Before the game the shop publishes its terms: the prizes with their weights, the commitment, which is the
SHA-256 of a secret seed, and where a beacon will come from that nobody knows yet. A customer's n-th draw is

    HMAC-SHA256(key = seed, message = campaign, customer, n, beacon, attempt)

with U+001F between the texts in UTF-8, n from 1 on and attempt 0, both in decimal. Its 32 bytes are a number,
the most significant byte first. Let W be the sum of the weights. Numbers from the greatest multiple of W
(up to 2^256) on would favour the first prizes, so with one of those the draw is made again with the next
attempt. The remainder by W is the ticket; the first weight tickets are the first prize's, and so on.
Afterwards the shop publishes the seed.

What this proves: no draw depended on what happened after the commitment. What it does not prove: that the
shop chose its seed blindly, since it may know its customers' ids. A beacon does, if the terms say beforehand
which: say, the closing value of an index on the game's first day.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from schemas.trigger import CampaignName

#: Bytes of a seed: as many as of its digest, so it cannot be found by trying.
SEED_BYTES: Final = 32
_BITS: Final = 256
_SEPARATOR: Final = "\x1f"

Weight = Annotated[int, msgspec.Meta(ge=1, le=1_000_000_000_000)]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
#: Without control characters: U+001F stands between the parts of a message.
Line = Annotated[str, msgspec.Meta(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]


class DrawError(ValueError):
    """What was given cannot be a draw of this game; says what is wrong."""


class Prize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``weight`` of the sum of all weights are its chances. To win nothing is a prize too."""

    name: Annotated[Line, msgspec.Meta(min_length=1)]
    weight: Weight


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is published before the game. ``beacon`` is added once it is known; without one it is empty."""

    campaign: CampaignName
    commitment: Digest
    prizes: Annotated[tuple[Prize, ...], msgspec.Meta(min_length=1, max_length=1_000)]
    beacon: Line = ""


class Drawn(msgspec.Struct, frozen=True):
    """``ticket`` of 0 to ``tickets`` - 1, and whose it is."""

    ticket: int
    tickets: int
    prize: str


def commitment(seed: bytes) -> str:
    """What is published of ``seed`` before the game. Raises DrawError unless it has 32 bytes."""
    if len(seed) != SEED_BYTES:
        raise DrawError(f"a seed of {len(seed)} bytes: it must have {SEED_BYTES}")
    return hashlib.sha256(seed).hexdigest()


def draw(terms: Terms, seed: bytes, customer_id: str, number: int) -> Drawn:
    """The customer's draw ``number``, from 1 on.

    Raises DrawError for a seed that the terms were not made of, and for what nobody can have drawn.
    """
    if commitment(seed) != terms.commitment:
        raise DrawError(
            f"the seed's SHA-256 is {commitment(seed)}, but the terms were published with "
            f"{terms.commitment}: this is not the seed of that game"
        )
    if number < 1:
        raise DrawError(f"draw number {number}: a customer's first is 1")
    parts = (terms.campaign, customer_id, str(number), terms.beacon)
    if any(_SEPARATOR in part for part in parts):
        raise DrawError("campaign, customer id and beacon have no U+001F: it stands between them")

    def attempt(again: int) -> int:
        message = _SEPARATOR.join((*parts, str(again))).encode()
        return int.from_bytes(hmac.digest(seed, message, "sha256"))

    tickets = sum(prize.weight for prize in terms.prizes)
    ticket = below(tickets, attempt)
    left = ticket
    for prize in terms.prizes:
        left -= prize.weight
        if left < 0:
            return Drawn(ticket, tickets, prize.name)
    raise AssertionError("a ticket is below the sum of all weights")


def below(bound: int, attempt: Callable[[int], int], bits: int = _BITS) -> int:
    """A number from 0 to ``bound`` - 1, each as likely as any other, from uniform numbers of ``bits`` bits.

    ``attempt`` (0, 1, 2, ...) gives them. ``bound`` is from 1 to 2^bits, so at least every second serves.
    """
    fair = (1 << bits) // bound * bound
    again = 0
    while (number := attempt(again)) >= fair:
        again += 1
    return number % bound
