"""A subscriber's work as Prometheus metrics."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from streams.subscribe.hooks import Hooks
from streams.subscribe.received import LetterReason, ReceivedTrigger, Record


class PrometheusHooks(Hooks):
    """Counters in ``registry``, labelled by campaign where a trigger has one (as many as campaigns exist)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._handled = Counter(
            "subscriber_triggers_handled", "Triggers handled.", ["campaign"], registry=registry
        )
        self._repeated = Counter(
            "subscriber_triggers_repeated", "Redeliveries not handled again.", registry=registry
        )
        self._failed = Counter(
            "subscriber_attempts_failed",
            "Attempts to be repeated.",
            ["campaign"],
            registry=registry,
        )
        self._letters = Counter(
            "subscriber_dead_letters", "Triggers put away.", ["reason"], registry=registry
        )
        self._seconds = Histogram(
            "subscriber_handler_seconds", "Seconds of a successful attempt.", registry=registry
        )

    def handled(self, trigger: ReceivedTrigger, seconds: float) -> None:
        self._handled.labels(trigger.trigger.campaign).inc()
        self._seconds.observe(seconds)

    def repeated(self, trigger: ReceivedTrigger) -> None:
        self._repeated.inc()

    def failed(self, trigger: ReceivedTrigger, error: Exception, wait: float) -> None:
        self._failed.labels(trigger.trigger.campaign).inc()

    def dead_lettered(self, record: Record, reason: LetterReason) -> None:
        self._letters.labels(reason).inc()
