"""What no worker may decide by itself: the cases that wait for an operator."""

from streams.engine.generation import LOADING, Successor


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


def superseded(number: int, successor: Successor) -> RecoveryRefused:
    """Another generation of topics has taken this one's place."""
    return RecoveryRefused(
        "superseded",
        number,
        "this generation was closed by `huitou repartition`; its customers live on in another one. "
        f"Start workers with {successor}",
    )


def fenced(number: int, member: str) -> RecoveryRefused:
    """A repartition holds the partition, or was cut short."""
    if member == LOADING:
        what = "this generation is not open yet"
        whose = "under the settings of the generation before it"
    else:
        what = "this generation is being repartitioned"
        whose = "under these settings, or let go of it with --cancel"
    return RecoveryRefused(
        "fenced",
        number,
        f"{what}. Where that was cut short, run `huitou repartition` again {whose}",
    )


def emptied(number: int, published: int) -> RecoveryRefused:
    """Redis has nothing of what was published, up to this seq."""
    return RecoveryRefused(
        "missing",
        number,
        f"Redis holds nothing, but Kafka has seq {published} of it; Redis was emptied or another one "
        f"is configured. Restore it with: huitou rebuild --partition {number}",
    )
