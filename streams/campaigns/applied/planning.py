"""What applying a definition comes to: a new version, or nothing, by what was applied before."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from streams.campaigns.applied.difference import Difference, differences
from streams.campaigns.applied.history import MOST_CAMPAIGNS, MOST_VERSIONS
from streams.campaigns.applied.log import RefusedChange, check_moment
from streams.campaigns.applied.view import Campaigns
from streams.campaigns.language.definition.definition import (
    CampaignDefinition,
    canonical,
    version_of,
)

#: A later version that names no time holds from ``apply_ahead`` from now, and so much for the way to the
#: topic: its arrival is what counts.
ON_THE_WAY_MS: Final = 5_000


class Plan(NamedTuple):
    """``written`` has no effective_from; ``effective_from`` is in ms since 1970, None: since ever.

    Not ``is_new``: the same is applied already, from ``effective_from`` on, and nothing is to be written.
    ``replaces`` is the newest version before, and ``differences`` what it has otherwise.
    """

    campaign: str
    version: str
    written: Mapping[str, Any]
    effective_from: int | None
    is_new: bool
    replaces: str | None = None
    differences: tuple[Difference, ...] = ()


def planned(
    definition: CampaignDefinition,
    campaigns: Campaigns,
    shop_id: str,
    now: int,
    apply_ahead_s: float,
    since: int | None = None,
) -> Plan:
    """What applying ``definition`` at ``now`` writes; ``since`` goes before what the definition says itself.

    Both in ms since 1970. Raises RefusedChange.
    """
    name, version = definition.campaign, version_of(definition)
    written = canonical(definition)
    written.pop("effective_from", None)
    since = definition.effective_from if since is None else since
    before = campaigns.versions(shop_id, name)
    newest = before[-1] if before else None
    if newest is not None and newest.version == version:
        # A time of its own that is later says nothing: from the earlier one on this version judges.
        sooner = since is not None and since < (newest.effective_from or 0)
        if not sooner:
            return Plan(name, version, written, newest.effective_from, False)
    if newest is not None and since is None:
        since = now + round(apply_ahead_s * 1000) + ON_THE_WAY_MS
    check_moment(since, now, apply_ahead_s, is_first=newest is None)
    if len(before) >= MOST_VERSIONS:
        raise RefusedChange(
            f"{name} has {MOST_VERSIONS:,} versions, which is the most: give it another name"
        )
    if newest is None and len(campaigns.campaigns(shop_id)) >= MOST_CAMPAIGNS:
        raise RefusedChange(f"{shop_id} has {MOST_CAMPAIGNS:,} campaigns, which is the most")
    return Plan(
        name,
        version,
        written,
        since,
        True,
        None if newest is None else newest.version,
        () if newest is None else tuple(differences(newest.written, written)),
    )
