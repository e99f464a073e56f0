"""Which campaigns of a shop judge at which time, each time's in one index that is made once."""

from bisect import bisect_right
from typing import NamedTuple

from streams.campaigns.applied.view import Campaigns
from streams.campaigns.listening.index import Index


class Judging(NamedTuple):
    """The campaigns that judge an event of some time; ``applied``: by name all that the shop ever applied,
    those, too, that are paused or are yet to begin.

    ``granted``: budgets are taken to suffice, as a backtest does.
    """

    campaigns: Index
    applied: frozenset[str]
    granted: bool = False


class InForce:
    """Of one view of the campaigns. Shops that applied none cost nothing."""

    def __init__(self, campaigns: Campaigns) -> None:
        self._campaigns = campaigns
        #: By shop: the times (ms) from which something else judges; what judges before, between and after.
        self._timelines: dict[str, tuple[list[int], list[Judging]]] = {}

    def at(self, shop_id: str, time: int) -> Judging | None:
        """What judges an event of ``time`` (ms since 1970); None: the shop applied no campaign."""
        timeline = self._timelines.get(shop_id)
        if timeline is None:
            applied = frozenset(self._campaigns.campaigns(shop_id))
            if not applied:
                return None
            timeline = self._timelines[shop_id] = self._learn(shop_id, applied)
        moments, judging = timeline
        return judging[bisect_right(moments, time)]

    def _learn(self, shop_id: str, applied: frozenset[str]) -> tuple[list[int], list[Judging]]:
        view = self._campaigns
        moments = sorted(
            {
                version.effective_from
                for name in applied
                for version in view.versions(shop_id, name)
                if version.effective_from is not None
            }
        )
        # One before the first moment, and one from each on.
        judging = [
            Judging(Index(view.all_judging(shop_id, moment)), applied) for moment in (0, *moments)
        ]
        return moments, judging
