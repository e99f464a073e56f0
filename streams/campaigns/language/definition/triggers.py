"""When a campaign looks at a customer: the catalogue of triggers.

``told`` says what of today's processor tells such a moment, ``missing`` why nothing does yet. Triggers are
declared here whole; a campaign is not run by them yet.
"""

from typing import Annotated, ClassVar, Final, get_args

import msgspec

from schemas.click import TrafficSource
from streams.campaigns.language.conditions.values import CAMPAIGN
from streams.campaigns.language.kinds.lists import ListOf
from streams.campaigns.language.kinds.quantities import MONEY, SHARE, Duration
from streams.campaigns.language.kinds.record import Field, OneOf, Record
from streams.campaigns.language.kinds.scalars import Choice, Flag, Moment, Text, Whole
from streams.campaigns.language.problems import Reader, joined
from streams.campaigns.language.quantities.duration import DAY, HOUR, MINUTE, SECOND
from streams.domain.abandoned import CONTENT_AGE, WAIT
from streams.domain.lifecycle import Stage

_NAMES: Final = ListOf(Text("a name"))
_RATING: Final = Whole(1, 5)
_SCORE: Final = Whole(0, 10)
_TIMER: Final = "no timer of a state is set for it yet"


class _Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """``told``: what of today's processor tells such a moment; ``missing``: why nothing does yet."""

    told: ClassVar[str] = ""
    missing: ClassVar[str] = ""


class FirstVisit(_Trigger, frozen=True, kw_only=True):
    """Somebody is there for the first time."""

    told = "the first event that is folded into a state"
    wait: Annotated[int, Field(Duration(0, DAY), "How long after the first event.", "10m")] = 0


class Unpaid(_Trigger, frozen=True, kw_only=True):
    """An order was placed and is not paid (催付)."""

    missing = _TIMER
    after: Annotated[
        int, Field(Duration(MINUTE, 3 * DAY), "How long it waits for its payment.", "30m")
    ] = 30 * MINUTE
    min_amount: Annotated[
        int | None, Field(MONEY, "Only orders of at least so much.", '"99.00"')
    ] = None


class BrowsedNotBought(_Trigger, frozen=True, kw_only=True):
    """A product was looked at again and again, or for long, and not ordered. Yields to an abandoned cart."""

    missing = _TIMER
    after: Annotated[
        int, Field(Duration(MINUTE, 3 * DAY), "How long nothing was clicked.", "30m")
    ] = 30 * MINUTE
    views: Annotated[int, Field(Whole(1, 100), "Looked at so often ...", "2")] = 2
    dwell: Annotated[int, Field(Duration(SECOND, HOUR), "... or for longer than this.", "60s")] = (
        MINUTE
    )
    within: Annotated[int, Field(Duration(HOUR, 30 * DAY), "No order of it for so long.", "2d")] = (
        2 * DAY
    )


class AbandonedCart(_Trigger, frozen=True, kw_only=True):
    """A cart with something in it was left alone: neither changed nor ordered."""

    told = "the timer of abandoned carts, half an hour after the last change"
    after: Annotated[
        int, Field(Duration(MINUTE, CONTENT_AGE), "How long it was left alone.", "30m")
    ] = WAIT
    min_lines: Annotated[int, Field(Whole(1, 50), "Lines in it, at least.", "1")] = 1
    min_value: Annotated[
        int | None, Field(MONEY, "What is in it is worth at least so much.", '"99.00"')
    ] = None


class FavoritePriceDrop(_Trigger, frozen=True, kw_only=True):
    """The price of a favoured product went down."""

    missing = "the processor does not read prices (shop.products) yet"
    by: Annotated[int, Field(SHARE, "By at least this share of the price.", "5%")] = 500


class OrderPaid(_Trigger, frozen=True, kw_only=True):
    """An order was paid."""

    told = "the payment"
    number: Annotated[
        int | None, Field(Whole(1, 10_000), "Only the customer's first (1), second (2), ...", "1")
    ] = None
    min_amount: Annotated[
        int | None, Field(MONEY, "Only orders of at least so much.", '"500.00"')
    ] = None


class OrderReceived(_Trigger, frozen=True, kw_only=True):
    """An order was received: for surveys and requests to review."""

    missing = _TIMER
    after: Annotated[int, Field(Duration(0, 60 * DAY), "How long after its receipt.", "7d")] = DAY
    without_review: Annotated[
        bool, Field(Flag(), "Only where it has no review by then.", "true")
    ] = False


class OrderRefunded(_Trigger, frozen=True, kw_only=True):
    """A refund of an order was completed."""

    told = "the refund"


class ShippedLate(_Trigger, frozen=True, kw_only=True):
    """A paid order is not on its way in time."""

    missing = _TIMER
    after: Annotated[int, Field(Duration(HOUR, 30 * DAY), "How long after the payment.", "48h")] = (
        2 * DAY
    )


class ReorderDue(_Trigger, frozen=True, kw_only=True):
    """The next order is due by the customer's own interval."""

    told = "the timer of the order interval"


class Lifecycle(_Trigger, frozen=True, kw_only=True):
    """The stage of the life-cycle changed."""

    told = "a payment, a refund, or the timer of dormant and lost"
    to: Annotated[
        tuple[str, ...], Field(ListOf(Choice(get_args(Stage))), "The stages now.", "[dormant]")
    ]


class TierChanged(_Trigger, frozen=True, kw_only=True):
    """The tier of the membership changed."""

    told = "a payment, a refund, or the timer of the month's end"
    direction: Annotated[
        str, Field(Choice(("up", "down", "any")), "Whether it went up or down.", "up")
    ] = "up"
    to: Annotated[
        tuple[str, ...] | None, Field(_NAMES, "Only these tiers, by the shop's names.", "[gold]")
    ] = None


class Joined(_Trigger, frozen=True, kw_only=True):
    """The customer joined the membership."""

    told = "the profile's event"


class PointsExpiring(_Trigger, frozen=True, kw_only=True):
    """Points are about to expire."""

    missing = _TIMER
    before: Annotated[int, Field(Duration(DAY, 30 * DAY), "How long before they do.", "14d")] = (
        14 * DAY
    )
    least: Annotated[int, Field(Whole(1, 10_000_000), "So many of them, at least.", "100")] = 1


class Birthday(_Trigger, frozen=True, kw_only=True):
    """The customer's birthday comes."""

    missing = _TIMER
    before: Annotated[
        int, Field(Duration(0, 30 * DAY), "How long before it; 0d: on the day.", "3d")
    ] = 0


class ReviewPosted(_Trigger, frozen=True, kw_only=True):
    """A review was posted."""

    told = "the review"
    at_least: Annotated[int, Field(_RATING, "Stars, at least.", "1")] = 1
    at_most: Annotated[int, Field(_RATING, "Stars, at most.", "2")] = 5


class ReviewShown(_Trigger, frozen=True, kw_only=True):
    """A review got photos (晒单)."""

    told = "the review's photos"


class CaseResolved(_Trigger, frozen=True, kw_only=True):
    """A service case was resolved."""

    told = "the case's resolution"
    slower_than: Annotated[
        int | None, Field(Duration(MINUTE, 60 * DAY), "Only where it took longer.", "1d")
    ] = None


class SurveyAnswered(_Trigger, frozen=True, kw_only=True):
    """A survey was answered."""

    told = "the answer"
    at_least: Annotated[int, Field(_SCORE, "The score, at least.", "0")] = 0
    at_most: Annotated[int, Field(_SCORE, "The score, at most.", "6")] = 10


class WishMade(_Trigger, frozen=True, kw_only=True):
    """A wish was made."""

    told = "the wish"


class WishReached(_Trigger, frozen=True, kw_only=True):
    """A wish has so many likers who count."""

    told = "the like that reaches it"
    likers: Annotated[int, Field(Whole(1, 1_000_000), "How many likers.", "10")]


class CameBy(_Trigger, frozen=True, kw_only=True):
    """A visit began by a traffic source."""

    told = "the click that names it"
    sources: Annotated[
        tuple[str, ...],
        Field(ListOf(Choice(get_args(TrafficSource))), "Which sources.", "[search]"),
    ]


class LiveEntered(_Trigger, frozen=True, kw_only=True):
    """A live stream was entered."""

    told = "the click"
    lives: Annotated[
        tuple[str, ...] | None, Field(_NAMES, "Only these streams, by their ids.", "[live-1]")
    ] = None


class StoreVisited(_Trigger, frozen=True, kw_only=True):
    """A store was visited."""

    told = "the click"


class CouponEnded(_Trigger, frozen=True, kw_only=True):
    """A coupon was redeemed, or expired unused."""

    missing = "the state knows when a coupon was issued, not yet what became of it"
    became: Annotated[str, Field(Choice(("redeemed", "expired")), "What became of it.", "expired")]
    campaign: Annotated[str | None, Field(CAMPAIGN, "Only of this campaign.", "welcome")] = None


class At(_Trigger, frozen=True, kw_only=True):
    """At a set time, once: to everybody whom the audience fits, spread over some time."""

    missing = "nothing starts a campaign at a time yet"
    time: Annotated[int, Field(Moment(), "When it begins.", '"2026-11-10T20:00:00+08:00"')]
    over: Annotated[int, Field(Duration(MINUTE, 7 * DAY), "Over how long it is spread.", "2h")] = (
        HOUR
    )


def _in_order(value: ReviewPosted | SurveyAnswered, path: str, reader: Reader) -> None:
    if value.at_least > value.at_most:
        reader.error_at(
            joined(path, "at_least"),
            f"{value.at_least} is above at_most, {value.at_most}: nothing is between",
        )


def _at_once(value: FirstVisit, path: str, reader: Reader) -> None:
    if value.wait:
        reader.warn_at(joined(path, "wait"), f"only what needs no waiting is told yet: {_TIMER}")


def _as_the_timer(value: AbandonedCart, path: str, reader: Reader) -> None:
    if value.after != WAIT:
        reader.warn_at(
            joined(path, "after"), "the processor's timer of carts waits 30m and nothing else yet"
        )
    if value.min_value is not None:
        reader.warn_at(
            joined(path, "min_value"),
            "the state keeps no prices of the lines in a cart yet, so this is unknown",
        )


Trigger = (
    FirstVisit | Unpaid | BrowsedNotBought | AbandonedCart | FavoritePriceDrop | OrderPaid | OrderReceived
    | OrderRefunded | ShippedLate | ReorderDue | Lifecycle | TierChanged | Joined | PointsExpiring | Birthday
    | ReviewPosted | ReviewShown | CaseResolved | SurveyAnswered | WishMade | WishReached | CameBy
    | LiveEntered | StoreVisited | CouponEnded | At
)  # fmt: skip

#: By the name that a definition has.
TRIGGERS: Final[dict[str, type[_Trigger]]] = {
    "first_visit": FirstVisit, "unpaid": Unpaid, "browsed_not_bought": BrowsedNotBought,
    "abandoned_cart": AbandonedCart, "favorite_price_drop": FavoritePriceDrop, "order_paid": OrderPaid,
    "order_received": OrderReceived, "order_refunded": OrderRefunded, "shipped_late": ShippedLate,
    "reorder_due": ReorderDue, "lifecycle": Lifecycle, "tier": TierChanged, "joined_membership": Joined,
    "points_expiring": PointsExpiring, "birthday": Birthday, "review_posted": ReviewPosted,
    "review_shown": ReviewShown, "case_resolved": CaseResolved, "survey_answered": SurveyAnswered,
    "wish_made": WishMade, "wish_reached": WishReached, "came_by": CameBy, "live_entered": LiveEntered,
    "store_visited": StoreVisited, "coupon": CouponEnded, "at": At,
}  # fmt: skip
_CHECKS: Final = {
    ReviewPosted: _in_order, SurveyAnswered: _in_order, AbandonedCart: _as_the_timer,
    FirstVisit: _at_once,
}  # fmt: skip
TRIGGER: Final = OneOf(
    {
        name: Record(struct, f"what {name} takes", _CHECKS.get(struct))  # type: ignore[arg-type]
        for name, struct in TRIGGERS.items()
    },
    "trigger",
)
