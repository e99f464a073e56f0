"""All benchmarks, one after the other: `make bench`. Exit code 1 when a target is missed.

python -m tests.benchmarks --json bench.json
"""

import argparse
import sys

from tests.benchmarks import backlog, fold, listening, paced, report
from tests.benchmarks.workload import workload


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    backlog.add_arguments(parser)
    paced.add_arguments(parser)
    fold.add_arguments(parser)
    parser.add_argument("--data", help="a Taobao file, or simulated")
    parser.add_argument("--profile", action="store_true", help="also where targets are met")
    parser.add_argument("--json", metavar="FILE", help='"-": standard output')
    options = parser.parse_args()
    folded = fold.measure(options.fold_events, options.repetitions)
    fold.show(folded)
    heard = listening.measure(options.fold_events, options.repetitions)
    listening.show(heard)
    load = workload(options.data)
    first = backlog.measure(
        load, options.events, options.stock_events, options.repetitions, options.profile
    )
    backlog.show(first)
    second = paced.measure(load, options.rates, options.seconds, options.warm, options.profile)
    paced.show(second)
    report.write(
        {"fold": folded, "listening": heard, "backlog": first, "paced": second}, options.json
    )
    met = all(each["met"] is not False for each in (folded, heard, first)) and second["met"]
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
