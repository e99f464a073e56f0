"""shop.exchange (internal): facts that a partition's owner tells the partition of another key.

``subject`` is the key that is told, ``time`` when what is told happened. ``source`` is the topic's name
in Kafka, which differs between generations of topics, and ``id`` is ``<partition>-<seq>-<index>``: the
commit that tells it, and which of its facts this is. So the same commit, repeated, names it the same,
and no two facts have one name.

A body is one of a tagged union; a new one is a new tag. What a body is folded into, a customer's state or
something else's, is for streams.domain.exchange to say.
"""

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Data, Envelope, Id
from schemas.events import CustomerEvent

#: An exchanged fact is at most this long: an event of 64 KB inside another envelope, or a state of at
#: most 32 KB in base64, with room for both to grow.
EXCHANGE_BYTES = 128 * 1024


class _Body(msgspec.Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """``hops``: marks that have sent this on already; bounded by streams.domain.exchange."""

    hops: int = 0


class Visitor(_Body, tag="visitor"):
    """All that is known of the anonymous ``visitor``, who turned out to be the subject."""

    visitor: Id
    #: As streams.state.codec encodes a state.
    state: bytes


class Resent(_Body, tag="event"):
    """An event that came for ``visitor`` after they were handed over; ``event`` has it as its subject."""

    visitor: Id
    event: CustomerEvent


class Forget(_Body, tag="forget"):
    """The customer whom the subject was handed over to was erased at the envelope's time."""


class OrderOfProduct(_Body, tag="order_of_product"):
    """``customer_id`` ordered the subject, a product. Each event of an order with its goods says so."""

    customer_id: Id
    order_id: Id
    device_hash: Id | None = None
    address_hash: Id | None = None


#: What is told of sharing stops here: more says no more.
SHARED = 15
_Shared = Annotated[int, msgspec.Meta(ge=0, le=SHARED)]


class SharedOrder(_Body, tag="shared_order"):
    """Who else ordered ``sku`` from the phone and address of an order of ``visitor``, who is the subject,
    or was handed over to the subject since.

    Buyers and orders of the product, this one's included; 0: no phone (address) is known.
    """

    visitor: Id
    order_id: Id
    sku: Id
    device_buyers: _Shared = 0
    device_orders: _Shared = 0
    address_buyers: _Shared = 0
    address_orders: _Shared = 0


class Liked(_Body, tag="liked"):
    """A wish was liked, or a like of it taken back (``word``), by ``visitor``, who is the subject or was
    handed over to the subject since.

    ``owner_id``: whose wish it is, who is answered by ``LikerTold``.
    """

    visitor: Id
    owner_id: Id
    wish_id: Id
    word: Literal["liked", "unliked"] = "liked"


class LikeGiven(_Body, tag="like_given"):
    """The same, to what is known of the likes that the subject gave (a state of kind ``liker``).

    ``first_seen``: since when the shop knows the subject, ms; None: it does not.
    """

    liker_id: Id
    owner_id: Id
    wish_id: Id
    word: Literal["liked", "unliked"] = "liked"
    first_seen: int | None = None


class LikerSeen(_Body, tag="liker_seen"):
    """To the likes that the subject gave: the shop knew the subject at the envelope's time already."""


class LikerMoved(_Body, tag="liker_moved"):
    """To the likes that the subject gave: they are ``customer_id``'s, whom the subject turned out to be."""

    customer_id: Id


class LikerForgotten(_Body, tag="liker_forgotten"):
    """To the likes that the subject gave: those until the envelope's time were of an erased customer."""


#: Likes within an hour or a day are told up to here: more says no more.
LIKES_TOLD = 48
_Likes = Annotated[int, msgspec.Meta(ge=0, le=LIKES_TOLD)]


class LikerTold(_Body, tag="liker_told"):
    """What is known of ``liker_id`` who liked ``wish_id`` of ``visitor``, who is the subject or was handed
    over to the subject since.

    Wishes that the liker liked within an hour, and a day, that has the like, at most; and how long the
    shop had known the liker by then, s: 0 where it had not, None where nobody knows.
    """

    visitor: Id
    wish_id: Id
    liker_id: Id
    #: Whom the liker turned out to be, or the liker.
    customer_id: Id
    in_an_hour: _Likes = 0
    in_a_day: _Likes = 0
    age_s: Annotated[int, msgspec.Meta(ge=0)] | None = None


Body = (
    Visitor
    | Resent
    | Forget
    | OrderOfProduct
    | SharedOrder
    | Liked
    | LikeGiven
    | LikerSeen
    | LikerMoved
    | LikerForgotten
    | LikerTold
)


class Exchange(Data):
    body: Body


class ExchangeEvent(Envelope, tag="shop.exchange.v1"):
    data: Exchange
