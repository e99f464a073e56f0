"""What a real worker serves after a day's work: every metric has a value, and probes are content."""

import re
import urllib.request
from pathlib import Path

from streams.settings import Settings
from streams.telemetry.worker import STAGES
from streams.topics import create_topics
from tests.contract.versions import write
from tests.engine.harness import Bench, WorkerProcess
from tests.engine.scenario import ShopDay
from tests.operations.promtool import check_metrics, has_promtool
from tests.operations.test_metrics import CATALOGUE
from tests.telemetry.exposed import unlike_catalogue
from tests.waiting import wait_for

#: Those that count what did not happen on this day.
SILENT = {"shop_commit_refused_total", "shop_scrape_failures_total", "shop_skips_total"}


def get(worker: WorkerProcess, path: str) -> bytes:
    port = worker.wait_for_log("worker starts")["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        body: bytes = answer.read()
    return body


def names_of(series: dict[str, float]) -> set[str]:
    return {re.sub(r"_(bucket|sum|count)(\{.*)?$|\{.*", "", name) for name in series}


def whole(series: dict[str, float], day: ShopDay) -> dict[str, float] | None:
    """The series once each metric that must have a value has one and the last trigger is counted."""
    counted = series.get("shop_trigger_latency_seconds_count", 0) >= len(day.expected)
    return series if counted and set(CATALOGUE) - SILENT <= names_of(series) else None


def test_every_metric_has_a_value_on_a_worker(settings: Settings, tmp_path: Path) -> None:
    create_topics(settings)
    write(settings, f"{settings.topic_prefix}shop.settings", (b"tea", b"no definition"))
    bench = Bench(settings)
    worker = WorkerProcess(settings, tmp_path / "log")
    try:
        worker.wait_recovered()
        day = ShopDay(bench, customers=20, withdrawing=5)
        day.withdraw()
        bench.wait_processed()
        day.morning()
        day.evening()
        bench.wait_processed()
        wait_for(lambda: len(bench.triggers()) == len(day.expected), 60, "every trigger")
        # Gauges are looked at once a second or five, and what is published is counted a moment later.
        series = wait_for(lambda: whole(worker.metrics(), day), message="all gauges and counts")
        assert set(CATALOGUE) - names_of(series) == SILENT
        for name, value in series.items():
            if re.match(
                r"shop_(event_age|bundle_events|heartbeat|trigger_latency|state).*_count", name
            ):
                assert value > 0, name
        assert series["shop_bad_definitions_total"] == 1
        assert series["shop_event_age_seconds_count"] == sum(bench.published.values())
        for stage in STAGES:
            assert series[f'shop_stage_seconds_sum{{stage="{stage}"}}'] > 0, stage
        assert series["shop_trigger_latency_seconds_count"] == len(day.expected)
        # Word for word: a prefix or a digest in hexadecimal may well hold the same letters.
        named = [name for name in series if re.search(r"\bc0\d\d\b", name)]
        assert not named, "a label names a customer"
        assert get(worker, "/livez").startswith(b'{"ok":true')
        wait_for(lambda: worker.ready()[0] == 200, message="the worker to be ready")
        assert unlike_catalogue("worker", get(worker, "/metrics").decode()) == []
        if has_promtool():
            check_metrics(get(worker, "/metrics"))
        assert worker.stop() == 0
    finally:
        worker.kill()
