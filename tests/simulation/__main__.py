"""Schedules until one goes wrong; exit code 1 then.

python -m tests.simulation --seeds 5000              # seeds 0 to 4,999
python -m tests.simulation --seed 17                 # this one only, with the traceback of its failure
python -m tests.simulation --broken "no chain hash"  # how soon is this break of the protocol found?
python -m tests.simulation --find-seeds              # a seed for each break, into seeds.json
"""

import argparse
import json
import multiprocessing
import sys
import time

from tests.simulation.run import CORES, Failed, first_that_shows, report, run, run_many
from tests.simulation.variants import AS_IT_IS, MUTATIONS, SEEDS_FILE


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=1_000, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument(
        "--broken", choices=list(MUTATIONS), metavar="NAME", help="break this first"
    )
    parser.add_argument(
        "--find-seeds", action="store_true", help="of --seeds schedules, one for each break"
    )
    options = parser.parse_args()
    if options.find_seeds:
        return find_seeds(range(options.first, options.first + options.seeds))
    variant = MUTATIONS[options.broken].variant if options.broken else AS_IT_IS
    if options.seed is not None:
        print(report(run([options.seed], variant)))
        return 0
    began = time.monotonic()
    try:
        tally = run_many(range(options.first, options.first + options.seeds), options.broken)
    except Failed as failed:
        print(failed)
        print(f"again: python -m tests.simulation --seed {failed.seed}")
        return 1
    print(report(tally))
    print(f"\n{options.seeds} schedules in {time.monotonic() - began:.0f} s, none went wrong")
    return 0


def find_seeds(candidates: range) -> int:
    """Write the first seed that shows each break as it must; exit code 1 where none does."""
    with multiprocessing.get_context("spawn").Pool(CORES) as pool:
        found = pool.starmap(first_that_shows, [(name, candidates) for name in MUTATIONS], 1)
    recorded = {name: seed for name, seed in zip(MUTATIONS, found, strict=True) if seed is not None}
    SEEDS_FILE.write_text(json.dumps(recorded, indent=2) + "\n")
    for name in MUTATIONS:
        print(f"{name}: {recorded.get(name, 'NOT FOUND')}")
    return 0 if len(recorded) == len(MUTATIONS) else 1


if __name__ == "__main__":
    sys.exit(main())
