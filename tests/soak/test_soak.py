"""The soak's own arithmetic, and a short one: a leak is told from a step."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.soak.chart import draw
from tests.soak.samples import Sample, trend

SAMPLE = Sample(0.0, 100_000, 30, 60, 1.0, 9_000, 12_000, 0, 0, 0)


def memory(*kilobytes: float) -> list[Sample]:
    """A sample every five seconds."""
    return [
        replace(SAMPLE, seconds=5.0 * number, worker_rss_kb=int(held))
        for number, held in enumerate(kilobytes)
    ]


def slope(samples: list[Sample]) -> float:
    return trend(samples, lambda sample: sample.worker_rss_kb).per_minute


def test_what_grows_while_it_warms_up_does_not_count() -> None:
    assert slope(memory(*range(0, 100_000, 1_000), *[100_000] * 300)) == 0


def test_a_step_is_no_slope() -> None:
    assert slope(memory(*[100_000] * 200, *[120_000] * 160)) == 0


def test_a_leak_is_found_among_noise() -> None:
    """300 KB a minute in 5 s steps, and a sawtooth of a megabyte over it."""
    leaking = [100_000 + number * 25 + number * 7 % 41 * 25 for number in range(360)]
    assert slope(memory(*leaking)) == pytest.approx(300, rel=0.1)


def test_the_plot_shows_every_chart(tmp_path: Path) -> None:
    samples = memory(*range(100_000, 100_100))
    draw(samples, trend(samples, lambda sample: sample.worker_rss_kb), tmp_path / "soak.svg")
    text = (tmp_path / "soak.svg").read_text(encoding="utf-8")
    for title in ("Worker: resident memory", "Redis: used memory", "Lag", "Events processed"):
        assert title in text


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_short_soak(tmp_path: Path) -> None:
    """Whether memory is flat shows in half an hour only; here, that a soak runs to its end."""
    plot = tmp_path / "soak.svg"
    command = [sys.executable, "-m", "tests.soak", "--minutes", "0.3", "--rate", "200"]
    command += ["--slope", "1e9", "--every", "2", "--out", str(plot)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lag=0" in done.stdout.splitlines()[-1]
    assert plot.exists()
    lines = plot.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 5
    assert int(lines[-1].split(",")[-2]) > 1_000
