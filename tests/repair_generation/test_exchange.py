"""What one partition told another, and the other has not folded when a generation ends, is not lost."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from schemas.catalogue import EXCHANGE
from schemas.exchange import ExchangeEvent
from streams.engine.engine import EXIT_REFUSED
from streams.repair.generation import settings_of, successor_of
from streams.state.codec import decode
from tests.domain.events import START, cart, click, profile
from tests.domain.network import Network, as_of
from tests.engine.handing_over import PAIRS, Pair, assert_handed_over, send, wait_all_processed
from tests.engine.harness import Bench, TestClock
from tests.repair_generation.conftest import repartition, working
from tests.repair_generation.scenario import stored

HOUR_MS = 3_600_000
pytestmark = [pytest.mark.long, pytest.mark.timeout(1_500)]


def _in_flight() -> ExchangeEvent:
    """A visitor on the way to a customer, as a commit of the last moment tells it."""
    network = Network()
    network.receive(*as_of("cookie", click("k1", START)))
    network.receive(*as_of("cookie", cart("k2", START + 1, "add", "a")))
    alias, _ = as_of("cookie", profile("k3", START + 2, "updated"))
    named = msgspec.structs.replace(alias.data, action="alias", alias_of="late")
    network.receive(msgspec.structs.replace(alias, data=named), START + 2)
    ((_, event, _),) = network.told
    return event


def test_what_is_on_its_way_goes_on_in_the_next_generation(
    stack_of: Callable[[int], Bench], tmp_path: Path
) -> None:
    old, log = stack_of(2), tmp_path / "worker.log"
    # Ahead of the wall clock, so that no timer fires in between.
    start = int(time.time() * 1000) + HOUR_MS
    pairs = [Pair(number, 2, start) for number in range(PAIRS)]
    with working(old, log):
        send(old, [one for pair in pairs for one in (*pair.before, *pair.after)])
        wait_all_processed(old)
    assert_handed_over(old, pairs)
    held = stored(old)

    event = _in_flight()
    old.send_raw(EXCHANGE, event.subject.encode(), msgspec.json.encode(event))
    old.flush()
    waiting = repartition(old, "--partitions", "3")
    assert waiting.returncode == EXIT_REFUSED
    assert "1 records wait in the inputs" in waiting.stderr
    moved = repartition(old, "--partitions", "3", "--forward")
    assert moved.returncode == 0, moved.stderr
    new = Bench(settings_of(old.settings, successor_of(old.settings, 2, 3)))
    assert {name: value for name, (value, _) in stored(new).items()} == {
        name: value for name, (value, _) in held.items()
    }

    TestClock(new, START - 1, START + 1)
    with working(new, log):
        wait_all_processed(new)
        found = decode(stored(new)["shop/late"][0])
        assert found.browsing.actions.view == 1
        assert found.cart is not None
        assert [line.sku for line in found.cart.lines] == ["a"]
        # Marks came over with the states, and send on to where the customer is now.
        send(new, [as_of(pairs[0].visitor, click("later", START + 99))])
        wait_all_processed(new)
    customer = decode(stored(new)[f"shop/{pairs[0].customer}"][0])
    assert customer.browsing.actions.view == pairs[0].expected["browsing"]["actions"]["view"] + 1
