"""Many schedules, and what they have hit."""

import contextlib
import multiprocessing
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

import structlog

from tests.simulation.schedule import Schedule
from tests.simulation.tally import CASES, POINTS, REQUESTS, SKIPS, TAKEOVERS, Tally
from tests.simulation.variants import AS_IT_IS, MUTATIONS, Variant

CORES = os.cpu_count() or 1


class Failed(AssertionError):
    """A schedule has shown something that must not be; run it again by its seed."""

    def __init__(self, seed: int, what: str) -> None:
        super().__init__(seed, what)
        self.seed = seed

    def __str__(self) -> str:
        return "seed {}: {}".format(*self.args)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Workers that are made to fail log much; nobody reads it here."""
    held = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(50),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.configure(**held)


def run(seeds: Iterable[int], variant: Variant = AS_IT_IS) -> Tally:
    """Runs one schedule a seed; raises Failed at the first that goes wrong."""
    tally = Tally()
    with quiet():
        for seed in seeds:
            try:
                Schedule(seed, tally, variant).run()
            except Exception as error:
                raise Failed(seed, f"{type(error).__name__}: {error}") from error
    return tally


def first_that_shows(name: str, candidates: range) -> int | None:
    """The first seed under which this mutation fails as it says, and the protocol as it is does not."""
    mutation = MUTATIONS[name]
    for seed in candidates:
        try:
            run([seed], mutation.variant)
        except Failed as failed:
            if re.search(mutation.shows, str(failed)):
                run([seed])
                return seed
    return None


def run_many(seeds: range, variant: str | None = None) -> Tally:
    """As ``run``, on all cores; ``variant`` names a mutation. Of several failures it raises one."""
    step = max(1, min(50, len(seeds) // CORES))
    parts = [seeds[at : at + step] for at in range(0, len(seeds), step)]
    tally = Tally()
    with ProcessPoolExecutor(CORES, multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(_part, part, variant) for part in parts]
        try:
            for part in as_completed(waiting):
                tally.add(part.result())
        finally:
            # Waited for: else the end of the interpreter closes what the pool still writes to.
            pool.shutdown(cancel_futures=True)
    return tally


def _part(seeds: range, variant: str | None) -> Tally:
    return run(seeds, MUTATIONS[variant].variant if variant else AS_IT_IS)


def struck(tally: Tally) -> dict[str, int]:
    """How often each step was struck by anything."""
    found = dict.fromkeys((*REQUESTS, *POINTS), 0)
    for (step, _), count in tally.strikes.items():
        found[step] = found.get(step, 0) + count
    return found


def report(tally: Tally) -> str:
    """Hits per step and per recovery case."""
    hits = struck(tally)
    lines = [f"{'step':<28}{'passed':>9}{'struck':>9}"]
    lines += [f"{step:<28}{tally.steps[step]:>9}{hits[step]:>9}" for step in hits]
    lines += ["", f"{'recovery':<28}{'found':>9}"]
    lines += [f"{case:<28}{tally.cases[case]:>9}" for case in CASES]
    lines += ["", f"{'event':<28}{'times':>9}"]
    names = sorted({*SKIPS, *TAKEOVERS, *tally.events})
    lines += [f"{name:<32}{tally.events[name]:>5}" for name in names]
    return "\n".join(lines)
