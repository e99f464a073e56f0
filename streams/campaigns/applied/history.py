"""What is kept of one campaign: every version that was applied, and every pause."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from streams.campaigns.language.definition.definition import CampaignDefinition

#: Versions of one campaign; a change a day for almost three years. More is refused: begin another name.
MOST_VERSIONS: Final = 1_000
#: Pauses of one campaign. The next is still taken, and then stays: to stop a campaign is never refused.
MOST_PAUSES: Final = 1_000
#: Campaigns of one shop, paused ones too.
MOST_CAMPAIGNS: Final = 1_000


class Version(msgspec.Struct, frozen=True):
    """``definition`` is ``written`` as it is read; ``effective_from`` and ``at`` are ms since 1970.

    ``effective_from`` None: a first version that judges whatever is processed after ``offset``.
    """

    offset: int
    version: str
    definition: CampaignDefinition
    written: Mapping[str, Any]
    effective_from: int | None
    by: str
    at: int


class Standing(msgspec.Struct, frozen=True):
    """From ``offset`` on the campaign is paused, or not any more; ``at`` is in ms since 1970."""

    offset: int
    paused: bool
    by: str
    at: int
    reason: str | None = None


class History(msgspec.Struct):
    """In the order of the topic; both lists only grow, so that a reader of a former offset sees no change."""

    versions: list[Version]
    standings: list[Standing]
