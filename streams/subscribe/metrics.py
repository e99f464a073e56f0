"""A subscriber's work as Prometheus metrics, as streams/telemetry/subscriber.py defines them."""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from streams.subscribe.hooks import Hooks
from streams.subscribe.received import LetterReason, ReceivedTrigger, Record
from streams.telemetry import subscriber
from streams.telemetry.metric import Metric


class PrometheusHooks(Hooks):
    """Counters in ``registry``, labelled by campaign where a trigger has one (as many as campaigns exist)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        # Each counter would come with a second series that holds its time of birth.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._handled = _counter(subscriber.HANDLED, registry)
        self._repeated = _counter(subscriber.REPEATED, registry)
        self._failed = _counter(subscriber.FAILED, registry)
        self._letters = _counter(subscriber.DEAD_LETTERS, registry)
        seconds = subscriber.HANDLER_SECONDS
        self._seconds = Histogram(
            seconds.name, seconds.meaning, registry=registry, buckets=seconds.edges
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


def _counter(metric: Metric, registry: CollectorRegistry) -> Counter:
    return Counter(metric.name, metric.meaning, metric.label_names, registry=registry)
