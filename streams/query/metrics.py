"""The sink's metrics, as streams/telemetry/sink.py defines them."""

import time
from collections.abc import Mapping

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from streams.operations.instruments import Counters, Reading
from streams.telemetry import sink


class SinkMetrics:
    """What one sink has done since it started; ``process_start_time_seconds`` says when that was.

    Its own thread writes, any thread may scrape.
    """

    def __init__(self) -> None:
        # Each counter would come with a second series that holds its time of birth.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.records = Counters(self.registry, sink.RECORDS)
        self.transactions = Counters(self.registry, sink.TRANSACTIONS)
        self.lag = Reading(self.registry, sink.LAG)
        self.last_commit = Reading(self.registry, sink.LAST_COMMIT)

    def committed(self, topic: str, records: int, passed_over: int) -> None:
        """What one transaction had of a topic (the catalogue's name); for each of its partitions."""
        self.records(topic, "written").inc(records - passed_over)
        self.records(topic, "passed_over").inc(passed_over)

    def committed_all(self) -> None:
        """That the transaction is done."""
        self.transactions().inc()
        self.last_commit.set(time.time())

    def behind(self, left: Mapping[tuple[str, str], float]) -> None:
        """(topic, partition) -> offsets that the topic has and the store has not."""
        self.lag.set(dict(left))

    def serve(self, host: str, port: int) -> int:
        """Serve /metrics from a thread of its own; 0 takes a free port. Returns the port.

        Raises OSError when it is taken.
        """
        server, _ = start_http_server(port, host, self.registry)
        return int(server.server_address[1])
