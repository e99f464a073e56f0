"""`make faults`: exit code 1 unless nothing was lost, doubled or changed.

python -m tests.faults --minutes 10 --seed 7 --workers 2 --json faults.json
python -m tests.faults.sum faults.json others.json
"""

import argparse
import json
import random
import sys
from pathlib import Path

from streams.local.errors import LocalStackError
from tests.faults.query_store import KINDS, StoreMissing
from tests.faults.run import Options, run
from tests.faults.schedule import WEIGHTS
from tests.faults.toxiproxy import ToxiproxyError


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=5.0, help="of faults (default 5)")
    parser.add_argument("--seed", type=int, help="of events and schedule (default: drawn)")
    parser.add_argument("--workers", type=int, default=2, choices=(2, 3, 4), help="(default 2)")
    parser.add_argument("--rate", type=float, default=900.0, help="events a second (default 900)")
    parser.add_argument("--kind", action="append", choices=list(WEIGHTS), help="only these faults")
    parser.add_argument("--store", choices=KINDS, help="that sinks fill (default: by the seed)")
    parser.add_argument("--keep", action="store_true", help="keep logs and data in any case")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures as JSON")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    kinds = frozenset(given.kind or ())
    options = Options(
        given.minutes, seed, given.workers, given.rate, kinds, given.keep, given.store
    )
    try:
        report = run(options, lambda line: print(line, flush=True))
    except (ToxiproxyError, LocalStackError, StoreMissing) as error:
        print(f"make faults: {error}", file=sys.stderr)
        return 2
    if given.json is not None:
        given.json.write_text(json.dumps(report.as_dict(), indent=2) + "\n")
    print(report.text())
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
