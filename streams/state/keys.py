"""Names of the Redis keys. All keys of a partition share its hash tag, so one script can hold them."""

from dataclasses import dataclass
from typing import Final

#: Among the names of a day's sets: something was left out at a bound. No name has a NUL.
CUT: Final = "\0cut"


@dataclass(frozen=True, slots=True)
class PartitionKeys:
    """The keys of one partition; ``prefix`` keeps stacks apart in one Redis."""

    prefix: str
    partition: int

    @property
    def base(self) -> str:
        return f"{self.prefix}{{{self.partition}}}:"

    @property
    def meta(self) -> str:
        """Hash: seq, chain, epoch, member, clock, offsets, counters."""
        return f"{self.base}meta"

    @property
    def timers(self) -> str:
        """Sorted set: state key by earliest due time in ms."""
        return f"{self.base}timers"

    @property
    def out(self) -> str:
        """Stream: what is committed here and not yet published, one entry a seq."""
        return f"{self.base}out"

    @property
    def kept(self) -> str:
        """Hash: shop -> the first day of which its aggregates are kept."""
        return f"{self.base}kept"

    def days(self, shop_id: str) -> str:
        """Sorted set: each day that has aggregates, by itself."""
        return f"{self.base}days:{shop_id}"

    def sums(self, shop_id: str, day: int) -> str:
        """Hash: field -> sum of a shop's day."""
        return f"{self.base}sums:{shop_id}/{day}"

    def sets(self, shop_id: str, day: int) -> str:
        """Set: the names of a day's sets of customers, and ``CUT``."""
        return f"{self.base}sets:{shop_id}/{day}"

    def set(self, shop_id: str, day: int, name: str) -> str:
        """Set of numbers, later a HyperLogLog: streams.domain.aggregated."""
        return f"{self.base}set:{shop_id}/{day}/{name}"

    @property
    def state_base(self) -> str:
        return f"{self.base}state:"

    def state(self, key: str) -> str:
        """The key of a state; ``key`` is ``shop_id/customer_id``."""
        return f"{self.state_base}{key}"


def control_key(prefix: str) -> str:
    """Hash of orders from operators to workers, as ``resume:<topic>``."""
    return f"{prefix}control"


def slots_key(prefix: str) -> str:
    """Hash of the leased worker slots: slot -> end of the lease (ms) and its owner."""
    return f"{prefix}slots"


def paused_key(prefix: str) -> str:
    """Hash of the partitions that are paused, by number: streams.engine.pausing.Paused as JSON."""
    return f"{prefix}paused"
