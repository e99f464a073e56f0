"""Definitions of simulated workers: settings that stay, campaigns that change all the time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from schemas.campaign import Change
from schemas.catalogue import CAMPAIGNS
from schemas.decoding import RawRecord
from schemas.settings import Brushing, Settings
from streams.campaigns.applied.log import CampaignLog
from streams.definitions_reader import AllDefinitions
from tests.campaigns.changes import RESUMED, WITHDRAWN, applied, change
from tests.simulation.frail import JUDGING, SOUND
from tests.simulation.source import START_MS

#: Records of shop.campaigns, one as often as this comes by on the brokers' clock.
RECORDS: Final = 400
EVERY_MS: Final = 20_000


#: A message for each review, but in every third part of the time, and of many versions.
DECLARED: Final = "hello"
_TRIGGER: Final = "review_posted"


def _log() -> CampaignLog:
    log = CampaignLog()
    since = START_MS
    log.add(_said(0, applied("0", trigger=_TRIGGER)))
    for offset in range(1, RECORDS):
        since += 3 * EVERY_MS
        version = applied(str(offset), since, ahead_s=0, trigger=_TRIGGER)
        log.add(_said(offset, (version, WITHDRAWN, RESUMED)[offset % 3]))
    return log


def _said(offset: int, what: Change) -> RawRecord:
    return change(offset, what, DECLARED, shop=SOUND, arrived=START_MS)


LOG: Final = _log()
_JUDGING: Final = Settings(
    shop_id=JUDGING, version=1, effective_from=datetime(2026, 1, 1, tzinfo=UTC),
    # Two orders of a product within the hour by who never looked at it; a look clears them.
    brushing=Brushing(
        orders_in_an_hour=1, rate_points=30, glance_s=0, unviewed_points=30, verdict_points=50
    ),
)  # fmt: skip
#: Every view differs from the one before it.
DIGESTS: Final = [LOG.upto(offset).digest() for offset in range(RECORDS + 1)]
assert len(set(DIGESTS)) == RECORDS + 1


class WrongDefinitions(AssertionError):
    """A commit was folded by other definitions than its row of the journal says."""


def check_definitions(said: Mapping[str, int], used: Any, where: str) -> None:
    """Raises WrongDefinitions unless a reader of ``said`` has the very campaigns of ``used``."""
    offset = said.get(CAMPAIGNS, 0)
    if used.campaigns.digest() != DIGESTS[offset]:
        raise WrongDefinitions(
            f"{where}: folded by the campaigns up to {used.campaigns.offset}, its row says {offset}"
        )


class GrowingDefinitions:
    """One process's reader: ``written`` records are in the topic, and it is ``behind`` by so many."""

    def __init__(self, written: Callable[[], int], behind: int) -> None:
        self._written = written
        self._behind = behind
        self._read = 0

    def current(self) -> AllDefinitions:
        # Who is behind catches up with the last record, too.
        self._read = max(self._read, min(RECORDS, self._written() - self._behind))
        return self._view(self._read)

    def upto(self, offsets: Mapping[str, int]) -> AllDefinitions:
        """Waits for nobody: what another process has read is in the topic."""
        wanted = offsets.get(CAMPAIGNS, 0)
        self._read = max(self._read, wanted)
        return self._view(wanted)

    def _view(self, offset: int) -> AllDefinitions:
        return _view(offset)


@lru_cache(maxsize=RECORDS + 1)
def _view(offset: int) -> AllDefinitions:
    return AllDefinitions([_JUDGING], {CAMPAIGNS: offset}, LOG.upto(offset))
