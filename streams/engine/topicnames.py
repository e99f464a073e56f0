"""The Kafka names of a stack's topics, as the engine needs them."""

from dataclasses import dataclass

from schemas.catalogue import (
    CAMPAIGNS,
    CLOCK,
    CUSTOMER_TOPICS,
    DEADLETTERS,
    DECISIONS,
    EXCHANGE,
    JOURNAL,
    ORIGIN,
    SETTINGS,
    TRIGGERS,
    VERDICTS,
)


@dataclass(frozen=True, slots=True)
class TopicNames:
    """``customer``: what upstream writes of customers; ``folded``: that and what other partitions tell,
    in fold order; ``inputs``: what the consumer group reads.
    """

    prefix: str
    customer: tuple[str, ...]
    exchange: str
    clock: str
    journal: str
    triggers: str
    verdicts: str
    decisions: str
    deadletters: str
    settings: str
    campaigns: str
    origin: str

    @classmethod
    def of(cls, prefix: str) -> "TopicNames":
        return cls(
            prefix=prefix,
            customer=tuple(prefix + name for name in CUSTOMER_TOPICS),
            exchange=prefix + EXCHANGE,
            clock=prefix + CLOCK,
            journal=prefix + JOURNAL,
            triggers=prefix + TRIGGERS,
            verdicts=prefix + VERDICTS,
            decisions=prefix + DECISIONS,
            deadletters=prefix + DEADLETTERS,
            settings=prefix + SETTINGS,
            campaigns=prefix + CAMPAIGNS,
            origin=prefix + ORIGIN,
        )

    @property
    def definitions(self) -> tuple[str, ...]:
        """Of one partition each, read whole by everybody."""
        return (self.settings, self.campaigns)

    @property
    def folded(self) -> tuple[str, ...]:
        return (*self.customer, self.exchange)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*self.folded, self.clock)
