"""What a fold found out, for the campaigns to judge: small frozen structs, none for a click."""

import msgspec

from schemas.exchange import Body


class CartChanged(msgspec.Struct, frozen=True, gc=False):
    """A cart event was folded; ``action`` as in the contract, ``sku`` empty for ``clear``."""

    action: str
    sku: str


class OrderAdvanced(msgspec.Struct, frozen=True, gc=False):
    """An order got a status it had not; for ``paid`` see OrderPaid."""

    order_id: str
    status: str


class OrderPaid(msgspec.Struct, frozen=True, gc=False):
    """An order became paid. ``number``: how many paid orders the customer has now, this one
    included; cancelled and refunded ones count. ``amount`` in minor units, None: unknown.
    """

    order_id: str
    number: int
    amount: int | None


class ReviewPosted(msgspec.Struct, frozen=True, gc=False):
    """A review was posted; ``rating`` 1-5."""

    order_id: str
    sku: str
    rating: int


class ReviewChanged(msgspec.Struct, frozen=True, gc=False):
    """A review was appended to, shown, removed or replied to."""

    order_id: str
    sku: str
    action: str


class CaseOpened(msgspec.Struct, frozen=True, gc=False):
    """A service case got an inquiry or, with ``complaint``, a complaint."""

    case_id: str
    complaint: bool


class CaseResolved(msgspec.Struct, frozen=True, gc=False):
    """A case was resolved, ``took_ms`` after it was opened; None: that is not known."""

    case_id: str
    took_ms: int | None


class SurveyAnswered(msgspec.Struct, frozen=True, gc=False):
    """A survey was answered; ``score`` 0-10, ``case_id`` empty where it was about no case."""

    case_id: str
    score: int


class WishMade(msgspec.Struct, frozen=True, gc=False):
    """A wish was made; ``sku`` empty for what the shop does not have."""

    wish_id: str
    sku: str


class WishLiked(msgspec.Struct, frozen=True, gc=False):
    """Somebody other than its owner began to like a wish; ``likes``: how many do now."""

    wish_id: str
    likes: int


class ProfileChanged(msgspec.Struct, frozen=True, gc=False):
    """``fields`` of the profile have other values than before."""

    fields: tuple[str, ...]


class MembershipJoined(msgspec.Struct, frozen=True, gc=False):
    """The customer became a member."""


class ConsentChanged(msgspec.Struct, frozen=True, gc=False):
    """The customer agreed to be reached through ``channel``, or no longer does."""

    channel: str
    given: bool


class Erased(msgspec.Struct, frozen=True, gc=False):
    """What was known of the customer has been dropped."""


class Forward(msgspec.Struct, frozen=True, gc=False):
    """``key`` (a customer id, a sku ...) must be told ``body``, as of ``time`` (ms).

    The engine sends it through shop.exchange to the partition of ``key``, once, and it is folded there
    by streams.domain.exchange. Campaigns do not see it.
    """

    key: str
    time: int
    body: Body


Fact = (
    CartChanged
    | OrderAdvanced
    | OrderPaid
    | ReviewPosted
    | ReviewChanged
    | CaseOpened
    | CaseResolved
    | SurveyAnswered
    | WishMade
    | WishLiked
    | ProfileChanged
    | MembershipJoined
    | ConsentChanged
    | Erased
    | Forward
)
