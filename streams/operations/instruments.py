"""The three kinds of metric that a worker needs, cheap where it runs and lazy where it can be.

prometheus-client's own objects resolve labels under a lock at each use and count one observation
a call. Here labels are resolved once (``Counters``), one call observes a whole bundle
(``Distribution``), and a gauge is read at a scrape and costs nothing between (``Reading``).
"""

import bisect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter
from prometheus_client import Metric as Family
from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from streams.telemetry.metric import Metric

#: Series of one counter: shops name their campaigns as they like. What comes later counts as OTHER.
MOST_SERIES: Final = 2_000
OTHER: Final = "_other"


class Counters:
    """A counter by its label values: ``counters("shop.clicks", "applied").inc(120)``.

    Of MOST_SERIES at most: what no series is left for is counted together, under OTHER in each label.
    """

    def __init__(self, registry: CollectorRegistry, metric: Metric) -> None:
        self.name = metric.name
        self.labels = metric.label_names
        self._family = Counter(metric.name, metric.meaning, self.labels, registry=registry)
        self._children: dict[tuple[str, ...], Counter] = {}
        if not self.labels:
            self._children[()] = self._family

    def __call__(self, *values: str) -> Counter:
        """The counter of these label values, in the order of ``labels``; made at first use.

        Raises ValueError when the number of values is not the number of labels.
        """
        child = self._children.get(values)
        if child is None:
            if len(self._children) >= MOST_SERIES:
                values = (OTHER,) * len(values)
            child = self._children[values] = self._family.labels(*values)
        return child


class Distribution(Collector):
    """A histogram whose observations have a weight: one call for a whole bundle of events.

    Raises ValueError for a metric of more than one label.
    """

    def __init__(self, registry: CollectorRegistry, metric: Metric) -> None:
        if len(metric.labels) > 1:
            raise ValueError(f"{metric.name}: a distribution has one label at most")
        self.name = metric.name
        self.label = metric.label_names[0] if metric.labels else None
        self._meaning = metric.meaning
        self._edges = metric.edges
        self._series: dict[str, _Series] = {}
        if self.label is None:
            self._series[""] = _Series(self._edges)
        registry.register(self)

    def __call__(self, value: str = "") -> "_Series":
        """The series of this label value, made at first use; without a label the only one."""
        series = self._series.get(value)
        if series is None:
            if self.label is None:
                raise ValueError(f"{self.name} has no label")
            series = self._series[value] = _Series(self._edges)
        return series

    def observe(self, value: float, count: int = 1) -> None:
        """``count`` observations of ``value``, on a histogram without a label."""
        self().observe(value, count)

    def collect(self) -> Iterator[Family]:
        names = [] if self.label is None else [self.label]
        family = HistogramMetricFamily(self.name, self._meaning, labels=names)
        for value, series in list(self._series.items()):
            buckets, total = series.cumulated()
            family.add_metric([value] if self.label else [], buckets, total)
        yield family


class _Series:
    """The buckets of one label value. Any thread may observe; a scrape sees a consistent whole."""

    __slots__ = ("_counts", "_edges", "_lock", "_sum")

    def __init__(self, edges: tuple[float, ...]) -> None:
        self._edges = edges
        self._counts = [0] * (len(edges) + 1)
        self._sum = 0.0
        self._lock = threading.Lock()

    def observe(self, value: float, count: int = 1) -> None:
        place = bisect.bisect_left(self._edges, value)
        with self._lock:
            self._counts[place] += count
            self._sum += value * count

    def cumulated(self) -> tuple[list[tuple[str, float]], float]:
        with self._lock:
            counts, total = list(self._counts), self._sum
        running = 0
        buckets: list[tuple[str, float]] = []
        for edge, count in zip((*self._edges, float("inf")), counts, strict=True):
            running += count
            buckets.append(("+Inf" if edge == float("inf") else repr(float(edge)), running))
        return buckets, total


#: What a reading answers: one value, or one for each tuple of label values.
Values = (
    float
    | Mapping[tuple[str], float]
    | Mapping[tuple[str, str], float]
    | Mapping[tuple[str, str, str], float]
)


class Reading(Collector):
    """A gauge that is read at scrape time from a callable given with ``read_from``.

    Before that, and for label values the callable no longer answers (a partition that left), there
    is no series. A callable that raises costs its own series only and counts one in ``failures``.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        metric: Metric,
        failures: Counters | None = None,
    ) -> None:
        self.name = metric.name
        self.labels = metric.label_names
        self._meaning = metric.meaning
        self._failures = failures
        self._read: Callable[[], Values] | None = None
        registry.register(self)

    def read_from(self, read: Callable[[], Values]) -> None:
        """``read`` is called in the scraping thread and must not block; the last one counts."""
        self._read = read

    def set(self, value: Values) -> None:
        """A value that changes seldom, kept until the next ``set``."""
        self.read_from(lambda: value)

    def collect(self) -> Iterator[Family]:
        family = GaugeMetricFamily(self.name, self._meaning, labels=self.labels)
        if self._read is not None:
            try:
                for values, value in _by_labels(self._read()):
                    family.add_metric(values, value)
            except Exception:  # a broken gauge must not take the other metrics with it
                if self._failures is None:
                    raise
                self._failures(self.name).inc()
        yield family

    def describe(self) -> Iterator[Family]:
        """Registration asks for names only, not for values."""
        yield GaugeMetricFamily(self.name, self._meaning, labels=self.labels)


def _by_labels(values: Values) -> Sequence[tuple[tuple[str, ...], float]]:
    if isinstance(values, Mapping):
        return list(values.items())
    return [((), values)]
