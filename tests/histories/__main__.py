"""Folds the recorded histories and compares; exit code 1 where something else comes out.

python -m tests.histories             # compare, and show where they differ
python -m tests.histories --record    # write what comes out now; look at it with: git diff
python -m tests.histories --events    # make the events anew too
"""

import argparse
import sys

from tests.histories import recording
from tests.histories.differing import differences
from tests.histories.folding import events_path, fold_history, names, outcome_path, read_events


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="write the outcomes")
    parser.add_argument("--events", action="store_true", help="write events and outcomes")
    given = parser.parse_args()
    if given.events:
        for name in (*recording.HISTORIES, recording.CONTACT):
            recording.write(recording.make(name), events_path(name))
    differing = 0
    for name in names():
        outcome = fold_history(read_events(events_path(name)))
        path = outcome_path(name)
        recorded = path.read_text(encoding="utf-8") if path.exists() else ""
        if outcome == recorded:
            print(f"{name}: as recorded")
            continue
        differing += 1
        print(f"{name}: " + "\n".join(differences(recorded, outcome)))
        if given.record or given.events:
            path.write_text(outcome, encoding="utf-8")
            print(f"{path}: written; review it with git diff")
    return 1 if differing and not (given.record or given.events) else 0


if __name__ == "__main__":
    sys.exit(main())
