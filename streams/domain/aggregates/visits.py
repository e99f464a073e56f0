"""Clicks by hour, and who came."""

from schemas.click import ClickEvent
from streams.domain.facts import Fact
from streams.domain.fold import CustomerEvent
from streams.domain.increments import Increments, member_of
from streams.domain.shop import ShopSettings, day_and_hour
from streams.domain.state import CustomerState

VISITORS = "visitors"


def aggregate(
    increments: Increments,
    state: CustomerState,
    event: CustomerEvent,
    time: int,
    facts: tuple[Fact, ...],  # noqa: ARG001 - of other events
    settings: ShopSettings,
) -> None:
    """Add what ``event`` of ``time`` (ms) changes; it was folded into ``state`` and is no duplicate."""
    day, hour = day_and_hour(time, settings.time_zone)
    if isinstance(event, ClickEvent):
        fields = increments.fields(state.shop_id, day)
        for name in ("clicks", f"clicks:hour:{hour}"):
            fields[name] = fields.get(name, 0) + 1
    increments.see(state.shop_id, day, VISITORS, member_of(state.customer_id))
