"""Exactly once under any schedule: `python -m tests.simulation` runs as many as one likes."""

import pytest

from tests.simulation.run import Failed, report, run, run_many, struck
from tests.simulation.tally import OUTCOMES, POINTS, REQUESTS, SKIPS, TAKEOVERS, Tally
from tests.simulation.variants import MUTATIONS, seeds

QUICK = 60
#: Of these seeds every event comes.
FIRST = 159
#: About 60 s on two cores.
LONG = 2_000


def test_some_schedules() -> None:
    tally = run(range(FIRST, FIRST + QUICK))
    assert [event for event in (*SKIPS, *TAKEOVERS, *OUTCOMES) if not tally.events[event]] == []


def test_one_seed_is_one_schedule() -> None:
    def trace() -> Tally:
        return run([7, 8])

    first, second = trace(), trace()
    assert first.steps == second.steps
    assert first.strikes == second.strikes
    assert first.events == second.events


@pytest.mark.long
@pytest.mark.timeout(600)
def test_every_step_is_struck_and_every_case_is_found() -> None:
    tally = run_many(range(LONG))
    print(report(tally))
    assert set(tally.steps) == {*REQUESTS, *POINTS}
    assert [step for step, count in struck(tally).items() if not count] == []
    assert tally.never_hit() == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_protocol_is_found_out(name: str) -> None:
    """By a schedule that the protocol as it is stands."""
    mutation, seed = MUTATIONS[name], seeds()[name]
    run([seed])
    # Not raised? After a change of the engine's steps `python -m tests.simulation --find-seeds` finds others;
    # if it finds none, a promise is no longer tested.
    with pytest.raises(Failed, match=mutation.shows):
        run([seed], mutation.variant)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_schedules_on_all_cores_are_the_same_ones() -> None:
    assert run_many(range(12)).steps == run(range(12)).steps
    with pytest.raises(Failed, match="seed 0: "):
        run_many(range(1), "read_uncommitted")
