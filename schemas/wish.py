"""shop.wishes: what customers wish for, and what others and the shop say to it.

The key is the customer who made the wish, whoever likes or comments on it.
"""

from typing import Literal

import msgspec

from schemas.envelope import Data, Envelope, Id

WishAction = Literal[
    "made", "liked", "unliked", "commented", "story", "withdrawn", "granted", "declined"
]


class Wish(Data):
    """``liker_id`` (who did it) is required for ``liked`` and ``unliked`` (checked by
    schemas.requirements).
    """

    wish_id: Id
    action: WishAction
    sku: Id | None = None
    attributes: dict[Id, Id] = msgspec.field(default_factory=dict)
    liker_id: Id | None = None
    device_hash: Id | None = None


class WishEvent(Envelope, tag="shop.wish.v1"):
    data: Wish
