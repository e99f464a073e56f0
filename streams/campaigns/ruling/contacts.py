"""How often a customer was reached, by which campaigns and channels, as far as it is known."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.campaigns.ruling.periods import EVER
from streams.domain.state import COUPONS, CustomerState


class Contact(NamedTuple):
    """``at`` in ms; ``channels``: all by which it may have come, empty: nobody knows."""

    campaign: str
    at: int
    channels: tuple[str, ...] = ()


class Contacts(NamedTuple):
    """By their times. Since ``complete_since`` (ms; EVER: ever) none is missing; before it may be more."""

    known: Sequence[Contact]
    complete_since: int

    def counted(self, since: int, campaign: str | None = None, channel: str | None = None) -> int:
        """Those from ``since`` (ms) on: of a campaign, or any; by a channel, or any."""
        return sum(
            each.at >= since
            and campaign in (None, each.campaign)
            and (channel is None or not each.channels or channel in each.channels)
            for each in self.known
        )


def contacts_of(state: CustomerState) -> Contacts:
    """What a state of today knows: coupons, and not by which channels they were told."""
    known = sorted((Contact(one.campaign, one.issued_at) for one in state.coupons), key=_at)
    left = len(known) >= COUPONS
    return Contacts(known, known[0].at if left else EVER)


def _at(contact: Contact) -> int:
    return contact.at
