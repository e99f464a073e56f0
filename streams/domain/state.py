"""A customer's live state in a shop. docs/state.md has the layout field by field.

The struct is an array on the wire: fields are only ever appended, with a default, and STATE_VERSION
is raised with each.
"""

import msgspec

from streams.domain.agenda import Agenda
from streams.domain.browsing import Browsing
from streams.domain.cart import Cart
from streams.domain.identity import Identity
from streams.domain.integrity.buyer import BuyerIntegrity
from streams.domain.integrity.liker import LikerIntegrity
from streams.domain.integrity.product import ProductIntegrity
from streams.domain.interests import Interests
from streams.domain.orders import Orders
from streams.domain.profile import Profile
from streams.domain.reviews import Reviews
from streams.domain.service import Service
from streams.domain.wishes import Wishes

#: Version of the encoding that this build writes.
STATE_VERSION = 4
#: Offers remembered; the one issued first leaves first.
COUPONS = 24


class Coupon(msgspec.Struct, array_like=True, gc=False):
    """An issued coupon, or another offer; its trigger id is never issued again. Times in ms."""

    trigger_id: str
    campaign: str
    issued_at: int
    #: Of what is no coupon: when it was issued.
    valid_until: int
    #: Its kind and channels: streams.domain.offered.
    how: int = 0


class CustomerState(msgspec.Struct, array_like=True, gc=False):
    """Everything known of one customer in one shop. Parts are None until their first event."""

    version: int
    shop_id: str
    customer_id: str
    #: Earliest and latest event time, ms; None before the first event.
    first_seen: int | None = None
    last_seen: int | None = None
    #: Hashes of the newest event ids with their times: see streams.domain.duplicates.
    seen: bytes = b""
    #: How many ids left ``seen`` for want of room before their seven days were over.
    evicted_early: int = 0
    browsing: Browsing = msgspec.field(default_factory=Browsing)
    cart: Cart | None = None
    orders: Orders | None = None
    reviews: Reviews | None = None
    #: Coupons and other offers, by issue.
    coupons: list[Coupon] = []
    service: Service | None = None
    wishes: Wishes | None = None
    profile: Profile | None = None
    #: Time of the last ``erase``, ms: nothing until then counts.
    erased_at: int | None = None
    #: What the state is of: empty for a customer; see ``state_key``.
    kind: str = ""
    #: Whom the customer was handed over to, and who was to them.
    identity: Identity | None = None
    interests: Interests | None = None
    #: What tells brushed orders, in shops that judge orders; and, of kind ``product``, whose orders of
    #: it share something.
    integrity: BuyerIntegrity | None = None
    product_integrity: ProductIntegrity | None = None
    #: Whether the state of kind ``liker`` under the same id is to hear since when the customer is known;
    #: and, of that kind, the likes that the customer gave.
    gave_likes: bool = False
    liker_integrity: LikerIntegrity | None = None
    #: What time alone will change: streams.domain.time_driven. None before anything was paid.
    agenda: Agenda | None = None
    #: Broker's time of a record of the last commit that wrote it, and when to look whether it is still
    #: needed, s: streams.domain.expiry. 0: no commit of a build that knows these has.
    arrived: int = 0
    expires: int = 0


def new_state(shop_id: str, customer_id: str, kind: str = "") -> CustomerState:
    """The state of a customer, or of what ``kind`` says, of whom nothing is known."""
    return CustomerState(STATE_VERSION, shop_id, customer_id, kind=kind)


def state_key(shop_id: str, customer_id: str, kind: str = "") -> str:
    """How Redis and the timers name a state; of a customer ``<shop>/<customer>``, of anything else
    ``<kind>:<shop>/<id>``. Shop ids have neither slash nor colon, so it is unambiguous.
    """
    return f"{kind}:{shop_id}/{customer_id}" if kind else f"{shop_id}/{customer_id}"
