"""The arbiter's order of steps, for all campaigns that heard of one event or timer of one customer.

1. ``consent``: its channels less those to which the customer said no; none left refuses.
2. ``brushed``: no offers for customers of whom any order is held to be brushed.
3. ``issued_before``: the same occasion is answered once.
4. ``campaign_cap``: limits.per_customer.
5. ``channel_cap``: so many contacts of any campaigns over a channel on a day of the shop's calendar; the
   channels that have theirs are left out, none left refuses.
6. ``rest``: no contact of any campaign for so long.
7. ``quiet_hours``: dropped, or deferred to their end.
8. ``priority``: of those that are left the first goes on, and the others are refused.
9. ``holdout``: held out of all campaigns, or of this one. It passed all that those did who get the offer.

What refuses ends a campaign's way; every step that was looked at is kept, with what it saw. Budgets are not
asked here: what they say depends on others. Numbers of contacts that may be more than is known refuse, too.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.decision import Check
from schemas.settings import Contacting
from streams.campaigns.campaign import trigger_id
from streams.campaigns.language.definition.definition import CampaignDefinition
from streams.campaigns.language.quantities.rate import Rate, write_count_rate
from streams.campaigns.listening.index import Candidate
from streams.campaigns.measure.assignment import EVERY_CAMPAIGN, held_out, holdout_bucket
from streams.campaigns.ruling.contacts import Contacts
from streams.campaigns.ruling.periods import begin_of, quiet_until
from streams.domain.moments import moment
from streams.domain.profile import consents_of
from streams.domain.state import CustomerState

_DAY = Rate(1, calendar="day")
_MINUTE_MS = 60_000


class Ruled(NamedTuple):
    """``channels``: by which the offer goes. ``not_before`` (ms): it waits until then; None: it does not.

    ``held_out``: the offer is not made, and counted as one that would have been.
    """

    candidate: Candidate
    checks: tuple[Check, ...]
    channels: tuple[str, ...]
    not_before: int | None = None
    held_out: bool = False

    @property
    def refused(self) -> Check | None:
        """The step that refused."""
        return next((check for check in self.checks if not check.passed), None)


def rule_all(
    candidates: Sequence[Candidate], contacts: Contacts, limits: Contacting
) -> list[Ruled]:
    """What becomes of each of ``candidates``, in their order: those that are eligible, by priority."""
    ruled: list[Ruled] = []
    first: str | None = None
    for candidate in candidates:
        one = _before_priority(candidate, contacts, limits)
        if one.refused is None:
            name = candidate.version.definition.campaign
            passed = Check(
                step="priority", passed=first is None, value=first or name, threshold=name
            )
            first = first or name
            one = one._replace(checks=(*one.checks, passed))
            if passed.passed:
                one = _holdout(one, limits)
        ruled.append(one)
    return ruled


def identity_of(candidate: Candidate) -> str:
    """The id of the trigger that the offer would make."""
    state = candidate.scene.state
    name, occasion = candidate.version.definition.campaign, candidate.moment.occasion
    return trigger_id(name, state.shop_id, state.customer_id, occasion)


def _before_priority(candidate: Candidate, contacts: Contacts, limits: Contacting) -> Ruled:
    definition, state = candidate.version.definition, candidate.scene.state
    at, zone = candidate.scene.at, candidate.scene.settings.time_zone
    wanted = definition.delivery.channels if definition.delivery is not None else ()
    no = _withdrawn(state, wanted)
    channels = tuple(channel for channel in wanted if channel not in no)
    checks: list[Check] = []
    until: int | None = None

    def steps() -> Iterator[Check]:
        nonlocal channels, until
        passed = bool(channels) or not wanted
        yield Check(step="consent", passed=passed, value=",".join(no), threshold=",".join(wanted))
        brushed = 0 if state.orders is None else state.orders.totals.brushed
        yield Check(step="brushed", passed=not brushed, value=brushed, threshold=1)
        identity = identity_of(candidate)
        before = sum(coupon.trigger_id == identity for coupon in state.coupons)
        yield Check(step="issued_before", passed=not before, value=before, threshold=1)
        yield _cap(definition, contacts, at, zone)
        if limits.per_day and channels:
            full = _full(channels, contacts, limits, begin_of(_DAY, at, zone))
            had, channels = channels, tuple(each for each in channels if each not in full)
            yield Check(
                step="channel_cap", passed=bool(channels), value=",".join(full),
                threshold=",".join(had),
            )  # fmt: skip
        if limits.rest_minutes:
            last = contacts.last(at)
            rested = last is None or at - last >= limits.rest_minutes * _MINUTE_MS
            value = "" if last is None else str(moment(last))
            yield Check(step="rest", passed=rested, value=value, threshold=limits.rest_minutes)
        quiet = definition.delivery.quiet_hours if definition.delivery is not None else None
        if quiet is not None:
            until = quiet_until(quiet, at, zone)
            assert definition.delivery is not None
            dropped = until is not None and definition.delivery.on_quiet == "drop"
            value = "" if until is None else str(moment(until))
            on_quiet = definition.delivery.on_quiet
            yield Check(step="quiet_hours", passed=not dropped, value=value, threshold=on_quiet)

    for check in steps():
        checks.append(check)
        if not check.passed:
            return Ruled(candidate, tuple(checks), ())
    return Ruled(candidate, tuple(checks), channels, until)


def _cap(definition: CampaignDefinition, contacts: Contacts, at: int, zone: str) -> Check:
    rate = definition.limits.per_customer
    since = begin_of(rate, at, zone)
    number = contacts.counted(since, campaign=definition.campaign)
    is_all = since >= contacts.complete_since
    return Check(
        step="campaign_cap",
        # What nobody counted any more might have been one too many.
        passed=number < rate.most and is_all,
        value=number if is_all else f"at least {number}",
        threshold=write_count_rate(rate),
    )


def _full(channels: Sequence[str], contacts: Contacts, limits: Contacting, since: int) -> list[str]:
    """The channels by which there were as many contacts since then as there may be."""
    return [
        channel
        for channel in channels
        if channel in limits.per_day
        and contacts.counted(since, channel=channel) >= limits.per_day[channel]
    ]


def _holdout(one: Ruled, limits: Contacting) -> Ruled:
    definition, state = one.candidate.version.definition, one.candidate.scene.state
    own = 0 if definition.measure is None else definition.measure.holdout or 0
    checks = list(one.checks)
    for name, share in ((EVERY_CAMPAIGN, limits.holdout), (definition.campaign, own)):
        if not share:
            continue
        bucket = holdout_bucket(name, state.shop_id, state.customer_id)
        out = held_out(name, state.shop_id, state.customer_id, share)
        checks.append(Check(step="holdout", passed=not out, value=bucket, threshold=share))
        if out:
            return one._replace(checks=tuple(checks), held_out=True)
    return one._replace(checks=tuple(checks))


def _withdrawn(state: CustomerState, wanted: Sequence[str]) -> list[str]:
    if state.profile is None or not state.profile.consents:
        return []
    said = consents_of(state.profile)
    return [channel for channel in wanted if not said.get(channel, (True, 0))[0]]
