"""What the command refuses, what it says then, and that nothing is different afterwards."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.clock import Rebase
from streams.engine.engine import EXIT_REFUSED
from streams.repair.generation import settings_of, successor_of
from tests.campaigns.changes import TEXT
from tests.engine.harness import Bench, environment, run_cli
from tests.repair_generation.conftest import PATIENCE, Told, repartition, working
from tests.repair_generation.scenario import (
    CUSTOMERS,
    EVENTS_BEFORE,
    TRIGGERS_BEFORE,
    stored,
    wait_triggers,
)
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(1_500)]


def test_wrong_use(stack_of: Callable[[int], Bench]) -> None:
    bench = stack_of(2)
    wrong = {
        (): "--partitions is missing",
        ("--partitions", "2"): "that is what the present generation has",
        ("--partitions", "3", "--generation", "1"): "'--generation'",
        ("--partitions", "3", "--cancel", "--finish"): "exclude each other",
    }
    for arguments, message in wrong.items():
        result = run_cli(bench.settings, "repartition", *arguments, timeout=PATIENCE)
        assert (result.returncode, message in result.stderr) == (2, True), result.stderr


def test_what_is_under_way_is_not_closed(
    told: Told, stack_of: Callable[[int], Bench], tmp_path: Path
) -> None:
    bench, log = stack_of(2), tmp_path / "worker.log"
    arguments = ("--partitions", "3", "--yes")
    with working(bench, log):
        told.story.before(bench)
        wait_triggers(TRIGGERS_BEFORE, bench)
        _assert_refused(bench, "stop all workers")
    _assert_refused(bench, "has not taken over yet", *arguments, "--finish")
    key = next(bench.redis.scan_iter(match=f"{bench.store.keys(0).state_base}*")).decode()
    name = key.removeprefix(bench.store.keys(0).state_base)
    due = bench.redis.zscore(bench.store.keys(0).timers, name)
    bench.redis.zadd(bench.store.keys(0).timers, {name: due + 1})
    _assert_refused(bench, f"the timer of {name}")
    # Its states were on the move by then, so it is not let go of by itself.
    bench.redis.zadd(bench.store.keys(0).timers, {name: due})
    cancelled = repartition(bench, *arguments, "--cancel")
    assert cancelled.returncode == 0, cancelled.stderr
    bench.send_clock(Rebase(1, 0, 1, "a-replay"))
    bench.flush()
    _assert_refused(bench, "a replay or simulator holds the clock")
    with working(bench, log):
        bench.send("shop.clicks", "c000", {"action": "view"}, id="on", time="2026-01-01T00:00:00Z")
        bench.flush()
        bench.wait_processed(PATIENCE)


def test_a_cancelled_attempt_uses_its_number_up(
    told: Told, stack_of: Callable[[int], Bench], tmp_path: Path
) -> None:
    old, log = stack_of(2), tmp_path / "worker.log"
    with working(old, log):
        told.story.before(old)
        old.wait_processed(PATIENCE)
        wait_triggers(TRIGGERS_BEFORE, old)
    subprocess.run(
        [sys.executable, "-m", "tests.repair_generation.killed", "3", "2", "check", "1"],
        env=environment(old.settings),
        timeout=PATIENCE,
        check=False,
    )
    second = Bench(settings_of(old.settings, successor_of(old.settings, 2, 3)))
    assert len(stored(second)) == CUSTOMERS
    for command in (["rebuild", "--yes"], ["group", "adopt"]):
        result = run_cli(old.settings, *command, timeout=PATIENCE)
        assert result.returncode == EXIT_REFUSED
        assert "`huitou repartition` has closed it, or is about to" in result.stderr
    nested = repartition(second, "--partitions", "4", "--yes")
    assert nested.returncode == EXIT_REFUSED
    assert "not open yet" in nested.stderr

    cancelled = repartition(old, "--partitions", "3", "--cancel")
    assert cancelled.returncode == 0, cancelled.stderr
    assert stored(second) == {}
    with working(old, log):
        # Life goes on, and the states that were written down are old ones.
        old.send("shop.clicks", "c000", {"action": "view"}, id="on", time="2026-01-01T00:00:00Z")
        old.flush()
        old.wait_processed(PATIENCE)
    _assert_refused(old, "--generation")
    assert stored(second) == {}
    assert repartition(old, "--partitions", "3", "--cancel").returncode == 0
    other = repartition(old, "--partitions", "3", "--generation", "3", "--yes")
    assert other.returncode == 0, other.stderr
    third = Bench(settings_of(old.settings, successor_of(old.settings, 3, 3)))
    assert stored(third) == stored(old)
    again = repartition(old, "--partitions", "3", "--cancel")
    assert again.returncode == EXIT_REFUSED, "there is no way back"
    with working(third, log):
        told.story.before(third)
        third.wait_processed(PATIENCE)
    assert third.counted("duplicate") == EVENTS_BEFORE
    verified = run_cli(third.settings, "verify", timeout=PATIENCE)
    assert verified.returncode == 0, verified.stdout


def test_a_frozen_run_does_not_switch_after_it_was_cancelled(
    stack_of: Callable[[int], Bench], tmp_path: Path
) -> None:
    old = stack_of(2)
    frozen = subprocess.Popen(
        [sys.executable, "-m", "tests.repair_generation.killed", "1", "2", "switch", "1", "STOP"],
        env=environment(old.settings),
    )
    try:
        wait_for(lambda: _is_stopped(frozen), PATIENCE, "the run in the middle of its switch")
        cancelled = repartition(old, "--partitions", "1", "--cancel")
        assert cancelled.returncode == 0, cancelled.stderr
        frozen.send_signal(signal.SIGCONT)
        assert frozen.wait(PATIENCE) != 0
    finally:
        frozen.kill()
    with working(old, tmp_path / "worker.log"):
        old.send("shop.clicks", "c000", {"action": "view"}, id="on", time="2026-01-01T00:00:00Z")
        old.flush()
        old.wait_processed(PATIENCE)


def _is_stopped(process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "it ended before"
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_definitions_go_along_and_so_do_later_ones(
    stack_of: Callable[[int], Bench], tmp_path: Path
) -> None:
    old, file = stack_of(2), tmp_path / "shop.json"
    new = Bench(settings_of(old.settings, successor_of(old.settings, 2, 1)))
    for currency in ("JPY", "EUR"):
        file.write_text(json.dumps({"shop_id": "shop", "currency": currency}))
        applied = run_cli(old.settings, "settings", "apply", str(file), timeout=PATIENCE)
        assert applied.returncode == 0, applied.stderr
        campaign = tmp_path / "hello.yaml"
        campaign.write_text(TEXT.format(name="hello", text=currency))
        applied = run_cli(old.settings, "campaigns", "apply", str(campaign), "--shop", "shop")
        assert applied.returncode == 0, applied.stderr
        moved = repartition(old, "--partitions", "1", "--yes", "--json")
        assert moved.returncode == 0, moved.stderr
        said = json.loads(moved.stdout)
        assert (said["switched"], said["states"], said["waiting"]) == (True, 0, 0)
        there, here = (
            run_cli(bench.settings, "settings", "show", "--json", timeout=PATIENCE).stdout
            for bench in (new, old)
        )
        assert there == here
        assert currency in there
        there, here = (
            run_cli(bench.settings, "campaigns", "list", "--json", timeout=PATIENCE).stdout
            for bench in (new, old)
        )
        assert json.loads(there)["campaigns"] == json.loads(here)["campaigns"] != []
    with working(new, tmp_path / "worker.log"):
        new.send("shop.clicks", "c000", {"action": "view"}, id="on", time="2026-01-01T00:00:00Z")
        new.flush()
        new.wait_processed(PATIENCE)


def _assert_refused(bench: Bench, message: str, *arguments: str) -> None:
    result = repartition(bench, *(arguments or ("--partitions", "3")), "--yes")
    assert result.returncode == EXIT_REFUSED, result.stdout + result.stderr
    assert message in result.stderr
