"""What a campaign is: a definition (data, versioned by its content) and a rule that judges."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from schemas.decision import Decision
from schemas.trigger import CAMPAIGN_LENGTH, CampaignName, Offer, Trigger, TriggerEvent, Why
from streams.campaigns.arbiter import rule
from streams.domain.facts import Fact
from streams.domain.fold import CustomerEvent
from streams.domain.offered import COUPON, OFFERS, how
from streams.domain.state import COUPONS, Coupon, CustomerState
from streams.domain.timers import Occasion

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR_MS = 3_600_000
_SEPARATOR = "\x1f"


class CampaignNameError(ValueError):
    """A campaign has a name that the contract does not allow."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"campaign {name!r}: a name has 1 to {CAMPAIGN_LENGTH} letters, digits, '.', '_' or '-' "
            "(every coupon in a customer's state has it): choose a shorter one"
        )


class CouponOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon: ``value`` is percent or minor units, ``valid_hours`` from its issue."""

    kind: Literal["percent", "amount"]
    value: int
    min_spend: int = 0
    max_value: int | None = None
    valid_hours: int


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """All that marketing decides of a campaign. ``threshold`` is what the rule compares with.

    Raises CampaignNameError for a name that a trigger cannot have.
    """

    campaign: str
    rule: str
    threshold: int
    offer: CouponOffer
    channels: tuple[str, ...]

    def __post_init__(self) -> None:
        try:
            msgspec.convert(self.campaign, CampaignName)
        except msgspec.ValidationError:
            raise CampaignNameError(self.campaign) from None


class Match(msgspec.Struct, frozen=True):
    """A rule held: ``occasion`` makes the trigger unique for the customer (0002)."""

    occasion: str
    why: tuple[Why, ...]


class Campaign(msgspec.Struct, frozen=True):
    """A definition with its rule: for events (``on_fact``), or for timers of ``timer``'s kind."""

    definition: Definition
    version: str
    on_fact: Callable[[Definition, Fact, CustomerEvent], Match | None] | None = None
    timer: str | None = None
    on_timer: Callable[[Definition, Occasion], Match | None] | None = None


def version_of(definition: Definition) -> str:
    """The first 16 hex digits of the SHA-256 of the definition as canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(definition, order="sorted")).hexdigest()[:16]


def decision_id(identity: str, cause: str) -> str:
    """Of the refusal of trigger ``identity`` for ``cause``: one id, however often it is repeated."""
    return hashlib.sha256(_SEPARATOR.join((identity, cause)).encode()).hexdigest()[:32]


def trigger_id(campaign: str, shop_id: str, customer_id: str, occasion: str) -> str:
    """The same occasion has the same id in every run: docs/decisions/0002."""
    named = _SEPARATOR.join((campaign, shop_id, customer_id, occasion))
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def judge(
    campaign: Campaign, state: CustomerState, match: Match, time: int, cause: str
) -> Trigger | Decision:
    """Issue the coupon of ``match`` at ``time`` (ms) and record it, or say what refused it.

    ``cause`` names what made the campaign judge, the same in every run: a refusal's id is made of it.
    """
    definition = campaign.definition
    name = definition.campaign
    identity = trigger_id(name, state.shop_id, state.customer_id, match.occasion)
    ruling = rule(state, identity, definition.channels)
    if ruling.refused is not None:
        return Decision(
            decision_id=decision_id(identity, cause),
            trigger_id=identity,
            shop_id=state.shop_id,
            customer_id=state.customer_id,
            campaign=name,
            campaign_version=campaign.version,
            reason=ruling.refused.step,
            why=list(match.why),
            checks=list(ruling.checks),
        )
    offer = definition.offer
    until = time + offer.valid_hours * _HOUR_MS
    record(state, Coupon(identity, name, time, until, how(COUPON, ruling.channels)))
    return Trigger(
        trigger_id=identity,
        shop_id=state.shop_id,
        customer_id=state.customer_id,
        kind="coupon_issued",
        campaign=name,
        campaign_version=campaign.version,
        offer=Offer(
            kind=offer.kind,
            value=offer.value,
            min_spend=offer.min_spend,
            max_value=offer.max_value,
            valid_from=_moment(time),
            valid_until=_moment(until),
        ),
        why=list(match.why),
        channels=list(ruling.channels),
    )


def record(state: CustomerState, coupon: Coupon) -> None:
    """Remember an offer that was issued, unless it is known: the one effect of a trigger on a state."""
    if all(known.trigger_id != coupon.trigger_id for known in state.coupons):
        state.coupons.append(coupon)
        del state.coupons[:-COUPONS]


def adopt(state: CustomerState, event: TriggerEvent) -> None:
    """Take over a trigger as it was published, where deciding again is out of the question."""
    trigger = event.data
    if trigger.kind in OFFERS:
        until = trigger.offer.valid_until if trigger.offer is not None else event.time
        record(
            state,
            Coupon(
                trigger.trigger_id,
                trigger.campaign,
                milliseconds(event.time),
                milliseconds(until),
                how(OFFERS.index(trigger.kind), trigger.channels),
            ),
        )


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(time: int) -> datetime:
    # Not fromtimestamp(time / 1000): a division may be off by a microsecond.
    return _EPOCH + timedelta(milliseconds=time)
