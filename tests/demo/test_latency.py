"""Latencies run from the broker's timestamp of an event, or from the moment a timer could fire."""

import pytest

from schemas.trigger import EventCause, TimerCause
from streams.demo.latency import AppendTimes, Latencies, SaidTimes, percentile


def said(rate: float, *ticks: tuple[int, int]) -> SaidTimes:
    times = SaidTimes(rate, lateness_ms=5_000)
    for time_ms, wall_ms in ticks:
        times.add(time_ms, wall_ms)
    return times


def test_an_event_counts_from_its_append_time() -> None:
    appended = AppendTimes()
    for offset, time_ms in ((7, 1_000), (8, 1_200), (9, 1_300)):
        appended.add("clicks", 0, offset, time_ms)
    latencies = Latencies(appended, said(1.0))
    latencies.add(EventCause("clicks", 0, 8), 1_250)
    assert latencies.percentiles() == {"p50": 50, "p99": 50}


def test_a_trigger_read_before_its_events_report_waits_for_it() -> None:
    appended = AppendTimes()
    latencies = Latencies(appended, said(1.0))
    latencies.add(EventCause("clicks", 0, 8), 1_250)
    assert latencies.percentiles() is None
    appended.add("clicks", 0, 8, 1_000)
    assert latencies.percentiles() == {"p50": 250, "p99": 250}


@pytest.mark.parametrize(
    ("due", "wall"),
    [
        (95_000, 500),  # with the lateness exactly at the tick
        (94_000, 400),  # a second earlier at ten times the speed: 100 ms before the tick
        (95_001, 590),  # just after it: 9.999 s before the second tick, of which it is 0.9999 s
        (105_001, None),  # no tick has passed it
    ],
)
def test_a_timer_counts_from_when_the_clock_passed_it(due: int, wall: int | None) -> None:
    times = said(10.0, (100_000, 500), (101_000, 690), (110_000, 1_590))
    assert times.passed(due) == wall


def test_a_clock_without_a_rate_passes_what_is_due_at_its_ticks() -> None:
    times = said(0.0, (100_000, 500), (200_000, 600))
    assert times.passed(100_000) == 600


def test_timers_latencies_use_the_ruling_clock() -> None:
    latencies = Latencies(AppendTimes(), said(10.0, (100_000, 500)))
    latencies.add(TimerCause("abandoned-cart", 94_000), 470)
    assert latencies.percentiles() == {"p50": 70, "p99": 70}


def test_percentiles_are_values_that_occurred() -> None:
    ordered = [float(value) for value in range(1, 101)]
    assert (percentile(ordered, 0.5), percentile(ordered, 0.99)) == (50.0, 99.0)
    assert percentile([3.0], 0.99) == 3.0
