"""The fold of shop.campaigns: which of its records count, in the order of the topic."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from schemas.campaign import Applied, CampaignChange, CampaignEvent, Resumed, Withdrawn
from schemas.decoding import UNREADABLE, RawRecord, nesting, refusal
from schemas.envelope import BODY_BYTES
from schemas.forwarded import arrived
from schemas.settings import STACK
from streams.campaigns.applied.history import (
    MOST_CAMPAIGNS,
    MOST_PAUSES,
    MOST_VERSIONS,
    History,
    Standing,
    Version,
)
from streams.campaigns.applied.view import Campaigns
from streams.campaigns.language.definition.definition import version_of_written
from streams.campaigns.language.definition.reading import read_json
from streams.domain.moments import moment

#: Objects and lists within each other; a campaign's file has at most 32. Without a bound the interpreter's
#: stack would be one, and who calls would decide what counts.
MOST_NESTING: Final = 64

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_decode: Final = msgspec.json.Decoder(CampaignEvent).decode


class RefusedChange(ValueError):
    """A record of shop.campaigns that does not count; the message says why."""


class CampaignLog:
    """Takes the topic's records one by one; what counts depends on nothing but the records before.

    One thread adds. ``upto`` may be called from any: what it gives never changes.
    """

    def __init__(self) -> None:
        self._shops: dict[str, dict[str, History]] = {}

    def upto(self, offset: int) -> Campaigns:
        """The campaigns by the records below ``offset``, of those that were added."""
        return Campaigns(self._shops, offset)

    def add(self, record: RawRecord) -> bool:
        """Count the next record; False: it repeats what holds, so nothing changes. Raises RefusedChange."""
        event = _read(record)
        said = event.data
        at, first = ms_of(event.time), arrived(record.headers, record.timestamp)
        history = self._shops.get(said.shop_id, {}).get(said.campaign)
        match said.change:
            case Applied():
                version = _version(record, said, said.change, at)
                return self._apply(said.shop_id, version, history, said.change, first)
            case Withdrawn() | Resumed():
                return _stand(record.offset, said, at, history)

    def _apply(
        self,
        shop_id: str,
        version: Version,
        history: History | None,
        change: Applied,
        arrived_at: int,
    ) -> bool:
        if history is not None:
            newest = history.versions[-1]
            if (newest.version, newest.effective_from) == (version.version, version.effective_from):
                return False
        check_moment(
            version.effective_from, arrived_at, change.apply_ahead_s, is_first=history is None
        )
        if history is not None:
            if len(history.versions) >= MOST_VERSIONS:
                raise RefusedChange(
                    f"the campaign has {MOST_VERSIONS:,} versions, which is the most: give it another name"
                )
            history.versions.append(version)
            return True
        campaigns = self._shops.setdefault(shop_id, {})
        if len(campaigns) >= MOST_CAMPAIGNS:
            raise RefusedChange(f"the shop has {MOST_CAMPAIGNS:,} campaigns, which is the most")
        campaigns[version.definition.campaign] = History([version], [])
        return True


def ms_of(time: datetime) -> int:
    """ms since 1970, cut down to the millisecond."""
    return (time - _EPOCH) // _MILLISECOND


def check_moment(
    effective_from: int | None, arrived_at: int, apply_ahead_s: float, *, is_first: bool
) -> None:
    """Whether a version that arrives at ``arrived_at`` may hold from ``effective_from`` on.

    Both are ms since 1970. Raises RefusedChange.
    """
    if effective_from is None:
        if not is_first:
            raise RefusedChange(
                "only a campaign's first version may have no effective_from: a later one would change "
                "what the one before it judges"
            )
        return
    earliest = arrived_at + round(apply_ahead_s * 1000)
    if effective_from < earliest:
        raise RefusedChange(
            f"effective_from {moment(effective_from)} is too early: it must be at least {apply_ahead_s:g} s "
            f"after the version arrives ({moment(earliest)} or later), so that every worker has read it"
        )


def _read(record: RawRecord) -> CampaignEvent:
    if record.key is None or record.value is None:
        raise RefusedChange("the record has no key or no value: campaigns are not deleted")
    if len(record.value) > BODY_BYTES:
        raise RefusedChange(f"{len(record.value)} bytes, at most {BODY_BYTES} are read")
    if nesting(record.value) > MOST_NESTING:
        raise RefusedChange(f"nested deeper than {MOST_NESTING}")
    try:
        event = _decode(record.value)
    except UNREADABLE as error:
        raise RefusedChange(": ".join(refusal(error))) from None
    if not record.key == event.subject.encode() == event.data.shop_id.encode():
        raise RefusedChange("key, subject and data.shop_id must be the same shop id")
    if event.data.shop_id == STACK:
        raise RefusedChange(f"{STACK} has no campaigns: every shop applies its own")
    return event


def _version(record: RawRecord, said: CampaignChange, change: Applied, at: int) -> Version:
    written = change.definition
    if "effective_from" in written:
        raise RefusedChange("the definition has effective_from, which stands beside it")
    # Of what is written: a build that writes a further default has another canonical form.
    if version_of_written(written) != change.version:
        raise RefusedChange(
            f"version {change.version} does not name its definition, {version_of_written(written)} does"
        )
    definition, problems = read_json(written)
    if definition is None:
        wrong = next(each for each in problems if each.severity == "error")
        raise RefusedChange(f"the definition is none: {wrong.path}: {wrong.message}")
    if definition.campaign != said.campaign:
        raise RefusedChange(
            f"data.campaign is {said.campaign!r}, the definition is of {definition.campaign!r}"
        )
    effective_from = None if change.effective_from is None else ms_of(change.effective_from)
    return Version(record.offset, change.version, definition, written, effective_from, said.by, at)


def _stand(offset: int, said: CampaignChange, at: int, history: History | None) -> bool:
    if history is None:
        raise RefusedChange(f"{said.shop_id} has applied no campaign {said.campaign!r}")
    standings = history.standings
    change = said.change
    paused = isinstance(change, Withdrawn)
    if paused == (bool(standings) and standings[-1].paused):
        return False
    if not paused and len(standings) >= 2 * MOST_PAUSES:
        raise RefusedChange(
            f"the campaign was paused {MOST_PAUSES:,} times, which is the most: apply it by another name"
        )
    reason = change.reason if isinstance(change, Withdrawn) else None
    standings.append(Standing(offset, paused, said.by, at, reason))
    return True
