"""Campaigns that are applied and paused while a real worker runs: ticks and rows of the journal name how much
of them is known, and everything that repeats the rows has as much.
"""

import json
from pathlib import Path

import pytest

from schemas.catalogue import CAMPAIGNS, CLOCK
from schemas.clock import Tick, decode_clock
from streams.definitions_reader import DefinitionsReader
from tests.campaigns.changes import TEXT
from tests.engine.harness import Bench, Snapshot, WorkerProcess, moment, run_cli
from tests.waiting import wait_for

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PATIENCE = 120


def test_rows_name_the_campaigns_that_they_were_folded_with(bench: Bench, tmp_path: Path) -> None:
    topic = f"{bench.prefix}{CAMPAIGNS}"
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    try:
        _shop(bench, "before")
        early = Snapshot(bench)
        for number, change in enumerate(("apply", "pause", "resume"), start=1):
            _change(bench, tmp_path, change)
            wait_for(lambda known=number: _known(bench, topic) >= known, PATIENCE, "a tick with it")
            _shop(bench, change)
        bench.wait_published(PATIENCE)
        assert worker.stop() == 0
    finally:
        worker.kill()

    journal = bench.journal()
    live = {(number, row.seq): row.definitions for number, rows in journal.items() for row in rows}
    # Of every partition: it began without, and had all three in the end.
    for rows in journal.values():
        offsets = [row.definitions[topic] for row in rows]
        assert (offsets[0], offsets[-1]) == (0, 3)
        assert offsets == sorted(offsets)
    # No row goes by a tick whose definitions it did not have.
    ticks, compared = _ticks(bench), 0
    for number, rows in journal.items():
        for row in rows:
            tick = ticks.get((number, row.clock.tick))
            if tick is not None:
                compared += 1
                assert row.definitions[topic] >= tick.definitions[topic]
    assert compared

    # Redis lost all but the first: what is repeated has the same rows, and so has what folds the log anew.
    early.put_back()
    again = WorkerProcess(bench.settings, tmp_path / "again.log")
    try:
        _shop(bench, "after")
        bench.wait_published(PATIENCE)
        assert again.stop() == 0
    finally:
        again.kill()
    repeated = bench.journal()
    for (number, seq), definitions in live.items():
        assert repeated[number][seq - 1].definitions == definitions
    verified = run_cli(bench.settings, "verify", "--json")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    rebuilt = run_cli(bench.settings, "rebuild", "--yes")
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr

    reader = DefinitionsReader(bench.settings)
    try:
        reader.start()
        judging = [
            reader.upto(definitions).campaigns.judging("shop", "hello", 0) is not None
            for definitions in ({topic: known} for known in range(4))
        ]
    finally:
        reader.stop()
    assert judging == [False, True, False, True]


def _shop(bench: Bench, word: str) -> None:
    """An event in every partition."""
    for number in range(40):
        view = {"action": "view", "sku": "s1"}
        bench.send("shop.clicks", f"c{number}", view, id=f"{word}-{number}", time=moment(number))
    bench.flush()
    bench.wait_processed(PATIENCE)


def _change(bench: Bench, folder: Path, change: str) -> None:
    file = folder / "hello.yaml"
    file.write_text(TEXT.format(name="hello", text="Hi"))
    done = run_cli(
        bench.settings, "campaigns", change, str(file) if change == "apply" else "hello",
        "--shop", "shop", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["written"] == 1


def _ticks(bench: Bench) -> dict[tuple[int, int], Tick]:
    """By partition and time, in the order of each partition."""
    ticks = [(number, decode_clock(value)) for number, value in bench.read_placed(CLOCK)]
    return {(number, tick.time): tick for number, tick in ticks if isinstance(tick, Tick)}


def _known(bench: Bench, topic: str) -> int:
    """How much of the topic the newest tick of every partition names."""
    newest = {number: tick.definitions[topic] for (number, _), tick in _ticks(bench).items()}
    return min(newest.values(), default=0)
