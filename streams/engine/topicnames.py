"""The Kafka names of a stack's topics, as the engine needs them."""

from dataclasses import dataclass

from schemas.catalogue import (
    CLOCK,
    CUSTOMER_TOPICS,
    DEADLETTERS,
    JOURNAL,
    ORIGIN,
    SETTINGS,
    TRIGGERS,
)


@dataclass(frozen=True, slots=True)
class TopicNames:
    """``customer`` topics in fold order; ``inputs`` are what the consumer group reads."""

    prefix: str
    customer: tuple[str, ...]
    clock: str
    journal: str
    triggers: str
    deadletters: str
    settings: str
    origin: str

    @classmethod
    def of(cls, prefix: str) -> "TopicNames":
        return cls(
            prefix=prefix,
            customer=tuple(prefix + name for name in CUSTOMER_TOPICS),
            clock=prefix + CLOCK,
            journal=prefix + JOURNAL,
            triggers=prefix + TRIGGERS,
            deadletters=prefix + DEADLETTERS,
            settings=prefix + SETTINGS,
            origin=prefix + ORIGIN,
        )

    @property
    def inputs(self) -> tuple[str, ...]:
        return (*self.customer, self.clock)
