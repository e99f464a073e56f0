"""python -m tests.simulation [--seeds 5000] [--first 0] [--seed N]: schedules until one goes wrong."""

import argparse
import sys
import time

from tests.simulation.run import Failed, report, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one only, with the traceback of its failure")
    options = parser.parse_args()
    if options.seed is not None:
        print(report(run([options.seed])))
        return 0
    began = time.monotonic()
    try:
        tally = run(range(options.first, options.first + options.seeds))
    except Failed as failed:
        print(failed)
        print(f"again: python -m tests.simulation --seed {failed.seed}")
        return 1
    print(report(tally))
    print(f"\n{options.seeds} schedules in {time.monotonic() - began:.0f} s, none went wrong")
    return 0


if __name__ == "__main__":
    sys.exit(main())
