"""What visitors look at: visits, views, searches, by hour, source, channel, region, category and product.

A visitor (DOMAIN's definition, 访客) has a product or page view, a store visit or a live entry. A view
belongs to the day and hour of its event time on the shop's clock. Clicks are most events, so they are
gathered by what they have in common first (``note_click``); ``unfold_clicks`` makes sums and sets of it,
once a commit.
"""

from typing import Final, NamedTuple

from schemas.click import Click
from streams.domain.aggregates.completeness import told
from streams.domain.aggregates.names import HOURS, part
from streams.domain.aggregates.paths import LOOKS, NAMES, kind_of
from streams.domain.increments import Increments, Shape, add_to, member_of

#: Actions that make a visitor.
VISITS: Final = frozenset({"view", "store_visit", "live_enter"})
#: Actions that are a sum of their own, by the name of the sum.
SUMS: Final = {
    "view": "views", "search": "searches", "favorite": "favorites", "unfavorite": "unfavorites",
    "share": "shares", "ask": "asks", "trial_apply": "trials", "game_play": "games",
    "card_collect": "cards", "live_enter": "live_entries", "live_leave": "live_exits",
    "campaign_open": "campaign_opens", "store_visit": "store_visits",
}  # fmt: skip
#: What a figure needs of a click, beside what is required.
FIELDS: Final = (
    "traffic_source", "channel", "region", "category", "live_id", "shared_by", "session_id", "sku",
    "price", "keyword", "dwell_ms", "page", "device_hash", "came_from",
)  # fmt: skip
VISITORS: Final = "visitors"
#: Those of them with a product or page view.
VIEWERS: Final = "viewers"
SESSIONS: Final = "sessions"
SHARED_VISITORS: Final = "shared_visitors"
LIVE_VISITORS: Final = "live_visitors"


class _Alike(NamedTuple):
    """What the clicks of a shape have in common; the last ones say what is absent."""

    shop_id: str
    day: int
    hour: int
    source: str
    action: str
    traffic_source: str | None
    channel: str | None
    region: str | None
    category: str | None
    live_id: str | None
    shared: bool
    no_session: bool
    no_sku: bool
    no_price: bool
    no_keyword: bool
    no_dwell: bool
    no_page: bool
    no_device: bool
    no_came_from: bool


def note_click(
    increments: Increments, customer_id: str, click: Click, source: str, day: int, hour: int
) -> None:
    """Take in one click; ``source`` is the event's."""
    shop_id, action, session, sku = click.shop_id, click.action, click.session_id, click.sku
    keyword, dwell, shared_by = click.keyword, click.dwell_ms, click.shared_by
    came_from = click.came_from
    alike = (
        shop_id, day, hour, source, action, click.traffic_source, click.channel, click.region,
        click.category, click.live_id, shared_by is not None and shared_by != customer_id,
        session is None, sku is None, click.price is None, not keyword, dwell is None,
        not click.page, click.device_hash is None, came_from is None,
    )  # fmt: skip
    shape = increments.shapes.get(alike)
    if shape is None:
        shape = increments.shapes[alike] = Shape()
    shape.number += 1
    if dwell:
        shape.dwell_ms += dwell
    shape.visits.add((customer_id, session))
    name = None
    if action == "view":
        if sku is not None:
            name = f"views|product|{sku}"
    elif action == "search" and keyword:
        name = part("searches", "keyword", keyword)
    if name is not None or came_from is not None:
        fields = increments.fields(shop_id, day)
        if name is not None:
            fields[name] = fields.get(name, 0) + 1
        if came_from is not None:
            kind = LOOKS.get(action) or kind_of(click)
            if kind is not None:
                step = NAMES[came_from][kind]
                fields[step] = fields.get(step, 0) + 1


def unfold_clicks(increments: Increments) -> None:
    """Make sums and sets of what ``note_click`` took in."""
    for key, shape in increments.shapes.items():
        alike = _Alike(*key)
        fields = increments.fields(alike.shop_id, alike.day)
        number = shape.number
        add_to(fields, SUMS[alike.action], number)
        _tell(fields, alike, number)
        if alike.action in VISITS:
            _visits(increments, fields, alike, shape)
    increments.shapes.clear()


def _visits(increments: Increments, fields: dict[str, int], alike: _Alike, shape: Shape) -> None:
    number = shape.number
    members = {member_of(customer) for customer, _ in shape.visits}
    shop_id, day = alike.shop_id, alike.day
    add_to(fields, "visits", number)
    increments.see_all(shop_id, day, VISITORS, members)
    if alike.no_session:
        add_to(fields, "visits_without_session", number)
    else:
        sessions = {member_of(f"{customer}\0{session}") for customer, session in shape.visits}
        increments.see_all(shop_id, day, SESSIONS, sessions)
    if alike.shared:
        add_to(fields, "shared_visits", number)
        increments.see_all(shop_id, day, SHARED_VISITORS, members)
    add_to(fields, part("visits", "hour", HOURS[alike.hour]), number)
    for dimension, value in (
        ("source", alike.traffic_source),
        ("channel", alike.channel),
        ("region", alike.region),
    ):
        if value is not None:
            add_to(fields, part("visits", dimension, value), number)
            increments.see_all(shop_id, day, part(VISITORS, dimension, value), members)
    if alike.action == "view":
        increments.see_all(shop_id, day, VIEWERS, members)
        if alike.category is not None:
            add_to(fields, part("views", "category", alike.category), number)
            name = part(VISITORS, "category", alike.category)
            increments.see_all(shop_id, day, name, members)
    if alike.action == "live_enter":
        increments.see_all(shop_id, day, LIVE_VISITORS, members)
        if alike.live_id is not None:
            add_to(fields, part("live_entries", "live", alike.live_id), number)
            increments.see_all(shop_id, day, part(LIVE_VISITORS, "live", alike.live_id), members)
    if alike.action == "view" and not alike.no_dwell:
        add_to(fields, "dwell_ms", shape.dwell_ms)
        add_to(fields, "views_with_dwell", number)


def _tell(fields: dict[str, int], alike: _Alike, number: int) -> None:
    there = (
        alike.traffic_source, alike.channel, alike.region, alike.category, alike.live_id,
        alike.shared, not alike.no_session, not alike.no_sku, not alike.no_price,
        not alike.no_keyword, not alike.no_dwell, not alike.no_page, not alike.no_device,
        not alike.no_came_from,
    )  # fmt: skip
    present = tuple([one is not None and one is not False for one in there])
    for name in told("shop.clicks", alike.source, FIELDS, present):
        add_to(fields, name, number)
