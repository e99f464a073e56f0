"""shop.verdicts: orders held to be brushed (刷单), likes of wishes held to be bought, and what no longer is.

A record is one change of what an order, or the likes of a wish, are held to be; the type says of which. An
order or wish of which there is none never was judged to be anything. Of several the one with the greatest
``number`` holds, in whatever order they are read. Read it with isolation level read_committed.
"""

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Envelope, Id, ShopId

#: docs/integrity.md says what each means.
Sign = Literal["rate", "unviewed", "device", "address", "praise"]


#: What JSON's readers and databases hold exactly.
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class VerdictReason(msgspec.Struct, kw_only=True):
    """A sign that the order has: its points, and the value that they rest on."""

    sign: Sign
    points: _Count
    #: Orders in the hour; seconds looked (0: never); buyers; seconds from receipt to praise.
    value: _Count


class Verdict(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the order is held to be from now on, and why."""

    shop_id: ShopId
    #: Whose order it is now: they may have ordered as one of ``visitors``.
    customer_id: Id
    #: Visitors who turned out to be the customer; orders are told by any of these ids.
    visitors: list[Id] = []
    #: Hexadecimal BLAKE2b (8 bytes) of a NUL and the order id. An id of more than 64 bytes of UTF-8 goes in
    #: as its first characters of at most 48 bytes and its own BLAKE2b (8 bytes) in hexadecimal.
    order_hash: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")]
    #: None where the customer's state has forgotten it, which keeps older orders by the hash.
    order_id: Id | None = None
    brushed: bool
    #: Of the judgement now, which is too weak where the verdict is taken back.
    points: _Count
    reasons: list[VerdictReason] = []
    #: Hexadecimal BLAKE2b (4 bytes) of the sku by which the order was judged; None: by none any more.
    product_hash: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}$(?!\n)")] | None = None
    #: Rises with each change of any of the customer's orders and wishes.
    number: _Count


class VerdictEvent(Envelope, tag="shop.verdict.v1"):
    data: Verdict


class WishVerdict(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How many likes of a wish are held to be bought from now on, and how many count."""

    shop_id: ShopId
    #: Whose wish it is now: they may have made it as one of ``visitors``.
    customer_id: Id
    #: Visitors who turned out to be the customer.
    visitors: list[Id] = []
    #: Hexadecimal BLAKE2b (8 bytes) of the wish id.
    wish_hash: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")]
    #: None where the customer's state has only its beginning, which keeps longer ids by the hash.
    wish_id: Id | None = None
    suspicious: _Count
    #: Likes by others than the owner that are not suspicious.
    likes: _Count
    #: Rises with each change of any of the customer's orders and wishes.
    number: _Count


class WishVerdictEvent(Envelope, tag="shop.wishverdict.v1"):
    data: WishVerdict
