"""huitou explain against what real workers published: every yes, every no, and who was never asked."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import DECISIONS
from streams.campaigns.measure.assignment import held_out
from tests.engine.declaring import HELD_OUT, WELCOME, apply_all, wait_known
from tests.engine.harness import Bench, WorkerProcess, moment, run_cli

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

BUYERS = """\
campaign: buyers
audience: {orders.paid.count: ">=2"}
trigger: live_entered
offer: {message: {text: Welcome back}}
limits: {per_customer: 1/day}
delivery: {channels: [app_push]}
"""
NEVER = BUYERS.replace("buyers", "never").replace("live_entered", "store_visited")
OUT = next(f"o{n}" for n in range(99) if held_out("welcome", "shop", f"o{n}", HELD_OUT))
IN = next(f"i{n}" for n in range(99) if not held_out("welcome", "shop", f"i{n}", HELD_OUT))


@pytest.fixture
def lived(bench: Bench, tmp_path: Path) -> Bench:
    """Two customers look at something, enter streams twice, buy and enter twice more."""
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    try:
        texts = {"buyers": BUYERS, "welcome": WELCOME, "never": NEVER}
        apply_all(bench, tmp_path, texts)
        wait_known(bench, len(texts))
        for name in (IN, OUT):
            bench.send("shop.clicks", name, {"action": "view"}, id=f"v-{name}", time=moment(1))
            for at in (10, 20, 300, 310):
                enters = {"action": "live_enter", "live_id": "l", "session_id": f"s{at}"}
                bench.send("shop.clicks", name, enters, id=f"l{at}-{name}", time=moment(at))
                if at == 20:
                    _settle(bench)
                    for number in (1, 2):
                        paid = {
                            "order_id": f"{name}-{number}",
                            "status": "paid",
                            "amount_paid": 100,
                        }
                        at_order = moment(100 + number)
                        bench.send("shop.orders", name, paid, id=f"p{number}-{name}", time=at_order)
                    _settle(bench)
        _settle(bench)
        assert worker.stop() == 0
    finally:
        worker.kill()
    return bench


def _settle(bench: Bench) -> None:
    bench.flush()
    bench.wait_processed(120)
    bench.wait_published(120)


def test_each_answer_is_the_one_that_was_published(lived: Bench) -> None:
    published = {
        **{str(event["id"]): "issued" for event in lived.triggers()},
        **{
            said["trigger_id"]: "held_out" if said["reason"] == "holdout" else "refused"
            for said in (json.loads(value)["data"] for _, value in lived.read_placed(DECISIONS))
        },
    }
    found: dict[str, str] = {}
    for name in (IN, OUT):
        for campaign in _explained(lived, name)["campaigns"]:
            for look in campaign["looks"]:
                if look["trigger_id"] is not None:
                    found[look["trigger_id"]] = look["answer"]
    assert found == published
    assert {"issued", "held_out", "refused"} == set(found.values())


def test_one_customer_s_way(lived: Bench) -> None:
    said = _explained(lived, IN, "--at", moment(320))
    assert (said["known"], said["doubts"]) == (True, [])
    by_name = {each["campaign"]: each for each in said["campaigns"]}
    # Before the orders, twice; after them once, and once too often.
    answers = [look["answer"] for look in by_name["buyers"]["looks"]]
    assert answers == ["did_not_fit", "did_not_fit", "issued", "refused"]
    (condition,) = by_name["buyers"]["looks"][0]["conditions"]
    assert (condition["asked"], condition["holds"]) == ("orders.paid.count >= 2", False)
    assert (by_name["never"]["came"], by_name["never"]["looks"]) == (0, [])
    # Where the customer stands with what never came: fits, and nothing would refuse.
    assert by_name["never"]["fits"] is True
    assert all(check["passed"] for check in by_name["never"]["checks"])
    refused = [check["step"] for check in by_name["buyers"]["checks"] if not check["passed"]]
    assert refused == ["campaign_cap"]
    assert {"abandoned-cart", "bad-review", "second-order"} <= by_name.keys()

    # As of a moment between: the orders are yet to come.
    early = _explained(lived, IN, "--at", moment(50), "--campaign", "buyers")
    (buyers,) = early["campaigns"]
    assert (buyers["fits"], buyers["came"]) == (False, 2)


def test_for_people_and_what_cannot_be_asked(lived: Bench) -> None:
    told = run_cli(lived.settings, "explain", OUT, "--shop", "shop")
    assert told.returncode == 0, told.stderr
    assert "welcome: version " in told.stdout
    assert "held out: the offer would have been made" in told.stdout
    assert "its trigger (store_visited) never came" in told.stdout
    assert "refused: holdout (saw " in told.stdout
    unknown = run_cli(lived.settings, "explain", "nobody", "--shop", "shop", "--json")
    assert unknown.returncode == 1
    assert json.loads(unknown.stdout)["known"] is False
    wrong = run_cli(lived.settings, "explain", IN, "--shop", "shop", "--campaign", "buyer")
    assert wrong.returncode == 2
    assert "there are buyers, never, welcome" in wrong.stderr
    assert run_cli(lived.settings, "explain", IN, "--shop", "shop", "--at", "soon").returncode == 2


def _explained(bench: Bench, customer: str, *more: str) -> dict[str, Any]:
    done = run_cli(bench.settings, "explain", customer, "--shop", "shop", *more, "--json")
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said
