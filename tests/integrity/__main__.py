"""How well brushed orders and bought likes are found, by kind, over seeded shops; exit code 1 below 0.95.

python -m tests.integrity --seeds 20            # seeds 0 to 19: the figures in docs/integrity.md
python -m tests.integrity --seeds 5 --first 40  # others
python -m tests.integrity --json                # for machines

Brushing is of about --orders orders a shop, likes of about --likes; the hired crowd is measured beside
the 2 % and is in no sum.
"""

import argparse
import json
import sys
import time

from tests.integrity.measure import (
    LIKES,
    ORDERS,
    Measured,
    as_json,
    as_table,
    measure_brushing,
    measure_likes,
)

WANTED = 0.95


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.integrity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=20, help="how many shops of each sort")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--orders", type=int, default=ORDERS)
    parser.add_argument("--likes", type=int, default=LIKES)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    began = time.monotonic()
    measured: dict[str, Measured] = {}
    for name, measure, size in (
        ("orders", measure_brushing, options.orders),
        ("likes", measure_likes, options.likes),
    ):
        print(f"{name}: {len(seeds)} shops", file=sys.stderr)
        measured[name] = measure(seeds, size, options.processes)
    if options.json:
        print(json.dumps({name: as_json(each) for name, each in measured.items()}, indent=2))
    else:
        for name, each in measured.items():
            print(as_table(name, each) + "\n")
        print(f"seeds {seeds[0]} to {seeds[-1]}, {time.monotonic() - began:.0f} s")
    low = [each for each in measured.values() if min(each.precision, each.recall) < WANTED]
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
