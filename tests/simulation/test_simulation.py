"""Exactly once under any schedule: `python -m tests.simulation` runs as many as one likes."""

import pytest

from tests.simulation.run import Failed, report, run, struck
from tests.simulation.schedule import CASES, POINTS, REQUESTS, Tally
from tests.simulation.variants import BROKEN

QUICK = 30
LONG = 300
#: Schedules within which a broken protocol is found out.
ENOUGH = 200


def test_some_schedules() -> None:
    run(range(QUICK))


def test_one_seed_is_one_schedule() -> None:
    def trace() -> Tally:
        return run([7, 8])

    first, second = trace(), trace()
    assert first.steps == second.steps
    assert first.strikes == second.strikes
    assert first.events == second.events


@pytest.mark.long
@pytest.mark.timeout(300)
def test_every_step_is_struck_and_every_case_is_found() -> None:
    tally = run(range(LONG))
    print(report(tally))
    assert set(tally.steps) == {*REQUESTS, *POINTS}
    assert [step for step, count in struck(tally).items() if not count] == []
    assert [case for case in CASES if not tally.cases[case]] == []


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_protocol_is_found_out(broken: str) -> None:
    with pytest.raises(Failed) as failed:
        run(range(ENOUGH), BROKEN[broken])
    print(f"{broken}: {failed.value}")
