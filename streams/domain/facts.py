"""What a fold found out, for the campaigns to judge: small frozen structs, mostly none for a click."""

import msgspec

from schemas.exchange import Body
from schemas.verdict import Sign


class CartChanged(msgspec.Struct, frozen=True, gc=False):
    """A cart event was folded; ``action`` as in the contract, ``sku`` empty for ``clear``."""

    action: str
    sku: str


class MoneyChange(msgspec.Struct, frozen=True, gc=False):
    """What a status or a verdict changes in the figures of the day on which its order was paid.

    ``paid_at`` in ms, ``paid_day`` in days since 1970 on the shop's clock (0: not kept); ``gross`` and
    ``net`` in minor units; ``unknown``: orders without a known amount, 1, 0 or -1; ``orders``: paid orders
    that a verdict or a merge takes out (-1) or puts back (1); ``paid_hour``: the hour (0-23) on the clock
    that the shop had then (-1: not kept). The changes of an order add up to its part in the figures
    (streams.domain.order ``contribution``).
    """

    paid_at: int
    paid_day: int
    gross: int
    net: int
    unknown: int
    orders: int = 0
    paid_hour: int = -1


class OrderRecounted(msgspec.Struct, frozen=True, gc=False):
    """A visitor and a customer who both knew an order became one, who knows it once: by how much what was
    counted of it changes.

    ``money``, with its orders, and ``brushed`` (orders that are held to be) are of the day and hour of a
    payment, ``placed_orders`` of the day of ``placed_at`` (ms). All facts of a merge add up to what the
    merged orders are, less what the orders of both were; what is judged anew then is ``OrderJudged``.
    """

    money: MoneyChange | None = None
    brushed: int = 0
    placed_at: int | None = None
    placed_orders: int = 0


class OrderAdvanced(msgspec.Struct, frozen=True, gc=False):
    """An order got a status it had not; for ``paid`` see OrderPaid. ``money`` None: it changes none."""

    order_id: str
    status: str
    money: MoneyChange | None = None


class OrderPaid(msgspec.Struct, frozen=True, gc=False):
    """An order became paid. ``number``: how many paid orders the customer has now, this one
    included; cancelled and refunded ones count. ``amount`` in minor units, None: unknown.
    ``money``: as of OrderAdvanced; what came before the payment is in it.
    """

    order_id: str
    number: int
    amount: int | None
    money: MoneyChange | None = None


class LifecycleChanged(msgspec.Struct, frozen=True, gc=False):
    """What was bought, or is no longer, gives another stage (streams.domain.lifecycle). Changes by time
    alone are occasions of timers (streams.domain.time_driven).
    """

    before: str
    after: str


class TierChanged(msgspec.Struct, frozen=True, gc=False):
    """What was bought, or is no longer, gives another tier, by name (streams.domain.membership)."""

    before: str
    after: str


class OrderAttributed(msgspec.Struct, frozen=True, gc=False):
    """A paid order is owed to traffic sources: ``last`` is that of the last touch, ``shares`` are
    (source, parts of 10,000) by position. An order without a touch before it is owed to none.
    """

    order_id: str
    last: str
    shares: tuple[tuple[str, int], ...]


class BroughtBy(msgspec.Struct, frozen=True, gc=False):
    """The customer clicked what ``customer_id`` had shared, who had not brought them before; ``sku``
    empty where none was named.
    """

    customer_id: str
    sku: str


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


class WishReached(msgspec.Struct, frozen=True, gc=False):
    """A wish that was made has ``likers`` likers who count, more than ever; ``before``: the most before.

    A threshold is reached where ``before`` < threshold <= ``likers``: once for a wish, also where likes
    turn out suspicious later, or are taken back, and others take their place. Those who count are neither
    the owner nor suspicious, and where likes are judged their own states have answered. ``wish_id`` and
    ``sku`` as the state has them, cut to 64 bytes.
    """

    wish_id: str
    sku: str
    before: int
    likers: int


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


class OrderJudged(msgspec.Struct, frozen=True, gc=False):
    """An order of the customer is held to be brushed from ``time`` (ms) on, or no longer.

    ``number`` rises with the customer's changes. ``key``: streams.domain.orders.order_hash; ``order_id``
    empty where it is not known any more. ``points`` and ``reasons`` (sign, points, value) are those of the
    judgement now, ``product`` the 4-byte hash of the sku by which it was made, empty: of none. ``visitors``
    turned out to be the customer. ``money`` is what it changes on the day of the payment, and ``hour`` the
    hour of that.
    """

    number: int
    key: bytes
    order_id: str
    brushed: bool
    points: int
    reasons: tuple[tuple[Sign, int, int], ...]
    product: bytes
    visitors: tuple[str, ...]
    time: int
    hour: int
    money: MoneyChange


class WishJudged(msgspec.Struct, frozen=True, gc=False):
    """``suspicious`` likes of the customer's wish are held to be bought from ``time`` (ms) on, and ``likes``
    count: other numbers of the former than were told before.

    ``number`` and ``visitors`` as of OrderJudged, with whose numbers these are counted. ``key`` is the hash
    of the wish's id (streams.domain.names ``name_hash``), ``wish_id`` the id cut to 64 bytes.
    """

    number: int
    key: bytes
    wish_id: str
    suspicious: int
    likes: int
    visitors: tuple[str, ...]
    time: int


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
    | OrderRecounted
    | LifecycleChanged
    | TierChanged
    | OrderAttributed
    | BroughtBy
    | ReviewPosted
    | ReviewChanged
    | CaseOpened
    | CaseResolved
    | SurveyAnswered
    | WishMade
    | WishLiked
    | WishReached
    | ProfileChanged
    | MembershipJoined
    | ConsentChanged
    | Erased
    | OrderJudged
    | WishJudged
    | Forward
)
