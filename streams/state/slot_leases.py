"""Which worker has which slot: a lease in Redis, taken, renewed and given back by one script."""

from typing import Any

from streams.state.connection import connect
from streams.state.keys import slots_key
from streams.state.script import Script


class SlotStore:
    """One owner's view. Every call blocks and raises redis.RedisError; use one instance a thread."""

    def __init__(self, url: str, prefix: str, owner: str) -> None:
        """``owner``: a name that no other process has, without spaces."""
        self._redis: Any = connect(url)
        self._owner = owner
        self._key = slots_key(prefix)
        self._script = Script("slot")

    def take(self, lease: float) -> int:
        """The lowest slot that nobody holds, for ``lease`` seconds."""
        return self._run(lease, "")

    def renew(self, slot: int, lease: float) -> bool:
        """``lease`` seconds more from now; False where the slot is no longer this owner's."""
        return self._run(lease, slot) == slot

    def give_back(self, slot: int) -> None:
        """Nothing happens where the slot is no longer this owner's."""
        self._run(0, slot)

    def close(self) -> None:
        self._redis.close()

    def _run(self, lease: float, slot: int | str) -> int:
        # Once in seconds: not worth the way by its digest.
        return int(
            self._redis.execute_command(
                "EVAL", self._script.text, 1, self._key, self._owner, int(lease * 1000), slot
            )
        )
