"""CloudEvents 1.0 in structured JSON: the envelope of every public topic."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

ID_LENGTH = 64
KEYWORD_LENGTH = 128
TEXT_LENGTH = 2_000
#: A record's value over this many bytes is a dead letter.
BODY_BYTES = 64 * 1024

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=ID_LENGTH)]
#: Part of Redis keys, so no slash, space or control character: Python's ``$`` would let a last
#: newline through, hence the look-ahead.
ShopId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$(?!\n)")]
Keyword = Annotated[str, msgspec.Meta(max_length=KEYWORD_LENGTH)]
Text = Annotated[str, msgspec.Meta(max_length=TEXT_LENGTH)]
Source = Annotated[str, msgspec.Meta(min_length=1, max_length=KEYWORD_LENGTH)]
#: Minor units of the shop's currency (cents, fen). Absent means unknown, not 0. The bound is ten
#: billion yuan a piece: times the largest quantity (10^6) it is 10^18, still under msgpack's 2^63.
Money = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000_000)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
#: An event time; the time zone is required, and the wire form is UTC.
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Envelope(msgspec.Struct, tag_field="type", kw_only=True, gc=False, omit_defaults=True):
    """What all events share. ``subject`` is the Kafka key; ``source`` + ``id`` names the event.

    ``specversion`` has no default: CloudEvents requires it on the wire, and a default would be left
    out of what is written and let it be absent from what is read.
    """

    specversion: Literal["1.0"]
    id: Id
    source: Source
    subject: Id
    time: Moment


class Data(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """What the data of every customer event has."""

    shop_id: ShopId


class Line(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """One product of an order: ``unit_price`` is per piece, in minor units."""

    sku: Id
    quantity: Quantity = 1
    category: Id | None = None
    unit_price: Money | None = None
    attributes: dict[Id, Id] = msgspec.field(default_factory=dict)
