"""How a repair ends that cannot be done, and the fences behind which nothing is repaired."""

from streams.engine.generation import FENCES, LOADING
from streams.settings import Settings
from streams.state.redis_store import RedisStore


class RepairRefused(Exception):
    """The repair would do harm now; says what to do first."""


class RepairDoubt(Exception):
    """A process of the repair ended for a reason that is no refusal, as a server that did not answer."""


def require_no_fence(settings: Settings, store: RedisStore) -> None:
    """Raises RepairRefused when a repartition holds partitions of this generation, or has closed it."""
    for number in range(settings.partitions):
        holder = store.holder(number)
        if holder in FENCES:
            what = "has not opened it yet" if holder == LOADING else "has closed it, or is about to"
            raise RepairRefused(
                f"partition {number} of group {settings.group}: `huitou repartition` {what}; "
                "run that command again, which goes on and says how things stand"
            )
