"""All campaigns as they stood when shop.campaigns was read up to one offset."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from streams.campaigns.applied.history import History, Standing, Version

K = TypeVar("K", Version, Standing)
#: Shop -> campaign -> what is kept of it.
Shops = Mapping[str, Mapping[str, History]]


class Campaigns:
    """Never changes, whatever is read later: a view of histories that only grow, up to ``offset``.

    The first offset that is not in it. Two views of one topic up to the same offset are the same, whoever
    read how much of it when.
    """

    def __init__(self, shops: Shops, offset: int) -> None:
        self._shops = shops
        self.offset = offset

    def judging(self, shop_id: str, campaign: str, time: int) -> Version | None:
        """The version that judges an event of ``time`` (ms since 1970).

        Of those whose ``effective_from`` has come by ``time``, the one that was applied last. None:
        none has, the campaign is paused, or nobody applied it.
        """
        history = self._history(shop_id, campaign)
        if history is None or self._is_paused(history):
            return None
        return self._holding(history, time)

    def holding(self, shop_id: str, campaign: str, time: int) -> Version | None:
        """The version that would judge an event of ``time`` (ms), paused or not; None: none has begun."""
        history = self._history(shop_id, campaign)
        return None if history is None else self._holding(history, time)

    def all_judging(self, shop_id: str, time: int) -> Iterator[Version]:
        """The version of each of the shop's campaigns that judges an event of ``time``, by name."""
        for campaign in self.campaigns(shop_id):
            version = self.judging(shop_id, campaign, time)
            if version is not None:
                yield version

    def shops(self) -> Sequence[str]:
        """Those that applied a campaign, in order."""
        # As below: a copy in one step, since another thread may add a shop meanwhile.
        known = list(self._shops)
        return sorted(shop_id for shop_id in known if self.campaigns(shop_id))

    def campaigns(self, shop_id: str) -> Sequence[str]:
        """The names of what the shop applied, paused ones too, in order."""
        of_shop = self._shops.get(shop_id)
        if of_shop is None:
            return ()
        # A copy in one step: another thread may add a campaign meanwhile.
        known = list(of_shop.items())
        return sorted(name for name, history in known if history.versions[0].offset < self.offset)

    def versions(self, shop_id: str, campaign: str) -> Sequence[Version]:
        """Every version, in the order in which they were applied; empty: nobody applied it."""
        history = self._history(shop_id, campaign)
        return () if history is None else tuple(self._before(history.versions))

    def standings(self, shop_id: str, campaign: str) -> Sequence[Standing]:
        """Every pause and resumption, in order."""
        history = self._history(shop_id, campaign)
        return () if history is None else tuple(self._before(history.standings))

    def pause(self, shop_id: str, campaign: str) -> Standing | None:
        """The pause that stands; None: the campaign is not paused."""
        standings = self.standings(shop_id, campaign)
        return standings[-1] if standings and standings[-1].paused else None

    def digest(self) -> str:
        """Names the content: equal for equal versions and pauses, in every process."""
        digest = hashlib.blake2b(digest_size=8)
        for shop_id in self.shops():
            for campaign in self.campaigns(shop_id):
                said = (
                    shop_id,
                    campaign,
                    [
                        (v.offset, v.version, v.effective_from)
                        for v in self.versions(shop_id, campaign)
                    ],
                    [(s.offset, s.paused) for s in self.standings(shop_id, campaign)],
                )
                digest.update(msgspec.msgpack.encode(said))
        return digest.hexdigest()

    def _history(self, shop_id: str, campaign: str) -> History | None:
        return self._shops.get(shop_id, {}).get(campaign)

    def _holding(self, history: History, time: int) -> Version | None:
        for version in reversed(history.versions):
            if version.offset < self.offset and (version.effective_from or 0) <= time:
                return version
        return None

    def _is_paused(self, history: History) -> bool:
        for standing in reversed(history.standings):
            if standing.offset < self.offset:
                return standing.paused
        return False

    def _before(self, kept: Iterable[K]) -> Iterator[K]:
        return (each for each in kept if each.offset < self.offset)
