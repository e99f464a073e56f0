"""shop.campaigns: what shops applied, paused and resumed of their campaigns; one partition, kept for ever.

``subject`` is the shop id and ``time`` when the change was made. Records are never deleted or compacted:
every version that ever judged an event stays readable.
"""

from typing import Annotated, Any

import msgspec

from schemas.envelope import Data, Envelope, Id, Moment, Text
from schemas.trigger import CampaignName

#: The first 16 hexadecimal digits of a SHA-256.
VersionHash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$(?!\n)")]


class Applied(msgspec.Struct, tag_field="type", tag="applied", kw_only=True, omit_defaults=True):
    """A version of the campaign.

    ``effective_from``: the version judges events from this time on. Only a campaign's first version may
    go without: it judges whatever event is processed after it was read.

    ``apply_ahead_s`` is how far ahead the writer's stack asks ``effective_from`` to be. It is in the
    record so that a reader with other settings, now or in years, counts the same records: one that arrived
    later than so many seconds before its ``effective_from`` does not count.
    """

    #: Names the content: the hash of ``definition`` as JSON with sorted keys and no spaces, in UTF-8.
    version: VersionHash
    #: In the canonical form of the language, defaults included; without effective_from, which is below.
    definition: dict[str, Any]
    effective_from: Moment | None = None
    apply_ahead_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0


class Withdrawn(
    msgspec.Struct, tag_field="type", tag="withdrawn", kw_only=True, omit_defaults=True
):
    """From this record on the campaign does nothing, whatever the time of an event."""

    reason: Text | None = None


class Resumed(msgspec.Struct, tag_field="type", tag="resumed", kw_only=True, omit_defaults=True):
    """From this record on the campaign's versions judge again, each from its ``effective_from``."""


Change = Applied | Withdrawn | Resumed


class CampaignChange(Data):
    """``by``: who made the change, a person or a pipeline."""

    campaign: CampaignName
    by: Id
    change: Change


class CampaignEvent(Envelope, tag="shop.campaign.v1"):
    data: CampaignChange
