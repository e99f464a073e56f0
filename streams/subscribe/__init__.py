"""For marketing services that act on triggers: a subscriber with a handler, and a bridge to webhooks."""

from streams.subscribe.dead_letters import DeadLetter, DeadLetterFile, DeadLetters, DeadLetterTopic
from streams.subscribe.errors import (
    DeadLetterUnavailableError,
    LogUnavailableError,
    RejectTrigger,
    RetryTrigger,
    StopSubscribing,
    StoreUnavailableError,
    SubscribeError,
)
from streams.subscribe.hooks import Hooks
from streams.subscribe.received import ReceivedTrigger, Record
from streams.subscribe.retry import Retry
from streams.subscribe.stores import (
    DeduplicatingStore,
    PostgresStore,
    RedisStore,
    SqliteStore,
    open_store,
)
from streams.subscribe.subscriber import Handler, Summary, TriggerSubscriber

__all__ = [
    "DeadLetter",
    "DeadLetterFile",
    "DeadLetterTopic",
    "DeadLetterUnavailableError",
    "DeadLetters",
    "DeduplicatingStore",
    "Handler",
    "Hooks",
    "LogUnavailableError",
    "PostgresStore",
    "ReceivedTrigger",
    "Record",
    "RedisStore",
    "RejectTrigger",
    "Retry",
    "RetryTrigger",
    "SqliteStore",
    "StopSubscribing",
    "StoreUnavailableError",
    "SubscribeError",
    "Summary",
    "TriggerSubscriber",
    "open_store",
]
