"""Campaigns that are applied and paused while a real worker runs: ticks and rows of the journal name how much
of them is known, and everything that repeats the rows has as much.
"""

from pathlib import Path

import pytest

from schemas.catalogue import CAMPAIGNS
from streams.definitions_reader import DefinitionsReader
from tests.campaigns.changes import TEXT
from tests.engine.declaring import PATIENCE, campaigns, ticks, wait_known
from tests.engine.harness import Bench, Snapshot, WorkerProcess, moment, run_cli

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def test_rows_name_the_campaigns_that_they_were_folded_with(bench: Bench, tmp_path: Path) -> None:
    topic = f"{bench.prefix}{CAMPAIGNS}"
    worker = WorkerProcess(bench.settings, tmp_path / "worker.log")
    try:
        _shop(bench, "before")
        early = Snapshot(bench)
        for number, change in enumerate(("apply", "pause", "resume"), start=1):
            _change(bench, tmp_path, change)
            wait_known(bench, number)
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
    known = {(number, tick.time): tick for number, tick in ticks(bench)}
    compared = 0
    for number, rows in journal.items():
        for row in rows:
            tick = known.get((number, row.clock.tick))
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
    said = campaigns(bench, change, str(file) if change == "apply" else "hello", "--shop", "shop")
    assert said["written"] == 1
