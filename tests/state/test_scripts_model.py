"""The commit, claim and trim scripts against their model, on a real Redis and a real Redis Cluster.

That the machine sees anything is proved by breaking the scripts: each break must be found.
"""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from redis.exceptions import OutOfMemoryError

from streams.state.script import Script
from tests.state.deployment import Deployment
from tests.state.machine import PartitionMachine

#: Deterministic, so that it finds the same each time; the long test draws anew.
_SHORT = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_LONG = settings(_SHORT, max_examples=100, stateful_step_count=50, derandomize=False)
#: The first failure will do; shrinking it would take most of the time.
_UNTIL_FOUND = settings(
    _SHORT,
    max_examples=300,
    stateful_step_count=40,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)
#: The model differs, an error that must come does not, or one comes that must not.
FOUND = (AssertionError, pytest.fail.Exception, OutOfMemoryError)


def run(deployment: Deployment, chosen: settings, **scripts: Script) -> None:
    run_state_machine_as_test(lambda: PartitionMachine(deployment, scripts), settings=chosen)


def broken(name: str, text: str, instead: str = "") -> Script:
    packaged = Script(name).text
    assert packaged.count(text) == 1, f"{name}.lua has {packaged.count(text)} times {text!r}"
    return Script(name, packaged.replace(text, instead))


def test_redis_holds_what_the_model_says(any_deployment: Deployment) -> None:
    run(any_deployment, _SHORT)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_redis_holds_what_the_model_says_in_many_histories(any_deployment: Deployment) -> None:
    run(any_deployment, _LONG)


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param("seq ~= ARGV[1] or ", id="seq"),
        pytest.param("chain ~= ARGV[2] or ", id="chain"),
        pytest.param(" or epoch ~= ARGV[3]", id="epoch"),
    ],
)
def test_a_commit_that_does_not_look_is_found(one_server: Deployment, left_out: str) -> None:
    with pytest.raises(FOUND):
        run(one_server, _UNTIL_FOUND, commit=broken("commit", left_out))


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "text", "instead"),
    [
        pytest.param("claim", "stored[2] ~= ARGV[2]", "false", id="claim by another member"),
        pytest.param("claim", "held > wanted or ", "", id="claim by an older generation"),
        pytest.param("trim", "(stored[1] or '') ~= ARGV[1]", "false", id="trim by a zombie"),
        pytest.param("trim", ">= tonumber(ARGV[2])", "< 0", id="trim that goes back"),
        pytest.param("commit", "#!lua\n", "#!lua flags=allow-oom\n", id="commit into a full Redis"),
        pytest.param(
            "trim", "#!lua flags=allow-oom\n", "#!lua\n", id="trim stopped by a full Redis"
        ),
    ],
)
def test_other_breaks_are_found(one_server: Deployment, name: str, text: str, instead: str) -> None:
    with pytest.raises(FOUND):
        run(one_server, _UNTIL_FOUND, **{name: broken(name, text, instead)})
