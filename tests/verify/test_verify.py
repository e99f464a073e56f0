"""Verify agrees with what a worker did, and so do the words and the JSON of its command."""

import json

from streams.verify.verify import verify
from tests.engine.harness import run_cli
from tests.engine.scenario import ShopDay
from tests.verify.damage import DAMAGED


def test_all_agree_after_a_whole_day(day: ShopDay) -> None:
    report = verify(day.bench.settings)
    assert report.differences == []
    assert report.agree
    assert report.events == sum(day.bench.published.values())
    assert report.states.compared == day.customers + 1
    assert report.triggers.compared == len(day.expected) == 3 * day.customers - len(day.refused)
    assert report.decisions.compared == len(day.refused) > 0
    assert report.dead_letters.compared == day.bench.settings.partitions
    # Of who has paid: when they will be dormant, and what is due by then.
    assert report.timers.compared == day.customers + 1
    assert report.partitions.compared == len(report.seqs) == day.bench.settings.partitions
    assert report.journal.compared == sum(report.seqs.values()) > 3 * len(report.seqs)
    assert report.unprocessed == 0


def test_the_command_prints_a_table_and_exits_0(day: ShopDay) -> None:
    done = run_cli(day.bench.settings, "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "All agree." in done.stdout
    assert f"{sum(day.bench.published.values())} events in" in done.stdout


def test_the_command_s_json(day: ShopDay) -> None:
    done = run_cli(day.bench.settings, "verify", "--json", "--partition", "0", "-p", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["agree"] is True
    assert (report["missing"], report["extra"], report["different"]) == (0, 0, 0)
    assert set(report["seqs"]) == {"0", "1"}
    assert report["states"]["compared"] > 0


def test_a_partition_that_does_not_exist_is_refused(day: ShopDay) -> None:
    done = run_cli(day.bench.settings, "verify", "--partition", "8")
    assert done.returncode == 1
    assert "this stack has 0 to 7" in done.stderr


def test_without_the_key_of_the_codes_it_says_so(day: ShopDay) -> None:
    settings = day.bench.settings.model_copy(
        update={"code_key": type(day.bench.settings.code_key)("")}
    )
    done = run_cli(settings, "verify")
    assert done.returncode == 1
    assert "HUITOU_CODE_KEY" in done.stderr


def test_codes_of_another_key_are_left_out(day: ShopDay) -> None:
    """The journal names the key; a process with a newer one cannot make the old codes again."""
    secret = type(day.bench.settings.code_key)("another")
    rotated = day.bench.settings.model_copy(update={"code_key": secret, "code_key_id": "2"})
    assert verify(rotated, [DAMAGED]).agree
    wrong = day.bench.settings.model_copy(update={"code_key": secret})
    report = verify(wrong, [DAMAGED])
    assert report.triggers.different == report.triggers.compared > 0
    assert "data.offer.code: log" in report.differences[0].detail
