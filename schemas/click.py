"""shop.clicks: what a visitor looks at and does, before anything is in a cart."""

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Data, Envelope, Id, Keyword, Money

ClickAction = Literal[
    "view", "search", "favorite", "unfavorite", "share", "ask", "trial_apply", "game_play",
    "card_collect", "live_enter", "live_leave", "campaign_open", "store_visit",
]  # fmt: skip
TrafficSource = Literal[
    "search", "recommend", "direct_train", "live", "store", "wish", "message", "share", "other"
]
Channel = Literal["app", "web", "miniapp", "store"]
#: What a page is for, whatever its address.
PageKind = Literal[
    "home", "search", "category", "product", "store", "live", "campaign", "wish", "cart", "order",
    "message", "other",
]  # fmt: skip
#: What the visitor had looked at right before, in the session; ``none``: the session begins here.
CameFrom = Literal[
    "none", "home", "search", "category", "product", "store", "live", "campaign", "wish", "cart",
    "order", "message", "other",
]  # fmt: skip


class Click(Data):
    action: ClickAction
    session_id: Id | None = None
    sku: Id | None = None
    category: Id | None = None
    price: Money | None = None
    keyword: Keyword | None = None
    #: Milliseconds on the page, at most a day.
    dwell_ms: Annotated[int, msgspec.Meta(ge=0, le=86_400_000)] | None = None
    page: Keyword | None = None
    live_id: Id | None = None
    traffic_source: TrafficSource | None = None
    channel: Channel | None = None
    region: Id | None = None
    shared_by: Id | None = None
    device_hash: Id | None = None
    #: Of a ``view``; of one with a sku it is ``product``, if nothing else is said.
    page_kind: PageKind | None = None
    came_from: CameFrom | None = None


class ClickEvent(Envelope, tag="shop.click.v1"):
    data: Click
