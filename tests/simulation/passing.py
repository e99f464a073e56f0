"""Visitors who pass by, and months that last ten minutes: so states expire within a schedule."""

import contextlib
from collections.abc import Iterator
from unittest.mock import patch

from streams.domain import expiry
from streams.domain.state import CustomerState

#: Customers of whom nobody sends an event twice: whether a repeat is known depends on when they expire.
PASSING = "passing"
MONTH_MS = 600_000


def _is_passing(state: CustomerState) -> bool:
    return state.customer_id.startswith(PASSING)


@contextlib.contextmanager
def short_months() -> Iterator[None]:
    """Every state is looked at after MONTH_MS, and those of PASSING go then; a year is as long as ever."""
    with (
        patch.object(expiry, "VISITOR_MS", MONTH_MS),
        patch.object(expiry, "_is_visitor", _is_passing),
    ):
        yield
