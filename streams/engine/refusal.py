"""What no worker may decide by itself: the cases that wait for an operator."""


class RecoveryRefused(Exception):
    """Nothing may be processed until an operator acts; ``case`` is the label of shop_recoveries_total."""

    def __init__(self, case: str, partition: int, message: str) -> None:
        super().__init__(f"partition {partition}: {message}")
        self.case = case
        self.partition = partition


def forked(number: int, detail: str) -> RecoveryRefused:
    """Redis and Kafka hold different histories of the partition."""
    return RecoveryRefused(
        "forked",
        number,
        f"{detail}: two lineages (a failover to an old replica, or two stacks on one Redis). "
        f"Redis's copy is void; restore with: huitou rebuild --partition {number}",
    )
