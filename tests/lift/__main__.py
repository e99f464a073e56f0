"""How often what is said of a lift is true, over made-up shops; exit code 1 where it is not often enough.

python -m tests.lift --seeds 1000               # the tables of docs/lift.md
python -m tests.lift --seeds 200 --each         # every scenario by itself
python -m tests.lift --seeds 1000 --candidates  # textbooks' intervals beside the chosen one
python -m tests.lift --seeds 1000 --json        # for machines

Coverage is of one look at the horizon. "any look" is how many campaigns were shown an interval that missed
the truth at one daily look or more, with the interval that is made for that; "peeking" is the same with the
interval for one look, which is not.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable

from streams.campaigns.measure.arm import METRICS, Metric
from tests.lift.looking import Scenario, Tally, look_at_candidates, look_daily
from tests.lift.population import EFFECTS, NONE, POPULATIONS

#: What a coverage must be between, and a false alarm at most: percent.
COVERAGE = (93.5, 96.5)
ALARMS = 5.0
KINDS = ("absolute", "relative")
#: A holdout and the customers a day who come with it: shops of three sizes.
SPLITS = ((0.05, 4_000), (0.1, 2_000), (0.5, 500))
HORIZONS = (14, 56)
SCENARIOS = tuple(
    Scenario(population, effect, share, per_day, HORIZONS)
    for population in POPULATIONS
    for share, per_day in SPLITS
    for effect in EFFECTS
)
_CHUNK = 100


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lift",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=1_000, help="campaigns of each scenario")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--each", action="store_true", help="every scenario by itself")
    parser.add_argument("--candidates", action="store_true", help="compare intervals instead")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    seeds = range(options.first, options.first + options.seeds)
    if options.candidates:
        _print_candidates(seeds, options.processes)
        return 0
    tallies = measured(SCENARIOS, seeds, options.processes)
    if options.json:
        print(json.dumps([_as_json(tally) for tally in tallies], indent=2))
    else:
        _print_tables(tallies, options.each)
        print(
            f"\nseeds {seeds[0]} to {seeds[-1]} of {len(SCENARIOS)} scenarios, "
            f"{time.monotonic() - began:.0f} s"
        )
    found = wrong(tallies)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


def measured(scenarios: Iterable[Scenario], seeds: range, processes: int) -> list[Tally]:
    """One tally a scenario, in their order."""
    tallies = [Tally(scenario) for scenario in scenarios]
    jobs = [
        (number, tally.scenario, seeds[at : at + _CHUNK])
        for number, tally in enumerate(tallies)
        for at in range(0, len(seeds), _CHUNK)
    ]
    with multiprocessing.Pool(processes) as pool:
        for done, (number, tally) in enumerate(pool.imap_unordered(_job, jobs), 1):
            tallies[number].add(tally)
            if done % 20 == 0:
                print(f"{done} of {len(jobs)} parts", file=sys.stderr)
    return tallies


def wrong(tallies: list[Tally]) -> list[str]:
    """What is not as it must be, over all shops of an effect and a horizon: their seeds together leave chance
    little room, which those of one scenario do not (of a thousand, 0.7 percent either way)."""
    found = []
    for name, of_effect in _grouped(tallies, lambda tally: tally.scenario.effect.name).items():
        for metric in METRICS:
            for kind in KINDS:
                for horizon in HORIZONS:
                    coverage = 100 * of_effect.coverage(metric, kind, horizon)
                    if not COVERAGE[0] <= coverage <= COVERAGE[1]:
                        found.append(
                            f"{name} {metric} {kind} day {horizon}: covers {coverage:.1f} %"
                        )
    for tally in tallies:
        for metric in METRICS:
            alarms = 100 * tally.missed[metric, "absolute"] / tally.seeds
            if tally.scenario.effect == NONE and alarms > ALARMS:
                found.append(f"{_named(tally)} {metric}: false alarms in {alarms:.1f} %")
    return found


def _print_tables(tallies: list[Tally], each: bool) -> None:
    by_effect = _grouped(tallies, lambda tally: tally.scenario.effect.name)
    _print_one("effect", by_effect)
    groups = _grouped(tallies, lambda tally: f"{tally.scenario.population.name}, {_split(tally)}")
    print()
    _print_one("shop, holdout", groups)
    if each:
        print()
        _print_one("scenario", {_named(tally): tally for tally in tallies})
    none = _grouped(
        [tally for tally in tallies if tally.scenario.effect == NONE],
        lambda tally: f"{tally.scenario.population.name}, {_split(tally)}",
    )
    print(f"\nno effect, looked at on each of {max(HORIZONS)} days")
    print(f"{'shop, holdout':28}{'metric':12}{'any look':>9}{'peeking':>9}{'mismatch':>10}")
    for name, tally in none.items():
        for metric in METRICS:
            print(
                f"{name:28}{metric:12}{_share(tally, tally.missed[metric, 'absolute'])}"
                f"{_share(tally, tally.peeked[metric, 'absolute'])}"
                f"{_share(tally, tally.mismatches, 10)}"
            )


def _print_one(title: str, groups: dict[str, Tally]) -> None:
    days = "".join(f"{f'day {horizon}':>9}{'shown':>9}" for horizon in HORIZONS)
    print(f"{title:28}{'metric':12}{'lift':10}{days}{'any look':>10}")
    for name, tally in groups.items():
        for metric in METRICS:
            for kind in KINDS:
                print(f"{name:28}{metric:12}{kind:10}{_cells(tally, metric, kind)}")


def _cells(tally: Tally, metric: Metric, kind: str) -> str:
    line = ""
    for horizon in HORIZONS:
        shown = tally.shown[metric, kind, horizon]
        covered = f"{100 * tally.coverage(metric, kind, horizon):8.1f}%" if shown else f"{'-':>9}"
        line += f"{covered}{_share(tally, shown)}"
    return line + _share(tally, tally.missed[metric, kind], 10)


def _share(tally: Tally, count: int, width: int = 9) -> str:
    return f"{100 * count / tally.seeds:{width - 1}.1f}%"


def _split(tally: Tally) -> str:
    return f"{tally.scenario.share:.0%}"


def _named(tally: Tally) -> str:
    scenario = tally.scenario
    return f"{scenario.population.name} {_split(tally)} {scenario.effect.name}"


def _grouped(tallies: list[Tally], name: Callable[[Tally], str]) -> dict[str, Tally]:
    groups: dict[str, Tally] = {}
    for tally in tallies:
        groups.setdefault(name(tally), Tally(tally.scenario)).add(tally)
    return groups


def _as_json(tally: Tally) -> dict[str, object]:
    lifts = [
        {
            "metric": metric,
            "lift": kind,
            "horizons": {
                str(horizon): {
                    "shown": tally.shown[metric, kind, horizon],
                    "covered": tally.covered[metric, kind, horizon],
                }
                for horizon in HORIZONS
            },
            "missed_at_any_look": tally.missed[metric, kind],
            "missed_by_peeking": tally.peeked[metric, kind],
        }
        for metric in METRICS
        for kind in KINDS
    ]
    return {
        "population": tally.scenario.population.name,
        "effect": tally.scenario.effect.name,
        "holdout": tally.scenario.share,
        "seeds": tally.seeds,
        "mismatches": tally.mismatches,
        "lifts": lifts,
    }


def _print_candidates(seeds: range, processes: int) -> None:
    with multiprocessing.Pool(processes) as pool:
        tables = pool.starmap(look_at_candidates, [(each, seeds) for each in SCENARIOS])
    print(f"coverage of net revenue on day {max(HORIZONS)}, {len(seeds)} seeds a scenario")
    columns = list(tables[0])
    print(f"{'scenario':28}" + "".join(f"{name:>26}" for name in columns))
    for scenario, table in zip(SCENARIOS, tables, strict=True):
        print(
            f"{_named(Tally(scenario)):28}"
            + "".join(f"{100 * table[name]:25.1f}%" for name in columns)
        )


def _job(job: tuple[int, Scenario, range]) -> tuple[int, Tally]:
    number, scenario, seeds = job
    return number, look_daily(scenario, seeds)


if __name__ == "__main__":
    sys.exit(main())
