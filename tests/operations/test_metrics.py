"""The catalogue: names and labels as the runbooks use them, and cheap, exact instruments."""

import re

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from streams.operations.instruments import Distribution, Reading
from streams.operations.metrics import Metrics
from streams.telemetry.metric import Label, Metric
from streams.telemetry.worker import WORKER
from tests.operations.promtool import check_metrics, has_promtool

#: Name -> labels.
CATALOGUE = {metric.name: set(metric.label_names) for metric in WORKER}


@pytest.fixture
def metrics() -> Metrics:
    """Metrics with one value in every series of the catalogue."""
    filled = Metrics()
    filled.events("shop.clicks", "applied").inc(3)
    for distribution in (
        filled.event_age, filled.bundle_events, filled.heartbeat,
        filled.trigger_latency, filled.state_size,
    ):  # fmt: skip
        distribution.observe(1.5, 2)
    filled.stage("fold").observe(0.01)
    filled.watermark_lag.set({("0",): 1.0})
    filled.partitions_paused.set({("poisoned",): 1.0})
    filled.triggers("abandoned-cart", "committed").inc()
    filled.refusals("bad-review", "consent").inc()
    filled.outbox_rows.set(4)
    filled.open_transaction_age.set({("shop.orders",): 0.0})
    filled.commit_refused("seq").inc()
    filled.recoveries("current").inc()
    filled.skips("record").inc()
    filled.transactions("committed").inc()
    filled.timers_pending.set(7)
    for counters in (
        filled.cache_hits, filled.cache_misses, filled.cache_evictions,
        filled.dedupe_evicted_early, filled.bad_definitions,
    ):  # fmt: skip
        counters().inc()
    filled.consumer_lag.set({("shop.clicks", "0"): 12.0})
    filled.scrape_failures("shop_outbox_rows").inc(0)
    filled.set_build("0.1.0", 1)
    return filled


def _series(metrics: Metrics) -> dict[str, dict[str, set[str]]]:
    """Metric -> sample name -> label names."""
    series: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(metrics.exposition().decode()):
        name = family.name + ("_total" if family.type == "counter" else "")
        for sample in family.samples:
            series.setdefault(name, {}).setdefault(sample.name, set()).update(sample.labels)
    return series


def test_the_exposition_has_every_metric_of_the_catalogue_with_its_labels(metrics: Metrics) -> None:
    series = _series(metrics)
    shop = {name for name in series if name.startswith("shop_")}
    assert shop == set(CATALOGUE)
    for name, labels in CATALOGUE.items():
        for seen in series[name].values():
            assert seen - {"le"} == labels, name
    assert "process_start_time_seconds" in series


def test_no_counter_brings_a_second_series_with_it(metrics: Metrics) -> None:
    assert b"_created" not in metrics.exposition()


def test_names_end_in_base_units(metrics: Metrics) -> None:
    for name in CATALOGUE:
        assert re.fullmatch(r"shop_[a-z]+(_[a-z]+)*", name)
        assert not re.search(r"_(ms|millis|milliseconds|kb|percent)(_|$)", name)


def test_promtool_accepts_the_exposition(metrics: Metrics) -> None:
    if not has_promtool():
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    check_metrics(metrics.exposition())


def test_a_weighted_observation_equals_that_many_single_ones() -> None:
    weighted, single = CollectorRegistry(), CollectorRegistry()
    size = Metric("cart_size", "histogram", "records", "Size.", edges=(1.0, 5.0, 10.0))
    one = Distribution(weighted, size)
    many = Distribution(single, size)
    for value, count in ((0.5, 3), (5.0, 2), (7.0, 1), (11.0, 4)):
        one.observe(value, count)
        for _ in range(count):
            many.observe(value)
    for le, expected in (("1.0", 3), ("5.0", 5), ("10.0", 6), ("+Inf", 10)):
        assert weighted.get_sample_value("cart_size_bucket", {"le": le}) == expected
        assert single.get_sample_value("cart_size_bucket", {"le": le}) == expected
    assert weighted.get_sample_value("cart_size_sum") == single.get_sample_value("cart_size_sum")
    assert weighted.get_sample_value("cart_size_count") == 10


def test_an_objective_limit_is_a_bucket_edge(metrics: Metrics) -> None:
    value = metrics.registry.get_sample_value
    for name, limit in (
        ("shop_event_age_seconds", "5.0"),
        ("shop_trigger_latency_seconds", "1.0"),
        ("shop_trigger_latency_seconds", "2.5"),
    ):
        assert value(f"{name}_bucket", {"le": limit}) is not None


def test_a_reading_follows_its_source_and_loses_the_partitions_that_left() -> None:
    metrics = Metrics()
    owned = {("0",): 2.5, ("1",): 0.5}
    metrics.watermark_lag.read_from(lambda: owned)
    value = metrics.registry.get_sample_value
    assert value("shop_watermark_lag_seconds", {"partition": "1"}) == 0.5
    del owned["1",]
    assert value("shop_watermark_lag_seconds", {"partition": "1"}) is None
    assert value("shop_watermark_lag_seconds", {"partition": "0"}) == 2.5


def test_a_reading_is_not_read_until_a_scrape() -> None:
    reads: list[int] = []
    metrics = Metrics()

    def read() -> float:
        reads.append(1)
        return 0.0

    metrics.outbox_rows.read_from(read)
    assert reads == []
    metrics.exposition()
    assert reads == [1]


def test_a_reading_that_raises_costs_its_own_series_only() -> None:
    metrics = Metrics()
    metrics.outbox_rows.read_from(lambda: 1 / 0)
    metrics.timers_pending.set(3)
    text = metrics.exposition()
    assert b"shop_timers_pending 3.0" in text
    assert b"\nshop_outbox_rows " not in text
    assert b'shop_scrape_failures_total{metric="shop_outbox_rows"} 1.0' in metrics.exposition()


def test_a_reading_without_a_place_for_failures_raises() -> None:
    registry = CollectorRegistry()
    Reading(registry, Metric("cart_x", "gauge", "records", "X.")).read_from(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        registry.get_sample_value("cart_x")


def test_labels_are_resolved_once_and_checked() -> None:
    metrics = Metrics()
    assert metrics.events("shop.clicks", "applied") is metrics.events("shop.clicks", "applied")
    with pytest.raises(ValueError, match="label"):
        metrics.events("shop.clicks")
    with pytest.raises(ValueError, match="no label"):
        metrics.event_age("shop.clicks")


def test_a_distribution_has_one_label_at_most() -> None:
    labels = (Label("stage", "", ("fold",)), Label("topic", "a topic"))
    with pytest.raises(ValueError, match="one label"):
        Distribution(
            CollectorRegistry(),
            Metric("cart_size", "histogram", "records", "S.", labels, (1.0,)),
        )


def test_two_workers_in_one_process_do_not_share_numbers() -> None:
    one, other = Metrics(), Metrics()
    one.cache_hits().inc(5)
    assert other.registry.get_sample_value("shop_state_cache_hits_total") == 0
