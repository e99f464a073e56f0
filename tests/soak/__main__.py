"""A soak: exit code 1 when the worker's memory still grows after the warm-up.

python -m tests.soak --minutes 30 --out docs/soak.svg
python -m tests.soak --minutes 240 --out soak.svg --csv soak.csv
python -m tests.soak --recorded docs/soak.csv --out soak.svg    # judge and draw an earlier one
"""

import argparse
import sys
from pathlib import Path

from tests.soak.chart import draw
from tests.soak.run import Options, soak
from tests.soak.samples import read_csv, trend


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="of load (default 30)")
    parser.add_argument("--rate", type=float, default=500.0, help="events a second (default 500)")
    parser.add_argument("--customers", type=int, default=10_000, help="(default 10,000)")
    parser.add_argument(
        "--cached-states", type=int, default=16,
        help="that the worker may hold, so few that it soon does (default 16)",
    )  # fmt: skip
    parser.add_argument("--every", type=float, default=5.0, help="seconds a sample (default 5)")
    parser.add_argument(
        "--slope", type=float, default=100.0,
        help="KB a minute by which resident memory may grow after the warm-up (default 100)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="SVG", help="the plot")
    parser.add_argument("--csv", type=Path, help="the samples (default: beside the plot)")
    parser.add_argument("--recorded", type=Path, metavar="CSV", help="run nothing, read this")
    given = parser.parse_args()
    if given.recorded is None:
        samples = soak(
            Options(given.minutes, given.rate, given.customers, given.cached_states, given.every),
            given.csv or (given.out or Path("soak")).with_suffix(".csv"),
            lambda line: print(line, flush=True),
        )
    else:
        samples = read_csv(given.recorded)
    memory = trend(samples, lambda sample: sample.worker_rss_kb)
    if given.out is not None:
        draw(samples, memory, given.out)
    last = samples[-1]
    flat = memory.per_minute <= given.slope
    print(
        f"minutes={last.seconds / 60:.1f} events={last.events} triggers={last.triggers} "
        f"lag={last.lag} rss_mb={last.worker_rss_kb / 1024:.1f} "
        f"slope_kb_per_minute={memory.per_minute:.1f} most={given.slope:g} "
        f"cpu_share={last.worker_cpu_seconds / last.seconds:.3f} {'flat' if flat else 'GROWS'}"
    )
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
