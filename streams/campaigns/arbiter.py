"""The arbiter: what stands between a campaign's rule that held and its offer, looked at in this order.

1. ``consent``: the campaign's channels less those to which the customer said no. Where nothing was said of a
   channel, it is kept: whether a shop may use it is for the shop to know.
2. ``brushed``: no offers for customers of whom any order is held to be brushed (docs/integrity.md).
3. ``issued_before``: the same occasion never earns a coupon twice, among the coupons that a state remembers.

What refuses ends it. A refusal changes no state, so it can be told again by whoever repeats the fold.
"""

from collections.abc import Collection
from typing import NamedTuple

from schemas.decision import Check
from streams.domain.profile import consents_of
from streams.domain.state import CustomerState


class Ruling(NamedTuple):
    """``refused`` None: the offer is to be made, over ``channels``; else the last of ``checks`` refused."""

    checks: tuple[Check, ...]
    channels: tuple[str, ...]

    @property
    def refused(self) -> Check | None:
        last = self.checks[-1]
        return None if last.passed else last


def rule(state: CustomerState, identity: str, wanted: tuple[str, ...]) -> Ruling:
    """Whether ``state`` gets the offer that the trigger ``identity`` would make over ``wanted`` channels."""
    withdrawn = _withdrawn(state, wanted)
    channels = tuple(channel for channel in wanted if channel not in withdrawn)
    passed = bool(channels) or not wanted
    consent = Check(
        step="consent", passed=passed, value=",".join(withdrawn), threshold=",".join(wanted)
    )
    if not passed:
        return Ruling((consent,), ())
    orders = 0 if state.orders is None else state.orders.totals.brushed
    brushed = Check(step="brushed", passed=not orders, value=orders, threshold=1)
    if orders:
        return Ruling((consent, brushed), ())
    before = sum(coupon.trigger_id == identity for coupon in state.coupons)
    issued = Check(step="issued_before", passed=not before, value=before, threshold=1)
    return Ruling((consent, brushed, issued), channels)


def _withdrawn(state: CustomerState, wanted: Collection[str]) -> tuple[str, ...]:
    """Those of the channels to which the customer said no, in the campaign's order."""
    if state.profile is None or not state.profile.consents:
        return ()
    said = consents_of(state.profile)
    return tuple(channel for channel in wanted if not said.get(channel, (True, 0))[0])
