"""huitou backtest over a recorded data set: what the live worker decided, byte for byte the same."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import DECISIONS
from streams.query.wording import instant
from streams.settings import Settings
from tests.engine.conftest import make_bench
from tests.engine.declaring import apply_all, wait_known
from tests.engine.harness import Bench, WorkerProcess, run_cli
from tests.taobao import sample_file

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROWS = 30_000
TEMPLATES = Path(__file__).parents[2] / "streams" / "campaigns" / "templates"
NAMES = ("abandoned-cart", "second-order", "new-visitor-welcome")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three templates, without the budgets that nobody grants yet."""
    made = tmp_path_factory.mktemp("campaigns")
    for name in NAMES:
        text = (TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8")
        (made / f"{name}.yaml").write_text(re.sub(r', budget: "[^"]*"', "", text))
    return made


def _replayed(settings: Settings, folder: Path, logs: Path) -> Bench:
    """The sample's beginning, judged live by the campaigns."""
    bench = make_bench(settings)
    worker = WorkerProcess(bench.settings, logs / "worker.log")
    try:
        apply_all(bench, logs, {name: (folder / f"{name}.yaml").read_text() for name in NAMES})
        wait_known(bench, len(NAMES))
        played = run_cli(
            bench.settings, "replay", "taobao", str(sample_file()), "--limit", str(ROWS), "--shop", "shop",
            "--json", timeout=300,
        )  # fmt: skip
        assert played.returncode == 0, played.stderr
        bench.wait_processed(300)
        bench.wait_published(300)
        assert worker.stop() == 0
    finally:
        worker.kill()
    return bench


def test_the_triggers_are_those_of_the_live_worker(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    bench = _replayed(settings, folder, tmp_path)
    live = {_told(json.loads(value)) for _, value in bench.read_placed("shop.triggers")}
    refused = {_told(json.loads(value)) for _, value in bench.read_placed(DECISIONS)}
    out = tmp_path / "decisions.jsonl"
    # In the order of the journal it is what the worker did, however it was skewed at full speed.
    until = ("--to", "2018-01-01")
    said = _backtest(bench, folder, "--out", str(out), "--order", "journal", *until)
    found = [json.loads(line) for line in out.read_text().splitlines()]
    issued = {_of(one) for one in found if "kind" in one["decision"]}
    no = {_of(one) for one in found if "kind" not in one["decision"]}
    assert issued == live
    assert no == refused
    assert len(live) > 300
    assert {campaign for _, campaign, *_ in live} == set(NAMES)
    assert sum(one["offers"] for one in said["campaigns"].values()) == len(live)

    # Again, and in three processes: byte for byte.
    first = out.read_bytes()
    again = tmp_path / "again.jsonl"
    for processes in ("1", "3"):
        other = _backtest(
            bench,
            folder,
            "--out",
            str(again),
            "--order",
            "journal",
            *until,
            "--processes",
            processes,
        )
        assert other["digest"] == said["digest"]
        assert again.read_bytes() == first
    # By time it is as the customers lived: nearly the same, and the same each time.
    by_time = [_backtest(bench, folder, *until, "--processes", each) for each in ("1", "2")]
    assert by_time[0]["digest"] == by_time[1]["digest"] != said["digest"]
    for name in NAMES:
        offers = by_time[0]["campaigns"][name]["offers"], said["campaigns"][name]["offers"]
        assert abs(offers[0] - offers[1]) <= max(offers) * 0.05

    # Two versions side by side: a welcome that is worth less changes nobody's, another audience does.
    narrow = tmp_path / "narrow"
    narrow.mkdir()
    text = (folder / "abandoned-cart.yaml").read_text().replace('">=1"', '">=2"', 1)
    (narrow / "abandoned-cart.yaml").write_text(text)
    compared = _backtest(bench, narrow, "--against", str(folder))
    assert compared["against"]["abandoned-cart"]["offers"] < 0
    told = run_cli(bench.settings, "backtest", str(folder), "--shop", "shop")
    assert told.returncode == 0, told.stderr
    assert "assumed: budgets" in told.stdout


def test_wrong_files_and_unknown_times(settings: Settings, folder: Path, tmp_path: Path) -> None:
    bench = make_bench(settings)
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("campaign: it\n")
    assert run_cli(bench.settings, "backtest", str(wrong), "--shop", "shop").returncode == 1
    assert run_cli(
        bench.settings, "backtest", str(folder), "--shop", "shop", "--to", "soon"
    ).returncode == 2  # fmt: skip
    nothing = _backtest(bench, folder)
    assert (nothing["events"], nothing["both"]) == (0, [])


def _backtest(bench: Bench, folder: Path, *more: str) -> dict[str, Any]:
    done = run_cli(
        bench.settings, "backtest", str(folder), "--shop", "shop", *more, "--json", timeout=300
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _told(event: dict[str, Any]) -> tuple[Any, ...]:
    data = event["data"]
    return (
        instant(event["time"], None), data["campaign"], data["customer_id"], data["trigger_id"],
        data.get("reason", ""),
    )  # fmt: skip


def _of(one: dict[str, Any]) -> tuple[Any, ...]:
    said = one["decision"]
    return (
        one["time"], said["campaign"], said["customer_id"], said["trigger_id"], said.get("reason", ""),
    )  # fmt: skip
