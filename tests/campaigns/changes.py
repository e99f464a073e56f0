"""Records of shop.campaigns, as `huitou campaigns` writes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from schemas.campaign import Applied, CampaignChange, CampaignEvent, Change, Resumed, Withdrawn
from schemas.decoding import RawRecord
from streams.authoring.files import check_text
from streams.campaigns.language.definition.definition import canonical, version_of_written

TEXT = """\
campaign: {name}
trigger: joined_membership
offer: {{message: {{text: {text}}}}}
limits: {{per_customer: 1/total}}
delivery: {{channels: sms}}
"""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: When records arrive, ms since 1970, unless a test says otherwise.
NOW = 1_780_000_000_000
MINUTE = 60_000


def written(
    name: str = "hello", text: str = "Hi", trigger: str = "joined_membership"
) -> dict[str, Any]:
    """The canonical form of a campaign; another ``text`` is another version."""
    said = TEXT.format(name=name, text=text).replace("joined_membership", trigger)
    definition = check_text(said.encode(), name).definition
    assert definition is not None
    return canonical(definition)


def applied(
    text: str = "Hi", since: int | None = None, name: str = "hello", ahead_s: float = 60,
    trigger: str = "joined_membership",
) -> Applied:  # fmt: skip
    definition = written(name, text, trigger)
    return Applied(
        version=version_of_written(definition),
        definition=definition,
        effective_from=None if since is None else EPOCH + timedelta(milliseconds=since),
        apply_ahead_s=ahead_s,
    )


def change(
    offset: int,
    what: Change,
    name: str = "hello",
    *,
    shop: str = "tea",
    arrived: int = NOW,
    key: str | None = None,
    subject: str | None = None,
) -> RawRecord:
    event = CampaignEvent(
        specversion="1.0",
        id=f"{shop}-{offset}",
        source="test",
        subject=subject or shop,
        time=EPOCH + timedelta(milliseconds=arrived),
        data=CampaignChange(shop_id=shop, campaign=name, by="mei", change=what),
    )
    return RawRecord(
        "shop.campaigns", 0, offset, arrived, (key or shop).encode(), msgspec.json.encode(event)
    )


WITHDRAWN, RESUMED = Withdrawn(), Resumed()
