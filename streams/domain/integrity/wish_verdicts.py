"""Verdicts on a customer's wishes: how many of their likes are held to be bought, whenever that changes.

The store of wishes has every like, and only the owner's state knows which of them look bought; so the state
tells each wish's number of these whenever it is another one: likes are judged anew, taken back, or those of
two lives are made one. The changes are numbered with those of the verdicts on orders.
"""

from collections.abc import Mapping, Sequence

from streams.domain.facts import WishJudged
from streams.domain.integrity.buyer import BuyerIntegrity
from streams.domain.state import CustomerState
from streams.domain.wishes import Wishes, contribution

#: Of a wish's ``contribution``.
_LIKES, _SUSPICIOUS = 4, 8
_NONE: Mapping[bytes, int] = {}


def suspicions(wishes: Wishes | None) -> Mapping[bytes, int]:
    """Hash of the id -> likes that are held to be bought, of the wishes that are kept and have any."""
    if wishes is None or not wishes.suspicious:
        return _NONE
    found = {wish.key: contribution(wish)[_SUSPICIOUS] for wish in wishes.wishes}
    return {key: suspicious for key, suspicious in found.items() if suspicious}


def judged_wishes(
    state: CustomerState, told: Sequence[Mapping[bytes, int]], time: int
) -> tuple[WishJudged, ...]:
    """After something of ``time`` (ms) was folded: the wishes of which the number is another one.

    ``told``: ``suspicions`` as they were before, of the customer and of whoever became one with them. A wish
    that left the state keeps what was told of it last.
    """
    wishes = state.wishes
    if wishes is None or not (wishes.suspicious or any(told)):
        return ()
    facts = []
    for wish in wishes.wishes:
        part = contribution(wish)
        suspicious = part[_SUSPICIOUS]
        if all(before.get(wish.key, 0) == suspicious for before in told):
            continue
        # Whether products were looked at before that is not known where nothing was noted so far.
        counted = state.integrity = state.integrity or BuyerIntegrity(looks_left=True)
        counted.changes += 1
        facts.append(
            WishJudged(
                number=counted.changes,
                key=wish.key,
                wish_id=wish.wish_id,
                suspicious=suspicious,
                likes=part[_LIKES],
                visitors=tuple(alias.visitor for alias in state.identity.aliases)
                if state.identity is not None
                else (),
                # Never of before the wish: what is told of a liker may be of long ago, and an erasure in
                # between would take this verdict without the one that it follows.
                time=max(time, wish.changed_at),
            )
        )
    return tuple(facts)
