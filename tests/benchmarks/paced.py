"""At live rates: the worker's share of a core, and how soon a trigger can be read.

Events flow at a steady rate with the time of their sending as event time. Latency runs from that moment
(before the producer's own linger) to the moment at which a read_committed consumer has the trigger.
Shares are user and system time of the process, all threads, over the measured seconds.

    python -m tests.benchmarks.paced --rates 200,1000,3000 --seconds 60 --json paced.json
"""

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from confluent_kafka import TopicPartition

from producers.bulk import BulkPublisher
from producers.cluster import Cluster
from producers.source import Record
from schemas.catalogue import TRIGGERS
from schemas.trigger import TriggerEvent
from streams.demo.latency import percentile
from streams.engine.log import open_consumer
from streams.settings import Settings
from tests.benchmarks import report
from tests.benchmarks.cpu import Meter
from tests.benchmarks.profile import ProfileError, profile
from tests.benchmarks.rig import Rig, rig
from tests.benchmarks.workload import Workload, restamped, workload
from tests.engine.harness import WorkerProcess

#: Rate in events a second -> the worker's share of a core that it may take.
CPU_TARGETS = {200: 0.15, 1_000: 0.30, 3_000: 0.45}
P50_TARGET_MS, P99_TARGET_MS = 200.0, 500.0
#: Load before it is measured: caches fill, the broker's JVM compiles.
WARM_SECONDS = 15.0
#: The producer's own wait for a fuller batch, part of the latency.
LINGER_MS = 5.0
_STEP_SECONDS = 0.002
_PROFILE_SECONDS = 15
#: After the load, for the last triggers.
_LAST_SECONDS = 3.0
#: Counters of the worker whose rates say how it spends its time.
_RATES = {
    "cycles": 'shop_stage_seconds_count{stage="commit"}',
    "polls": 'shop_stage_seconds_count{stage="fetch"}',
    "transactions": 'shop_stage_seconds_count{stage="publish"}',
}
_STAGES = ("fetch", "decode", "fold", "decide", "commit", "publish")


class TriggerLatencies:
    """A read_committed reader of a rig's triggers: (sent, latency) in seconds, as they come."""

    def __init__(self, settings: Settings) -> None:
        self.seen: list[tuple[float, float]] = []
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="triggers", daemon=True)

    def __enter__(self) -> "TriggerLatencies":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        decode = msgspec.json.Decoder(TriggerEvent).decode
        # What there is comes at once; at the end of the log the broker is asked twice a second only.
        patient = {"fetch.wait.max.ms": 500}
        consumer = open_consumer(self._settings.kafka_bootstrap, "read_committed", patient)
        topic = self._settings.topic_prefix + TRIGGERS
        consumer.assign([TopicPartition(topic, p, 0) for p in range(self._settings.partitions)])
        while not self._stop.is_set():
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                now = time.time()
                sent = decode(message.value() or b"").time.timestamp()
                self.seen.append((sent, now - sent))
        consumer.close()


class Sender:
    """A thread that sends ``records`` at ``rate`` a second, until it is stopped."""

    def __init__(self, settings: Settings, records: Iterator[Record], rate: float) -> None:
        self.sent = 0
        self.failure: BaseException | None = None
        self._publisher = BulkPublisher(
            Cluster(settings.kafka_bootstrap, settings.topic_prefix),
            client_id="huitou-bench",
            linger_ms=LINGER_MS,
        )
        self._records = records
        self._rate = rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sender", daemon=True)

    def __enter__(self) -> "Sender":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        try:
            self._send()
            self._publisher.flush()
        except BaseException as error:  # noqa: BLE001 - raised by whoever waits
            self.failure = error

    def _send(self) -> None:
        publisher, rate = self._publisher, self._rate
        began = 0.0
        for record in self._records:
            # The first one may take seconds to make; they are not to be caught up with.
            began = began or time.monotonic()
            while self.sent > (time.monotonic() - began) * rate:
                publisher.poll(0)
                if self._stop.wait(_STEP_SECONDS):
                    return
            value = restamped(record.value or b"", time.time())
            publisher.send(record.topic, record.key, value)
            self.sent += 1
        raise RuntimeError("the workload ended before the benchmark did")


@dataclass(frozen=True)
class Targets:
    """None where a rate has no target."""

    cpu: float | None
    p50_ms: float = P50_TARGET_MS
    p99_ms: float = P99_TARGET_MS


def measure(
    load: Workload, rates: list[int], seconds: float, warm: float, profiled: bool
) -> dict[str, Any]:
    """The whole benchmark; blocks for ``warm`` and ``seconds`` a rate."""
    results = []
    with rig() as stack:
        for rate in rates:
            results.append(run(stack, load, rate, seconds, warm, profiled))
            report.say(_line(results[-1]))
    return {
        "benchmark": "paced",
        "data": load.words,
        "partitions": Settings().partitions,
        "seconds": seconds,
        "rates": results,
        "met": all(result["met"] for result in results),
    }


def run(
    stack: Rig, load: Workload, rate: int, seconds: float, warm: float, profiled: bool
) -> dict[str, Any]:
    """One rate, on topics and with a worker of its own."""
    settings = stack.fresh()
    total = int(rate * (warm + seconds + _PROFILE_SECONDS + 60))
    pause = threading.Event()
    with (
        stack.worker(settings) as worker,
        TriggerLatencies(settings) as triggers,
        Sender(settings, load.feed(total).records(), rate) as sender,
    ):
        pause.wait(warm)
        before, sent = worker.metrics(), sender.sent
        meter, began = Meter.start({**stack.servers, "worker": worker.process.pid}), time.time()
        pause.wait(seconds)
        used, lasted = meter.seconds(), time.time() - began
        after, sent = worker.metrics(), sender.sent - sent
        # The last triggers of the measured seconds become readable under the same load.
        pause.wait(_LAST_SECONDS)
        latencies = sorted(
            latency * 1000 for at, latency in list(triggers.seen) if began <= at < began + lasted
        )
        if sender.failure is not None:
            raise sender.failure
        result = _result(rate, sent, lasted, used, latencies, before, after)
        if profiled or not result["met"]:
            result["profile"] = _profile(worker)
    return result


def _result(
    rate: int,
    sent: int,
    lasted: float,
    used: dict[str, float],
    latencies: list[float],
    before: dict[str, float],
    after: dict[str, float],
) -> dict[str, Any]:
    targets = Targets(CPU_TARGETS.get(rate))
    shares = {name: value / lasted for name, value in used.items()}
    p50, p99 = (percentile(latencies, at) if latencies else None for at in (0.5, 0.99))
    missed = []
    if targets.cpu is not None and shares["worker"] > targets.cpu:
        missed.append(f"CPU {shares['worker']:.1%} over {targets.cpu:.0%}")
    for name, value, most in (("p50", p50, targets.p50_ms), ("p99", p99, targets.p99_ms)):
        if value is None or value > most:
            missed.append(f"{name} {value} ms over {most:g}")
    return {
        "rate": rate,
        "sent_per_second": sent / lasted,
        "cpu_share": shares,
        "cpu_target": targets.cpu,
        "triggers": len(latencies),
        "latency_ms": {"p50": p50, "p99": p99, "max": latencies[-1] if latencies else None},
        "per_second": {
            name: (after.get(series, 0) - before.get(series, 0)) / lasted
            for name, series in _RATES.items()
        },
        "mean_ms": {stage: _mean_ms(stage, before, after) for stage in _STAGES},
        "met": not missed,
        "missed": missed,
    }


def _mean_ms(stage: str, before: dict[str, float], after: dict[str, float]) -> float:
    names = [f'shop_stage_seconds_{part}{{stage="{stage}"}}' for part in ("sum", "count")]
    total, count = (after.get(name, 0) - before.get(name, 0) for name in names)
    return total / count * 1000 if count else 0.0


def _profile(worker: WorkerProcess) -> dict[str, object]:
    try:
        return profile(worker.process.pid, _PROFILE_SECONDS).as_dict()
    except ProfileError as error:
        return {"error": str(error)}


def _line(result: dict[str, Any]) -> str:
    latency = result["latency_ms"]
    return (
        f"{result['rate']}/s: {result['cpu_share']['worker']:.1%} of a core, "
        f"p50 {latency['p50'] or 0:.0f} ms, p99 {latency['p99'] or 0:.0f} ms"
    )


def show(result: dict[str, Any]) -> None:
    """The table of a result of ``measure``, and the profile of each miss."""
    rows = []
    for one in result["rates"]:
        target, latency, per_second = one["cpu_target"], one["latency_ms"], one["per_second"]
        rows.append(
            (
                f"{one['rate']:,}",
                f"{one['cpu_share']['worker']:.1%}",
                "-" if target is None else f"{target:.0%}",
                f"{latency['p50'] or 0:.0f}",
                f"{latency['p99'] or 0:.0f}",
                one["triggers"],
                f"{one['cpu_share']['redis']:.1%}",
                f"{one['cpu_share']['broker']:.1%}",
                per_second["cycles"],
                per_second["transactions"],
                one["mean_ms"]["publish"],
            )
        )
    columns = (
        "events/s", "worker", "target", "p50 ms", "p99 ms", "triggers", "Redis", "broker",
        "cycles/s", "transactions/s", "ms each",
    )  # fmt: skip
    title = (
        f"Paced: share of a core and latency of triggers, {result['seconds']:g} s each, "
        f"P = {result['partitions']} ({result['data']})"
    )
    report.table(title, columns, rows)
    report.console.print(
        f"targets of latency: p50 {P50_TARGET_MS:g} ms, p99 {P99_TARGET_MS:g} ms; "
        f"all: {'met' if result['met'] else 'MISSED'}"
    )
    for one in result["rates"]:
        if one["missed"]:
            report.console.print(f"{one['rate']}/s missed: {'; '.join(one['missed'])}")
        if "profile" in one:
            report.console.print(f"mean ms of a stage at {one['rate']}/s:", one["mean_ms"])
            report.console.print_json(data=one["profile"])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those that `python -m tests.benchmarks` shares."""
    parser.add_argument(
        "--rates",
        type=lambda text: [int(rate) for rate in text.split(",")],
        default=list(CPU_TARGETS),
        help="events a second, comma-separated",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="measured at each rate")
    parser.add_argument(
        "--warm", type=float, default=WARM_SECONDS, help="seconds of load before, at each rate"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--data", help="a Taobao file, or simulated")
    parser.add_argument("--profile", action="store_true", help="also where targets are met")
    parser.add_argument("--json", metavar="FILE", help='"-": standard output')
    options = parser.parse_args()
    result = measure(
        workload(options.data), options.rates, options.seconds, options.warm, options.profile
    )
    show(result)
    report.write(result, options.json)
    return 0 if result["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
