"""What must hold between the fields of a definition, each of which is right by itself."""

from typing import Any, Final, NamedTuple

from streams.campaigns.language.conditions.condition import Condition
from streams.campaigns.language.definition.definition import (
    Delivery,
    Limits,
    Measure,
    Remind,
)
from streams.campaigns.language.definition.offers import Coupon, Offer, coupons_of, most_cost
from streams.campaigns.language.definition.triggers import TRIGGER, At, Trigger
from streams.campaigns.language.problems import Reader
from streams.campaigns.language.quantities.clock_span import DAY_MINUTES, clock
from streams.campaigns.language.quantities.duration import MINUTE, write_duration
from streams.campaigns.language.quantities.money import write_money
from streams.campaigns.language.quantities.rate import Rate
from streams.campaigns.language.quantities.share import PERCENT, write_share

#: Hundredths of a percent of customers that may be held out at most.
MOST_HELD_OUT: Final = 50 * PERCENT


class Parts(NamedTuple):
    """Of a definition's fields those that are there and right."""

    trigger: Trigger | None = None
    audience: Condition | None = None
    offer: Offer | None = None
    limits: Limits | None = None
    delivery: Delivery | None = None
    remind: Remind | None = None
    measure: Measure | None = None
    #: The names of all fields that are there, right or wrong.
    given: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Parts":
        """From what each field came to, None where it is wrong."""
        found = {name: value for name, value in values.items() if name in cls._fields}
        return cls(**found, given=frozenset(values))


def check(parts: Parts, reader: Reader) -> None:
    """Note what cannot work, and what hardly is meant."""
    trigger, offer = parts.trigger, parts.offer
    if trigger is not None and trigger.missing:
        name = TRIGGER.name_of(trigger)
        reader.warn_at(f"trigger.{name}", f"nothing tells this moment yet: {trigger.missing}")
    if isinstance(trigger, At) and "audience" not in parts.given:
        reader.warn_at("trigger.at", "without an audience it goes to every customer")
    if offer is not None:
        coupons = coupons_of(offer)
        for path, coupon in coupons.items():
            _check_coupon(parts, coupon, f"offer.{path}", reader)
        if not coupons:
            _check_without_coupon(parts, reader)
        elif parts.limits is not None:
            _warn_of_limits(parts.limits, reader)
        if "delivery" not in parts.given and (
            offer.coupon or offer.message or offer.survey or offer.variants
        ):
            reader.error_at(
                "delivery", "delivery must be there, as delivery: {channels: [app_push, sms]}"
            )
    if parts.delivery is not None:
        _check_delivery(parts.delivery, reader)
    if parts.measure is not None:
        _check_measure(parts.measure, reader)


def _check_coupon(parts: Parts, coupon: Coupon, path: str, reader: Reader) -> None:
    valid = write_duration(coupon.valid)
    if parts.limits is not None and parts.limits.budget is not None:
        _check_budget(parts.limits.budget, coupon, path, reader)
    remind, delivery, measure = parts.remind, parts.delivery, parts.measure
    if remind is not None and remind.before_expiry >= coupon.valid:
        reader.error_at(
            "remind.before_expiry",
            f"a coupon of {valid} has no moment {write_duration(remind.before_expiry)} before its end",
        )
    if delivery is not None and delivery.expires is not None and delivery.expires > coupon.valid:
        reader.error_at(
            "delivery.expires",
            f"a coupon of {valid} would be told of up to {write_duration(delivery.expires)} after its issue, "
            "when it is over",
        )
    if measure is not None and measure.window < coupon.valid:
        reader.warn_at(
            "measure.window",
            f"a coupon is good for {valid}; what it is used for after {write_duration(measure.window)} does "
            "not count",
        )


def _check_budget(budget: Rate, coupon: Coupon, path: str, reader: Reader) -> None:
    cost = most_cost(coupon)
    if cost is None:
        needed = "max" if coupon.percent is not None else "cost"
        reader.error_at(
            path,
            f"a budget reserves what a coupon can cost at most, which nobody says: add {needed}, or limit "
            "the number by limits.coupons",
        )
    elif budget.most < cost:
        most, one = (write_money(each, reader.currency) for each in (budget.most, cost))
        reader.error_at(
            "limits.budget",
            f"{most} is less than one coupon, which may cost {one}: none would be issued",
        )


def _warn_of_limits(limits: Limits, reader: Reader) -> None:
    for name, limit in (("budget", limits.budget), ("coupons", limits.coupons)):
        if limit is not None:
            reader.warn_at(
                f"limits.{name}", "nothing is granted of it yet, so the worker refuses every offer"
            )


def _check_without_coupon(parts: Parts, reader: Reader) -> None:
    limits = parts.limits
    if limits is not None:
        for name, limit in (("budget", limits.budget), ("coupons", limits.coupons)):
            if limit is not None:
                reader.error_at(
                    f"limits.{name}", f"the offer has no coupon, so {name} limits nothing"
                )
    if "remind" in parts.given:
        reader.error_at("remind", "the offer has no coupon to remind of")
    if parts.measure is not None and parts.measure.conversion == "redeemed":
        reader.error_at("measure.conversion", "the offer has no coupon that could be redeemed")


def _check_delivery(delivery: Delivery, reader: Reader) -> None:
    quiet = delivery.quiet_hours
    if quiet is None:
        if "delivery.on_quiet" in reader.places:
            reader.warn_at("delivery.on_quiet", "without quiet_hours it says nothing")
        return
    length, expires = quiet.minutes * MINUTE, delivery.expires
    if delivery.on_quiet == "defer" and expires is not None and expires < length:
        until = clock((quiet.end - expires // MINUTE) % DAY_MINUTES)
        reader.warn_at(
            "delivery.expires",
            f"what falls due between {clock(quiet.start)} and {until} is over before quiet hours are, so it "
            "is never sent",
        )


def _check_measure(measure: Measure, reader: Reader) -> None:
    if measure.holdout is not None and measure.holdout > MOST_HELD_OUT:
        reader.error_at(
            "measure.holdout",
            f"{write_share(measure.holdout)} get nothing: at most {write_share(MOST_HELD_OUT)} is allowed",
        )
