"""What a campaign gives: coupons, messages, surveys, service tasks; or variants of them that are compared."""

from typing import Annotated, Final

import msgspec

from streams.campaigns.language.kinds.lists import ListOf
from streams.campaigns.language.kinds.quantities import MONEY, SHARE, Duration
from streams.campaigns.language.kinds.record import Field, Record
from streams.campaigns.language.kinds.scalars import Flag, Text, Whole
from streams.campaigns.language.problems import Reader, joined
from streams.campaigns.language.quantities.duration import DAY, HOUR
from streams.campaigns.language.quantities.money import write_money
from streams.campaigns.language.quantities.share import PERCENT, WHOLE, write_share

_SCOPE: Final = Text(
    "cart, order, store, all, live:ID, category:NAME or sku:SKU",
    80,
    r"cart|order|store|all|(?:live|category|sku):\S.{0,63}",
)
#: What a coupon can be worth; exactly one of them.
VALUES: Final = (
    "percent", "amount", "gift", "points", "member_price", "free_shipping", "priority_shipping",
    "early_access",
)  # fmt: skip


class Coupon(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon: one of percent, amount, gift, points, member_price, free_shipping, priority_shipping and
    early_access.
    """

    percent: Annotated[
        int | None, Field(SHARE, "Off the price, in whole percent below 100.", "10%")
    ] = None
    amount: Annotated[int | None, Field(MONEY, "Off the price, as money.", '"20.00"')] = None
    gift: Annotated[
        str | None, Field(Text("a sku"), "A product for nothing, by its sku.", "T-1")
    ] = None
    points: Annotated[
        int | None, Field(Whole(1, 10_000_000), "Points of the membership.", "200")
    ] = None
    member_price: Annotated[bool | None, Field(Flag(), "The price that members pay.", "true")] = (
        None
    )
    free_shipping: Annotated[bool | None, Field(Flag(), "Shipping for nothing.", "true")] = None
    priority_shipping: Annotated[bool | None, Field(Flag(), "Shipped first.", "true")] = None
    early_access: Annotated[
        int | None, Field(Duration(HOUR, 30 * DAY), "To buy so long before others.", "2d")
    ] = None
    max: Annotated[int | None, Field(MONEY, "At most so much off, of percent.", '"30.00"')] = None
    min_spend: Annotated[int, Field(MONEY, "From orders of so much on.", '"99.00"')] = 0
    scope: Annotated[
        tuple[str, ...],
        Field(ListOf(_SCOPE, 20), "What it is good for.", "[cart]"),
    ] = ("all",)
    valid: Annotated[
        int, Field(Duration(HOUR, 366 * DAY), "How long it is good from its issue on.", "24h")
    ]
    cost: Annotated[
        int | None,
        Field(
            MONEY, "What it costs the shop at most, where that is neither amount nor max.", '"8.00"'
        ),
    ] = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is said, without an offer."""

    title: Annotated[str | None, Field(Text(most=64), "Its heading.", "Still thinking?")] = None
    text: Annotated[
        str, Field(Text(most=500), "What it says.", "What is in your cart is still there.")
    ]


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """A survey that is asked for."""

    name: Annotated[str, Field(Text("a survey's name"), "Which one.", "after-receipt")]


class ServiceTask(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person of the shop's service does."""

    text: Annotated[
        str, Field(Text(most=500), "What to do.", "Call, ask what was wrong, and say sorry.")
    ]
    within: Annotated[int, Field(Duration(HOUR, 30 * DAY), "Until when.", "24h")] = DAY


def _check_coupon(coupon: Coupon, path: str, reader: Reader) -> None:
    given = [name for name in VALUES if not _is_absent(getattr(coupon, name))]
    if len(given) != 1:
        said = f"not {' and '.join(given)}" if given else "and none is there"
        reader.error_at(path, f"a coupon has exactly one of {', '.join(VALUES)}, {said}")
        return
    percent, amount = coupon.percent, coupon.amount
    if percent is not None and (percent % PERCENT or percent >= WHOLE):
        reader.error_at(
            joined(path, "percent"),
            f"{write_share(percent)} off: whole percent from 1% to 99% are allowed",
        )
    if amount == 0:
        reader.error_at(joined(path, "amount"), "a coupon of nothing: an amount above 0 is needed")
    if coupon.max is not None and percent is None:
        reader.error_at(
            joined(path, "max"), f"max bounds a percentage, and this coupon has {given[0]}"
        )
    if coupon.max == 0:
        reader.error_at(
            joined(path, "max"), "a coupon of at most nothing: leave max out, or raise it"
        )
    if coupon.cost is not None and (amount is not None or coupon.max is not None):
        reader.error_at(
            joined(path, "cost"), "what it costs at most is its amount, or max: leave cost out"
        )
    if amount is not None and 0 < coupon.min_spend < amount:
        off, least = (write_money(each, reader.currency) for each in (amount, coupon.min_spend))
        reader.warn_at(
            joined(path, "min_spend"), f"{off} off orders from {least} on is more than is spent"
        )


def _is_absent(value: object) -> bool:
    # Not ``in (None, False)``: 0 would be, too.
    return value is None or value is False


COUPON: Final = Record(Coupon, "a coupon", _check_coupon)
MESSAGE: Final = Record(Message, "a message")
SURVEY: Final = Record(Survey, "a survey")
SERVICE_TASK: Final = Record(ServiceTask, "a service task")


def most_cost(coupon: Coupon) -> int | None:
    """What one costs the shop at most, minor units: what a budget reserves of it. None: nobody said."""
    return next(
        (each for each in (coupon.amount, coupon.max, coupon.cost) if each is not None), None
    )


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One of several offers that are compared, to a share of the customers, by hash."""

    name: Annotated[
        str, Field(Text("a variant's name", 32, r"[A-Za-z0-9._-]{1,32}"), "Its name.", "a")
    ]
    share: Annotated[int, Field(SHARE, "Of the customers.", "50%")]
    coupon: Annotated[
        Coupon | None, Field(COUPON, "As of an offer.", '{amount: "20.00", valid: 7d}')
    ] = None
    message: Annotated[Message | None, Field(MESSAGE, "As of an offer.", "{text: Come back!}")] = (
        None
    )


def _check_variant(variant: Variant, path: str, reader: Reader) -> None:
    if variant.coupon is None and variant.message is None:
        reader.error_at(path, "a variant has a coupon, a message, or both")


VARIANT: Final = Record(Variant, "a variant", _check_variant)


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One or several of coupon, message, survey and service_task; or variants."""

    coupon: Annotated[
        Coupon | None,
        Field(COUPON, "A coupon.", '{percent: 10, max: "30.00", min_spend: "99.00", valid: 24h}'),
    ] = None
    message: Annotated[
        Message | None, Field(MESSAGE, "A message.", "{text: What is in your cart is still there.}")
    ] = None
    survey: Annotated[Survey | None, Field(SURVEY, "A survey.", "{name: after-receipt}")] = None
    service_task: Annotated[
        ServiceTask | None,
        Field(
            SERVICE_TASK,
            "A task for the shop's service.",
            '{text: "Call and say sorry.", within: 24h}',
        ),
    ] = None
    variants: Annotated[
        tuple[Variant, ...] | None,
        Field(
            ListOf(VARIANT, 10, ordered=True),
            "Offers that are compared, in place of the others; their shares are 100% together.",
            '[{name: a, share: 50%, coupon: {amount: "20.00", valid: 7d}}, '
            "{name: b, share: 50%, message: {text: Come back!}}]",
        ),
    ] = None


def _check_offer(offer: Offer, path: str, reader: Reader) -> None:
    alone = [
        name
        for name in ("coupon", "message", "survey", "service_task")
        if getattr(offer, name) is not None
    ]
    if offer.variants is None:
        if not alone:
            reader.error_at(
                path, "an offer has a coupon, a message, a survey, a service_task, or variants"
            )
        return
    at = joined(path, "variants")
    if alone:
        reader.error_at(
            at, f"variants stand in place of {' and '.join(alone)}: have one or the other"
        )
    if len(offer.variants) < 2:
        reader.error_at(at, "one variant has nothing to be compared with: take two")
    names = [variant.name for variant in offer.variants]
    if len(set(names)) < len(names):
        reader.error_at(at, "variants must have names of their own")
    together = sum(variant.share for variant in offer.variants)
    if together != WHOLE:
        reader.error_at(at, f"the shares are {write_share(together)} together, not 100%")


OFFER: Final = Record(Offer, "an offer", _check_offer)


def coupons_of(offer: Offer) -> dict[str, Coupon]:
    """Every coupon that the offer may give, by the path at which it stands within the offer."""
    found = {} if offer.coupon is None else {"coupon": offer.coupon}
    for at, variant in enumerate(offer.variants or ()):
        if variant.coupon is not None:
            found[f"variants[{at}].coupon"] = variant.coupon
    return found
