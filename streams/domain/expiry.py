"""When a state goes, because nothing that can still come would need it.

- An anonymous visitor, of whom nothing but clicks and carts is known, goes after VISITOR_MS without an event.
- Everything else goes after KEPT_MS, which is how long the topics are kept: a customer with an order, a wish,
  a review, a service case or a profile (so a repeat of one is known, and a year's figures are whole), who
  gave likes (so that they are no newcomer to the next one), has visitors of theirs, or was erased; the mark
  of a visitor who was handed over, so that late events find the customer; what is told of a product or a
  liker.
- Nothing goes while a timer of it waits or one of its coupons holds.

Untouched means that no record came: the broker's time of the last one counts, as it does for the topics'
retention, and its event time where that is later. A replay of former years leaves its customers where they
are for as long as somebody who came today.

A state is looked at when ``expires`` has come, which a click does not move: it is set by the first event, and
moved by a look that finds the state still needed. That is one more write a month of who comes every day.

All this is longer than the ids of events are remembered for (streams.domain.duplicates, seven days), so what
is a repeat by the contract is known as one.
"""

from schemas.catalogue import INPUT_RETENTION_MS
from streams.domain.state import CustomerState

DAY_MS = 86_400_000
#: Without a record, until an anonymous visitor goes.
VISITOR_MS = 30 * DAY_MS
#: The same of everything else: 400 days. So a year's orders are there in the month in which their tier still
#: holds, too.
KEPT_MS = INPUT_RETENTION_MS
#: Due times are whole seconds; those after 2106 are cut to that.
_LATEST_S = 2**32 - 1


def touch(state: CustomerState, arrived: int) -> None:
    """A commit writes the state for a record that the broker got at ``arrived`` (ms)."""
    state.arrived = min(max(arrived // 1000, state.arrived), _LATEST_S)
    if not state.expires:
        _look_at(state, _last_touched(state) + VISITOR_MS)


def is_over(state: CustomerState, until: int, waits: int | None) -> bool:
    """Whether the state is to go, as of ``until`` (ms); else, where a look was due, the next one is set.

    ``waits``: when the last of its other timers is due, ms; None: it has none.
    """
    if not state.expires or state.expires * 1000 > until:
        return False
    moment = _goes_at(state, waits)
    # What waits though it is overdue fires first, and then the state is looked at again.
    if moment <= until and waits is None:
        return True
    _look_at(state, moment)
    return False


def _look_at(state: CustomerState, moment: int) -> None:
    state.expires = min(max(-(-moment // 1000), 1), _LATEST_S)


def _goes_at(state: CustomerState, waits: int | None) -> int:
    """When the state goes if nothing comes for it, ms."""
    coupons = max((coupon.valid_until for coupon in state.coupons), default=0)
    needed = _last_touched(state) + (VISITOR_MS if _is_visitor(state) else KEPT_MS)
    return max(needed, coupons + 1, 0 if waits is None else waits + 1)


def _is_visitor(state: CustomerState) -> bool:
    """Whether nothing is known of it that outlasts a visit."""
    parts = (state.orders, state.wishes, state.profile, state.reviews, state.service)
    return (
        not state.kind
        and not state.gave_likes
        and all(part is None for part in parts)
        and state.identity is None
        and state.erased_at is None
    )


def _last_touched(state: CustomerState) -> int:
    return max(state.arrived * 1000, state.last_seen or 0)
