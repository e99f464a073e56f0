"""How often a customer was reached, by which campaigns and channels, as far as it is known."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.campaigns.ruling.periods import EVER
from streams.domain.offered import TASK, channels_of, kind_of
from streams.domain.state import COUPONS, Coupon, CustomerState


class Contact(NamedTuple):
    """``at`` in ms; ``channels``: all by which it may have come, empty: nobody knows.

    ``reaches``: the customer hears of it, other than of what the shop's service alone is told.
    """

    campaign: str
    at: int
    channels: tuple[str, ...] = ()
    reaches: bool = True


class Contacts(NamedTuple):
    """By their times. Since ``complete_since`` (ms; EVER: ever) none is missing; before it may be more."""

    known: Sequence[Contact]
    complete_since: int

    def counted(self, since: int, campaign: str | None = None, channel: str | None = None) -> int:
        """Those from ``since`` (ms) on: of a campaign, or any; by a channel, or any."""
        return sum(
            each.at >= since
            and campaign in (None, each.campaign)
            and (
                channel is None
                or (each.reaches and (not each.channels or channel in each.channels))
            )
            for each in self.known
        )

    def last(self, until: int) -> int | None:
        """When the customer was last reached, until ``until`` (ms); None: not that anybody knows."""
        return max(
            (each.at for each in self.known if each.reaches and each.at <= until), default=None
        )


def contacts_of(state: CustomerState) -> Contacts:
    """What a state knows. Of what was issued by a build that did not keep channels nobody knows them."""
    known = sorted((_contact(one) for one in state.coupons), key=_at)
    left = len(known) >= COUPONS
    return Contacts(known, known[0].at if left else EVER)


def _contact(one: Coupon) -> Contact:
    channels = channels_of(one.how)
    reaches = bool(channels) or kind_of(one.how) != TASK
    return Contact(one.campaign, one.issued_at, channels, reaches)


def _at(contact: Contact) -> int:
    return contact.at
