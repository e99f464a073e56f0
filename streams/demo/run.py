"""The demo from its first second to its last: stack, topics, workers, events, proof."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from producers.cluster import Cluster
from producers.simulator.catalogue import publish_catalogue
from schemas.trigger import TriggerEvent
from streams.demo.counting import lost
from streams.demo.ground import Ground, ground
from streams.demo.latency import AppendTimes, DemoClock, Latencies
from streams.demo.moments import Scene, View
from streams.demo.playing import Playing
from streams.demo.reader import TriggerReader
from streams.demo.sources import Plan, Planner, Watched, load
from streams.demo.summary import Summary, Verified
from streams.demo.watch import Watch
from streams.demo.workers import WorkerView, worker_views
from streams.engine.log import LogReader
from streams.operations.logging import configure
from streams.settings import Settings
from streams.state.redis_store import RedisStore
from streams.supervisor import Supervisor
from streams.topics import create_topics
from streams.verify.report import Report
from streams.verify.verify import verify

#: Seconds between two looks at everything.
LOOK_SECONDS = 0.25
#: How long workers may take to be ready, and afterwards to finish what was sent, seconds.
READY_SECONDS = 60.0
SETTLE_SECONDS = 60.0
#: Of the seconds asked for, what is kept for finishing and folding again: this share, or more.
CHECK_SHARE = 0.12
CHECK_SECONDS = 8.0
#: However slowly all starts, events flow for this share of them.
FLOW_SHARE = 0.6


class DemoError(Exception):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True)
class Options:
    """``seconds``: about how long all of it may take, None: until told to stop."""

    data: str
    seconds: float | None
    workers: int
    port_base: int | None


@dataclass(frozen=True)
class Outcome:
    """``examples``: a coupon of each campaign. ``report`` names what did not agree."""

    summary: Summary
    examples: Sequence[TriggerEvent]
    report: Report


def run(options: Options, view: View, stop: threading.Event) -> Outcome:
    """Runs all of it; ``stop`` ends the events early, and the rest follows in order.

    Blocks. Raises DataError, DemoError, LocalStackError and what the servers' clients raise.
    """
    began = time.monotonic()
    planner = load(options.data)
    view.phase("Starting Kafka and Redis")
    with (
        ground(options.workers, options.port_base) as place,
        (place.logs / "demo.log").open("a", encoding="utf-8") as log,
    ):
        # Where a client library's warnings do not tear the view apart.
        configure(json=True, stream=log)
        return _play(options, planner, place, view, stop, began)


def _play(
    options: Options,
    planner: Planner,
    place: Ground,
    view: View,
    stop: threading.Event,
    began: float,
) -> Outcome:
    settings = place.settings
    view.phase("Creating the topics")
    if differences := create_topics(settings).differences:
        raise DemoError("; ".join(str(difference) for difference in differences))
    view.phase(f"Starting {_counted(options.workers, 'worker')}")
    heard: deque[str] = deque(maxlen=1)

    def hear(words: str) -> None:
        heard.append(words)
        view.note(words)

    supervisor = Supervisor(
        options.workers,
        place.environment(),
        metrics_port=place.metrics_port,
        log_folder=place.logs,
        say=hear,
    )
    workers = worker_views(place.logs, options.workers)
    cluster = Cluster(settings.kafka_bootstrap, settings.topic_prefix)
    store = RedisStore(settings.redis_url, settings.redis_prefix)
    with closing(store):
        with supervisor:
            _wait_ready(workers, stop, heard)
            flow = _flow_seconds(options.seconds, began)
            plan = planner(flow)
            if plan.shop is not None:
                publish_catalogue(cluster, plan.shop, plan.feed.start_ms)
            feed = Watched(plan.feed)
            clock = DemoClock(
                cluster,
                start_ms=feed.start_ms,
                until_ms=feed.until_ms,
                rate=plan.factor,
                lateness_ms=int(settings.lateness * 1000),
            )
            appended = AppendTimes()
            latencies = Latencies(appended, clock.said)
            source = Playing(cluster, feed, clock, appended, plan.seconds, stop)
            reader = TriggerReader(settings, latencies.add)
            watch = Watch(
                store, settings.partitions, feed, source, reader, latencies, supervisor, workers
            )
            reader.start()
            try:
                view.begin(
                    Scene(words=plan.words, place=place.place, factor=plan.factor, seconds=flow)
                )
                seconds = _follow(source, watch, view, stop)
                _settle(settings, watch, view)
            finally:
                reader.stop()
        view.phase("Folding the log again, to compare")
        report = verify(settings)
        summary = _summary(watch, source, latencies, supervisor, report, plan)
    summary.seconds_of_events = round(seconds, 1)
    summary.events_per_second = round(summary.events_published / max(seconds, 0.001), 1)
    summary.seconds = round(time.monotonic() - began, 1)
    return Outcome(summary, list(reader.first.values()), report)


def _wait_ready(workers: Sequence[WorkerView], stop: threading.Event, heard: Sequence[str]) -> None:
    """``heard``: the last that was said of a worker."""
    deadline = time.monotonic() + READY_SECONDS
    while not all(worker.ready() for worker in workers):
        if time.monotonic() > deadline:
            last = f": {heard[-1]}" if heard else ""
            raise DemoError(f"the workers were not ready within {READY_SECONDS:g} s{last}")
        if stop.wait(LOOK_SECONDS):
            raise DemoError("ended before the first event")


def _flow_seconds(seconds: float | None, began: float) -> float | None:
    """How long events may flow, so that all of it takes about ``seconds``."""
    if seconds is None:
        return None
    spent = time.monotonic() - began
    left = seconds - spent - max(CHECK_SECONDS, CHECK_SHARE * seconds)
    return max(FLOW_SHARE * seconds, left)


def _follow(source: Playing, watch: Watch, view: View, stop: threading.Event) -> float:
    """Shows the events flow until they end; returns for how many seconds they did."""
    watch.began = time.monotonic()
    source.start()
    try:
        while source.running:
            view.show(watch.look())
            view.phase(
                "Sending the last events" if stop.is_set() else "Events flow; Ctrl-C ends them"
            )
            stop.wait(LOOK_SECONDS)
    except BaseException:
        stop.set()
        source.join()
        raise
    return time.monotonic() - watch.began


def _settle(settings: Settings, watch: Watch, view: View) -> None:
    """Waits until the workers have done all that the events ask for, or that takes too long."""
    deadline = time.monotonic() + SETTLE_SECONDS
    pause = threading.Event()
    with LogReader(settings.kafka_bootstrap) as log:
        while time.monotonic() < deadline:
            moment = watch.look()
            view.show(moment)
            waits = watch.waiting_for(moment, log)
            if waits is None:
                return
            view.phase(f"Waiting for {waits}")
            pause.wait(LOOK_SECONDS)
    view.note(f"not finished within {SETTLE_SECONDS:g} s: waiting for {waits}")


def _summary(
    watch: Watch,
    source: Playing,
    latencies: Latencies,
    supervisor: Supervisor,
    report: Report,
    plan: Plan,
) -> Summary:
    found = watch.count()
    short = lost(source.delivered, found)
    total = report.total
    latency = latencies.percentiles() or {}
    return Summary(
        events_published=len(source.delivered),
        events_applied=found.applied,
        duplicates=found.duplicates,
        dead_letters=found.dead_letters,
        triggers=watch.by_campaign(),
        trigger_latency_ms={name: _rounded(latency.get(name)) for name in ("p50", "p99")},
        lost=sum(short.values()),
        lost_in={f"{topic}[{number}]": count for (topic, number), count in short.items()},
        verify=Verified(total.compared, total.missing, total.extra, total.different),
        recoveries=watch.recoveries(),
        restarts=supervisor.restarts,
        customers=report.states.compared,
        data=plan.words,
        factor=plan.factor,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
