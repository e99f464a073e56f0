"""The plot of a soak: memory and lag over time, as one SVG."""

from collections.abc import Callable, Sequence
from pathlib import Path

import leather

from tests.soak.samples import Sample, Trend, after_warm_up

WIDTH, HEIGHT = 1_100, 800
_FONT = "sans-serif"


def draw(samples: Sequence[Sample], fitted: Trend, path: Path) -> None:
    """Writes ``path``; ``fitted`` is the line of the worker's resident memory, in kB."""
    for name in ("title", "legend", "axis_title", "tick"):
        setattr(leather.theme, f"{name}_font_family", _FONT)
    worker = _chart(samples, "Worker: resident memory, MB", lambda s: s.worker_rss_kb / 1024)
    first = after_warm_up(samples)[0].seconds
    ends = [(first / 60, fitted.start / 1024), (samples[-1].seconds / 60, fitted.end / 1024)]
    worker.add_line(ends, stroke_color="#e41a1c", width=1, name="fitted after warm-up")
    grid = leather.Grid()
    charts = [
        worker,
        _chart(samples, "Redis: used memory, MB", lambda s: s.redis_used_kb / 1024),
        _chart(samples, "Events processed, thousands", lambda s: s.events / 1000),
    ]
    looked = [sample for sample in samples if sample.lag is not None]
    if looked:
        charts.append(_chart(looked, "Lag: records not committed yet", lambda s: s.lag or 0))
    grid.add_many(charts)
    grid.to_svg(str(path), WIDTH, HEIGHT)


def _chart(
    samples: Sequence[Sample], title: str, value: Callable[[Sample], float]
) -> leather.Chart:
    chart = leather.Chart(title)
    points = [(sample.seconds / 60, value(sample)) for sample in samples]
    chart.add_line(points, stroke_color="#377eb8", width=1, name="measured")
    chart.add_y_scale(0, max(1, max(height for _, height in points) * 1.2))
    chart.add_x_scale(0, points[-1][0])
    chart.add_x_axis(name="minutes")
    return chart
