"""What folding an event costs, of all customer topics, and how much that is of what it cost at first.

python -m tests.benchmarks.fold --json fold.json

The first domain is that of the commit FIRST of this repository: clicks, carts, orders and reviews, before
anything else was kept of a customer. It is taken from the history and run beside today's, one after the
other, on one load of those four topics; today's also on the same load with service cases, wishes and
profiles among it. Without the history there is nothing to compare with, and the result says so. Exit code 1:
the target is missed.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from producers.simulator import Mischief, Simulator
from producers.source import Record
from schemas.catalogue import PROFILES, SERVICE, WISHES
from tests.benchmarks import report

#: Fold and decide as they were before service cases, wishes, profiles and worth.
FIRST: Final = "5b9f882fb21a2fd526a1a4095345a2776fc9ed4f"
#: How many times the first domain's fold today's may cost, of all topics.
TARGET: Final = 2.0
EVENTS: Final = 40_000
#: Between two events of the newer topics there are so many of the first four.
_EVERY: Final = 5
_CUSTOMERS: Final = 400
_SEED: Final = 649
_START: Final = datetime(2026, 6, 1, tzinfo=UTC)
_ROOT: Final = Path(__file__).parents[2]
#: In their turn: type, topic and data.
_NEWER: Final = (
    (SERVICE, "shop.service.v1", {"action": "inquiry", "case_id": "k{n}", "topic": "size"}),
    (WISHES, "shop.wish.v1", {"action": "made", "wish_id": "w{n}", "sku": "s1", "attributes": {"size": "M"}}),
    (PROFILES, "shop.profile.v1", {"action": "updated", "age_band": "25-34", "tags": ["kids"]}),
    (SERVICE, "shop.service.v1", {"action": "replied", "case_id": "k{n}"}),
    (WISHES, "shop.wish.v1", {"action": "liked", "wish_id": "w{n}", "liker_id": "c{n}"}),
    (PROFILES, "shop.profile.v1", {"action": "consent", "consent": {"sms": True}}),
    (SERVICE, "shop.service.v1", {"action": "resolved", "case_id": "k{n}"}),
    (WISHES, "shop.wish.v1", {"action": "commented", "wish_id": "w{n}"}),
)  # fmt: skip


def measure(events: int, repetitions: int, rounds: int = 3) -> dict[str, Any]:
    """Medians over ``repetitions``, each the least of ``rounds``; ``events`` of the first four topics."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first, every = folder / "first.jsonl", folder / "every.jsonl"
        told = list(_first(events))
        mixed = mixed_load(events)
        for path, records in ((first, told), (every, mixed)):
            path.write_text("\n".join(map(_line, records)), encoding="utf-8")
        tree, why = _first_domain(folder / "tree")
        runs: dict[str, list[dict[str, float]]] = {"first four topics": [], "all topics": []}
        if tree is not None:
            runs = {"first domain": [], **runs}
        for number in range(repetitions):
            report.say(f"fold, repetition {number + 1} of {repetitions}")
            if tree is not None:
                runs["first domain"].append(_run(tree, first, rounds))
            runs["first four topics"].append(_run(_ROOT, first, rounds))
            runs["all topics"].append(_run(_ROOT, every, rounds))
    costs = {who: report.middle(run["fold_us"] for run in each) for who, each in runs.items()}
    ratio = costs["all topics"] / costs["first domain"] if tree is not None else None
    return {
        "events_by_topic": dict(Counter(record.topic for record in mixed)),
        "fold_us_per_event": costs,
        "state_us": {
            who: report.middle(run["state_us"] for run in each) for who, each in runs.items()
        },
        "times_the_first_domain": ratio,
        "why_unknown": why,
        "target": TARGET,
        "met": None if ratio is None else ratio <= TARGET,
    }


def show(result: dict[str, Any]) -> None:
    """The table of a result of ``measure``."""
    rows = [
        (who, cost, result["state_us"][who]) for who, cost in result["fold_us_per_event"].items()
    ]
    columns = ("", "fold us an event", "read and write a state, us")
    report.table("Fold: CPU of one core", columns, rows)
    ratio = result["times_the_first_domain"]
    if ratio is None:
        report.console.print(f"times the first domain: not known: {result['why_unknown']}")
        return
    verdict = "met" if result["met"] else "MISSED"
    report.console.print(
        f"all topics: {ratio:.2f} times the first domain; target: at most {TARGET:g} times: {verdict}"
    )


def mixed_load(events: int) -> list[Record]:
    """``events`` of the first four topics, and after every few of them one of the newer ones."""
    return list(_mixed(list(_first(events))))


def _first(events: int) -> Iterator[Record]:
    """Simulated customers' clicks, carts, orders and reviews, with nothing wrong in them."""
    simulator = Simulator(
        _SEED, _CUSTOMERS, int(_START.timestamp() * 1000), by_hour=False,
        mischief=Mischief(duplicates=0.0, late=0.0, malformed=0.0),
    )  # fmt: skip
    return islice(simulator.records(), events)


def _mixed(records: list[Record]) -> Iterator[Record]:
    """The same, and after every so many one of the newer topics, of the same customer and moment."""
    for number, record in enumerate(records):
        yield record
        if number % _EVERY:
            continue
        turn = number // _EVERY
        topic, kind, data = _NEWER[turn % len(_NEWER)]
        said = json.loads(record.value or b"")
        # Cases and wishes go on: their three events find each other where they are of one customer.
        own = json.dumps(data).replace("{n}", str(turn % 7))
        event = {
            "specversion": "1.0", "type": kind, "source": "bench", "id": f"n{number}",
            "subject": said["subject"], "time": said["time"],
            "data": {"shop_id": said["data"]["shop_id"], **json.loads(own)},
        }  # fmt: skip
        yield record._replace(topic=topic, value=json.dumps(event).encode())


def _line(record: Record) -> str:
    return json.dumps([record.topic, (record.key or b"").decode(), (record.value or b"").decode()])


def _first_domain(folder: Path) -> tuple[Path | None, str | None]:
    """The tree of the commit FIRST, laid into ``folder``; or why it is not to be had."""
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), "archive", FIRST, "schemas", "streams"],
            capture_output=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return None, "git is not installed"
    if done.returncode:
        return None, f"git has no commit {FIRST[:7]} here: {done.stderr.decode().strip()}"
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder, None


def _run(tree: Path, load: Path, rounds: int) -> dict[str, float]:
    script = Path(__file__).with_name("fold_run.py")
    done = subprocess.run(
        [sys.executable, "-P", str(script), str(load), str(rounds)],
        env={**os.environ, "PYTHONPATH": str(tree)}, cwd=tree, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"folding with {tree} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    # An installed huitou must not have come before it.
    if not Path(found.pop("ran")).is_relative_to(tree):
        raise SystemExit(f"{tree} was not what ran")
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those that `python -m tests.benchmarks` shares."""
    parser.add_argument(
        "--fold-events",
        type=int,
        default=EVENTS,
        help="of the first four topics, to the fold alone",
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--repetitions", type=int, default=3, help="of each, interleaved")
    parser.add_argument("--json", metavar="FILE", help='"-": standard output')
    options = parser.parse_args()
    result = measure(options.fold_events, options.repetitions)
    show(result)
    report.write(result, options.json)
    return 0 if result["met"] in (True, None) else 1


if __name__ == "__main__":
    sys.exit(main())
