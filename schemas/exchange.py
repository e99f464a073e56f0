"""shop.exchange (internal): facts that a partition's owner tells the partition of another key.

``subject`` is the key that is told, ``time`` when what is told happened. ``source`` is the topic's name
in Kafka, which differs between generations of topics, and ``id`` is ``<partition>-<seq>-<index>``: the
commit that tells it, and which of its facts this is. So the same commit, repeated, names it the same,
and no two facts have one name.

A body is one of a tagged union; a new one is a new tag. What a body is folded into, a customer's state or
something else's, is for streams.domain.exchange to say.
"""

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


Body = Visitor | Resent | Forget


class Exchange(Data):
    body: Body


class ExchangeEvent(Envelope, tag="shop.exchange.v1"):
    data: Exchange
