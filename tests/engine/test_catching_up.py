"""A worker that catches up: each poll brings events from hours ago, and ticks that are long in the log.

Their timers are due before all others. If they had to wait for the clock to come by the polls, of which some
wait already, there would always be one, and nothing else would fire.
"""

from collections.abc import Iterator

import pytest

from schemas.clock import Rebase, encode_clock
from tests.engine.catching_up import CLOCK, HOUR, MINUTE, OLD_TICK, START_MS, CatchingUp, Network
from tests.simulation.memory_clients import installed

REBASE = encode_clock(Rebase(0, START_MS, START_MS + HOUR, "replay"))
#: When anna's cart is abandoned.
DUE = START_MS + 30 * MINUTE


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    with installed(made):
        yield made


def test_timers_fire_though_every_poll_sets_some_from_hours_ago(network: Network) -> None:
    worker = CatchingUp(network)
    _catch_up(worker)
    # Due in the 30th minute; all others' are due hours before.
    assert DUE in worker.fired


def test_a_change_from_after_the_due_time_is_folded_after_the_timer_has_fired(
    network: Network,
) -> None:
    """Of a customer as busy as none, in whose log the change would not be found any more."""
    worker = CatchingUp(network)
    worker.poll(START_MS, ("anna", START_MS))
    for minute in range(31, 37):
        now = START_MS + minute * MINUTE
        busy = [("anna", now + second) for second in range(20)]
        worker.poll(now, (f"late-{minute}", now - 5 * HOUR + minute), *busy)
    assert DUE in worker.fired
    assert worker.occasions[START_MS] == 1


def test_nothing_fires_where_a_tool_takes_the_clock_over_in_what_is_not_read_yet(
    network: Network,
) -> None:
    worker = CatchingUp(network)
    for _ in range(3):
        worker.write(OLD_TICK)
    worker.write(REBASE)
    worker.poll(START_MS, ("anna", START_MS))
    worker.poll(START_MS + 31 * MINUTE, ("berta", START_MS + 31 * MINUTE))
    assert not worker.fired


def test_what_an_open_transaction_hides_is_not_waited_for_and_looked_at_again(
    network: Network,
) -> None:
    worker = CatchingUp(network)
    kafka = network.kafka
    for _ in range(3):
        worker.write(OLD_TICK)
    kafka.produce("tool", kafka.init("tool"), CLOCK, None, OLD_TICK)
    _catch_up(worker, until=33)
    assert not worker.fired
    # Time goes by only where somebody waits.
    assert network.monotonic() == 0
    kafka.settle()
    # The look that came upon it is followed by a rest.
    network.sleep(60)
    _catch_up(worker, since=33, until=35)
    assert DUE in worker.fired


def test_while_a_transaction_is_open_each_poll_does_not_ask_for_its_end(
    network: Network,
) -> None:
    worker = CatchingUp(network)
    kafka = network.kafka
    for _ in range(60):
        worker.write(OLD_TICK)
    kafka.produce("tool", kafka.init("tool"), CLOCK, None, OLD_TICK)
    worker.poll(START_MS, ("anna", START_MS))
    network.slow = 0.1
    for second in range(50):
        network.sleep(0.1)
        worker.poll(START_MS + 31 * MINUTE + second, ("berta", START_MS + second))
    # Ten times as long as a look takes lies between any two.
    assert 0 < network.reads <= 10


def test_nothing_fires_where_a_tool_may_take_the_clock_over_behind_an_open_transaction(
    network: Network,
) -> None:
    worker = CatchingUp(network)
    kafka = network.kafka
    for _ in range(3):
        worker.write(OLD_TICK)
    kafka.produce("other", kafka.init("other"), CLOCK, None, OLD_TICK)
    worker.write(REBASE)
    _catch_up(worker, until=33)
    assert not worker.fired
    kafka.settle()
    network.sleep(60)
    _catch_up(worker, since=33, until=34)
    assert not worker.fired


def test_a_worker_that_has_read_its_clock_looks_for_nothing(network: Network) -> None:
    worker = CatchingUp(network, ahead=0)
    _catch_up(worker)
    assert DUE in worker.fired
    assert network.reads == 0


def _catch_up(worker: CatchingUp, since: int = 31, until: int = 37) -> None:
    """Minutes of a shop in each of which comes what is five hours late; before them anna's cart."""
    if since == 31:
        worker.poll(START_MS, ("anna", START_MS))
    for minute in range(since, until):
        now = START_MS + minute * MINUTE
        worker.poll(now, (f"late-{minute}", now - 5 * HOUR + minute))
