"""All metrics, by the process that serves them; with what prometheus-client and Prometheus add."""

from typing import Final

from streams.telemetry.metric import Label, Metric
from streams.telemetry.sink import SINK
from streams.telemetry.subscriber import SUBSCRIBER
from streams.telemetry.worker import WORKER

#: prometheus-client's own of the process, on Linux.
PROCESS: Final = (
    Metric(
        "process_start_time_seconds", "gauge", "seconds since 1970", "When the process started."
    ),
    Metric("process_cpu_seconds_total", "counter", "seconds", "CPU time, user and system."),
    Metric("process_resident_memory_bytes", "gauge", "bytes", "Memory that is held."),
    Metric("process_virtual_memory_bytes", "gauge", "bytes", "Address space."),
    Metric("process_open_fds", "gauge", "file descriptors", "Open file descriptors."),
    Metric("process_max_fds", "gauge", "file descriptors", "How many may be open."),
)

#: Process -> what its /metrics has. Producers' client, `huitou archive` and `huitou snapshot` serve none:
#: the first is a library in somebody else's process, the others end and say with what.
PROCESSES: Final[dict[str, tuple[Metric, ...]]] = {
    "worker": (*WORKER, *PROCESS),
    "sink": (*SINK, *PROCESS),
    "webhook": SUBSCRIBER,
}

#: What Prometheus writes of each scrape, without which nothing says that a process is gone. No name of
#: two words, so no Metric.
SCRAPE: Final = {"up": "1 where the last scrape of a target succeeded, else 0."}
#: Labels that Prometheus gives to each series.
TARGET_LABELS: Final = (
    Label("job", "`huitou` (workers), `huitou-sink` or `huitou-webhook`"),
    Label("instance", "host:port of the process"),
)


def metrics() -> dict[str, Metric]:
    """Every metric by name; each once, whoever serves it."""
    return {metric.name: metric for served in PROCESSES.values() for metric in served}


def series() -> frozenset[str]:
    """Every name that a query may ask for."""
    return frozenset(SCRAPE) | {name for metric in metrics().values() for name in metric.series}
