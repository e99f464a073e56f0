"""States of wishes' owners and of likers, with a way between them that is late, repeats and reorders."""

import heapq
import random
from collections.abc import Iterable

from schemas.settings import Liking
from schemas.wish import WishEvent
from streams.domain.integrity.liker import (
    Liked,
    LikerIntegrity,
    LikerTold,
    fold_first_seen,
    fold_liked,
)
from streams.domain.integrity.likes import asks, judge_likes, take_told
from streams.domain.names import name_hash
from streams.domain.wishes import SUSPICIOUS, Wishes, fold_wish, likers_of
from tests.integrity.shop import HOUR, Happening

Told = Liked | LikerTold


class LikingShop:
    """What is told waits up to ``latest_ms``, one in five twice. ``liking`` None: nobody is judged."""

    def __init__(self, seed: int, liking: Liking | None, latest_ms: int = 6 * HOUR) -> None:
        self.owners: dict[str, Wishes] = {}
        self.likers: dict[str, LikerIntegrity] = {}
        #: (hash of the wish, hash of the liker) of likes as they were held when last known.
        self.held: dict[tuple[bytes, bytes], bool] = {}
        self.liking = liking
        self._random = random.Random(seed)
        self._latest = latest_ms
        self._under_way: list[tuple[int, int, Told]] = []
        self._number = 0

    def run(self, happenings: Iterable[Happening]) -> None:
        """Fold all of it, each event once, and deliver all that comes of it."""
        now = 0
        for time, customer, event in happenings:
            now = max(now, time)
            self._deliver(now)
            if isinstance(event, WishEvent):
                wishes = self.owners.setdefault(customer, Wishes())
                fold_wish(wishes, event.data, time, customer)
                asked = asks(event.data, time, customer)
                if asked is not None:
                    self._send(now, [asked])
                self._judge(wishes)
            else:
                liker = self.likers.setdefault(customer, LikerIntegrity())
                self._send(now, fold_first_seen(liker, customer, time // 1000))
        self._deliver(None)

    def is_held(self, wish_id: str, liker_id: str) -> bool:
        """Whether a like is held to be bought, or was when its liker left the owner's state."""
        return self.held[name_hash(wish_id), name_hash(liker_id)]

    def _judge(self, wishes: Wishes) -> None:
        if self.liking is not None:
            judge_likes(wishes, self.liking)
        for wish in wishes.wishes:
            for liker in likers_of(wish):
                self.held[wish.key, liker.key] = liker.flags & SUSPICIOUS > 0

    def _send(self, now: int, told: Iterable[Told]) -> None:
        for one in told:
            for _ in range(2 if self._random.random() < 0.2 else 1):
                self._number += 1
                arrives = now + self._random.randrange(self._latest + 1)
                heapq.heappush(self._under_way, (arrives, self._number, one))

    def _deliver(self, now: int | None) -> None:
        while self._under_way and (now is None or self._under_way[0][0] <= now):
            arrives, _, told = heapq.heappop(self._under_way)
            if isinstance(told, Liked):
                liker = self.likers.setdefault(told.liker_id, LikerIntegrity())
                self._send(arrives, fold_liked(liker, told))
            elif self.liking is not None:
                wishes = self.owners[told.owner_id]
                if take_told(wishes, told, self.liking):
                    self._judge(wishes)
