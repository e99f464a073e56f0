"""`huitou campaigns apply`, `list`, `show`, `diff`, `pause` and `resume` against a real topic."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from typer.testing import CliRunner, Result

from schemas.catalogue import CAMPAIGNS
from schemas.decoding import RawRecord
from streams.authoring.files import check_text
from streams.campaign_topic import MOST_REFUSED, read_campaigns
from streams.cli.campaigns import campaigns_app
from streams.settings import Settings
from tests.campaigns.changes import TEXT, WITHDRAWN, applied, change
from tests.verify.kafka_log import make_topic


@pytest.fixture
def topic(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = settings.topic_prefix + CAMPAIGNS
    make_topic(settings.kafka_bootstrap, name)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", settings.kafka_bootstrap)
    monkeypatch.setenv("HUITOU_TOPIC_PREFIX", settings.topic_prefix)
    handlers = list(logging.root.handlers)
    yield name
    # The command sets up its process's logging, which here is the tests'.
    logging.root.handlers[:] = handlers
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("bye", "hello"):
        put(tmp_path, name)
    return tmp_path


def put(folder: Path, name: str, text: str = "Hi", more: str = "") -> None:
    (folder / f"{name}.yaml").write_text(TEXT.format(name=name, text=text) + more, encoding="utf-8")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(campaigns_app, list(map(str, arguments)))


def done(*arguments: str | Path, code: int = 0) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def records(settings: Settings) -> int:
    return read_campaigns(settings).campaigns.offset


def write(settings: Settings, *written: RawRecord) -> None:
    producer = Producer({"bootstrap.servers": settings.kafka_bootstrap, "acks": "all"})
    for each in written:
        producer.produce(settings.topic_prefix + CAMPAIGNS, each.value, key=each.key, partition=0)
    assert producer.flush(60) == 0


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_what_is_applied_twice_is_written_once(
    settings: Settings, topic: str, folder: Path
) -> None:
    said = done("apply", folder, "--shop", "tea", "--dry-run")
    assert (said["written"], records(settings)) == (0, 0)
    assert [each["change"] for each in said["campaigns"]] == ["new", "new"]

    said = done("apply", folder, "--shop", "tea", "--by", "mei")
    assert (said["written"], records(settings)) == (2, 2)
    listed = done("list")
    assert listed["refused_records"] == 0
    assert [(each["campaign"], each["version"]) for each in listed["campaigns"]] == [
        (name, applied(name=name).version) for name in ("bye", "hello")
    ]
    assert {each["by"] for each in listed["campaigns"]} == {"mei"}

    # Comments and another order of fields are the same content; the shop is the only one.
    (folder / "bye.yaml").write_text(
        "# mine\n" + "".join(sorted(TEXT.format(name="bye", text="Hi").splitlines(keepends=True)))
    )
    again = run("apply", folder)
    assert again.exit_code == 0, again.output
    assert again.stdout.splitlines()[-1] == "0 versions applied, 2 as it was"
    assert records(settings) == 2


def test_a_later_version_holds_from_its_time_on(
    settings: Settings, topic: str, folder: Path
) -> None:
    done("apply", folder, "--shop", "tea")
    put(folder, "hello", "Hey")
    (bye, hello) = done("apply", folder)["campaigns"]
    assert (bye["change"], hello["change"]) == ("unchanged", "changed")
    assert hello["differences"] == [{"field": "offer.message.text", "before": "Hi", "after": "Hey"}]
    ahead = datetime.fromisoformat(hello["effective_from"]) - datetime.now(UTC)
    assert timedelta(seconds=55) < ahead < timedelta(seconds=66)
    (_, listed) = done("list")["campaigns"]
    assert listed["version"] == applied("Hi").version
    assert listed["next"]["version"] == applied("Hey").version
    text = run("list").stdout
    assert applied("Hi").version in text
    assert "bye" in text

    # What is applied and waits may come sooner or later than was said, as long as that is not too soon.
    assert run("apply", folder, "--effective-from", soon(9_000)).exit_code == 0
    assert records(settings) == 3
    put(folder, "hello", "Ho", f'effective_from: "{soon(7_200)[:19]}Z"\n')
    (_, hello) = done("apply", folder)["campaigns"]
    assert (hello["change"], hello["replaces"]) == ("changed", applied("Hey").version)
    assert done("apply", folder, "--effective-from", soon(3_600))["written"] == 1
    assert [
        each.version for each in read_campaigns(settings).campaigns.versions("tea", "hello")
    ] == [applied(text).version for text in ("Hi", "Hey", "Ho", "Ho")]


def test_what_apply_refuses(settings: Settings, topic: str, folder: Path) -> None:
    for arguments, said, code in (
        (["--effective-from", "2020-01-01T00:00:00Z"], "too early", 1),
        (["--effective-from", "2099-01-01T00:00:00"], "with its time zone", 2),
        (["--effective-from", "tomorrow"], "with its time zone", 2),
        (["--by", ""], "--by has 1 to 64", 2),
        (["--shop", "a/b"], "a shop id has", 2),
        (["--shop", "_stack"], "every shop applies its own", 2),
    ):
        result = run("apply", folder, "--shop", "tea", *arguments)
        assert result.exit_code == code, result.output
        assert said in result.stderr
    assert records(settings) == 0


def test_nothing_is_written_where_a_file_is_wrong(
    settings: Settings, topic: str, folder: Path
) -> None:
    put(folder, "hello", more="audience: {nobody: 1}\n")
    result = run("apply", folder, "--shop", "tea")
    assert (result.exit_code, records(settings)) == (1, 0)
    assert f"{folder}/hello.yaml:6:12: error: audience.nobody: no figure" in result.stderr
    assert "1 file of 2 cannot be applied; nothing was written" in result.stderr
    assert run("apply", folder / "absent", "--shop", "tea").exit_code == 2
    result = run("apply", folder / "bye.yaml")
    assert (result.exit_code, "no shops are known" in result.stderr) == (2, True)


def test_pause_and_resume(settings: Settings, topic: str, folder: Path) -> None:
    done("apply", folder, "--shop", "tea")
    for expected in (1, 0):
        said = done("pause", "hello", "--reason", "too\x1b[2J dear", "--by", "li")
        assert (said["paused"], said["written"]) == (True, expected)
    (_, hello) = done("list")["campaigns"]
    assert (hello["paused"], hello["version"]) == (True, None)
    assert (hello["pause"]["by"], hello["pause"]["reason"]) == ("li", "too\x1b[2J dear")
    assert "was paused since" in run("pause", "hello").stdout

    # Applying something does not resume it.
    put(folder, "hello", "Hey")
    result = run("apply", folder)
    assert "hello is paused and stays so: huitou campaigns resume hello --shop tea" in result.stdout
    assert done("list")["campaigns"][1]["paused"]
    for expected in (1, 0):
        assert done("resume", "hello", "--shop", "tea")["written"] == expected
    assert done("list")["campaigns"][1]["version"] == applied("Hi").version
    assert records(settings) == 5

    shown = run("show", "hello").stdout
    assert "\x1b" not in shown
    assert "paused by li: too\\x1b[2J dear\n" in shown
    for command in ("pause", "resume", "show"):
        result = run(command, "helo")
        assert result.exit_code == 2
        assert "no shop has applied a campaign 'helo'; did you mean 'hello'?" in result.stderr


def test_every_version_is_shown_as_a_file_of_the_same_version(topic: str, folder: Path) -> None:
    texts = ("Hi", '"22:00, a: b"', '"yes"', "回头客")
    for text in texts:
        put(folder, "hello", text)
        done("apply", folder / "hello.yaml", "--shop", "tea")
    history = done("show", "hello")["history"]
    versions = [each["version"] for each in history]
    assert len(set(versions)) == len(texts)
    for version in versions:
        result = run("show", "hello", "--version", version[:8])
        assert result.exit_code == 0, result.output
        assert check_text(result.stdout.encode(), "shown").version == version
        assert done("show", "hello", "--version", version)["shown"] == version
    assert done("show", "hello")["shown"] == versions[-1]
    for wrong in ("0000000", versions[0][:3]):
        result = run("show", "hello", "--version", wrong)
        assert (result.exit_code, versions[-1] in result.stderr) == (2, True)


def test_diff_of_files_and_of_versions(settings: Settings, topic: str, folder: Path) -> None:
    done("apply", folder, "--shop", "tea")
    assert run("diff", folder).stdout == "0 campaigns of 2 differ\n"
    put(folder, "hello", "Hey")
    put(folder, "third")
    (folder / "bye.yaml").unlink()
    result = run("diff", folder)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        'hello: offer.message.text: "Hi" -> "Hey"',
        "third: not applied",
        "bye: no file",
        "3 campaigns of 3 differ",
    ]
    # Of a file alone nobody asks what others there are, and what is paused needs no file.
    assert run("diff", folder / "third.yaml").stdout.splitlines()[-1] == "1 campaign of 1 differ"
    done("pause", "bye")
    assert "no file" not in run("diff", folder).stdout

    done("apply", folder)
    found = done("diff", "--campaign", "hello", code=1)["campaigns"][0]
    assert (found["applied"], found["to"]) == (applied("Hi").version, applied("Hey").version)
    same = ["--from", found["to"][:6], "--to", found["to"]]
    assert done("diff", "--campaign", "hello", *same)["campaigns"][0]["change"] == "unchanged"
    for wrong in ([], [str(folder), "--campaign", "hello"], ["--campaign", "third"]):
        assert run("diff", *wrong).exit_code == 2


def test_two_shops_are_apart(settings: Settings, topic: str, folder: Path) -> None:
    for shop in ("tea", "ink"):
        assert done("apply", folder, "--shop", shop)["written"] == 2
    assert done("pause", "hello", "--shop", "ink")["shop"] == "ink"
    assert [each["paused"] for each in done("list", "--shop", "tea")["campaigns"]] == [False] * 2
    result = run("show", "hello")
    assert (result.exit_code, "ink, tea have hello" in result.stderr) == (2, True)
    assert run("apply", folder).exit_code == 2


def test_records_that_do_not_count_are_told_and_end_nothing(
    settings: Settings, topic: str, folder: Path
) -> None:
    """They may be anybody's; what holds is by those that count."""
    nothing = RawRecord(topic, 0, 0, 0, b"tea", b"{")
    write(settings, nothing, change(0, WITHDRAWN), change(0, applied()))
    # Its time is past by the broker's clock, whatever its writer said.
    write(settings, change(0, applied("Hey", since=1_500_000_000_000)))
    found = done("list")
    assert [each["campaign"] for each in found["campaigns"]] == ["hello"]
    assert [each["offset"] for each in found["refused"]] == [0, 1, 3]
    result = run("list")
    assert "offset 0 does not count: not_json" in result.stderr
    assert "offset 3 does not count: effective_from 2017-07-14T" in result.stderr

    write(settings, *[nothing] * (MOST_REFUSED + 20))
    read = read_campaigns(settings)
    assert (read.refused_records, len(read.refused)) == (MOST_REFUSED + 23, MOST_REFUSED)
    assert read.refused[-1].offset == read.campaigns.offset - 1


def test_what_came_too_late_is_told_by_who_wrote_it(
    settings: Settings, topic: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose clock is an hour slow: the broker's clock is what counts."""
    done("apply", folder, "--shop", "tea")
    monkeypatch.setattr(
        "streams.cli.campaign_apply.now_cut", lambda: datetime.now(UTC) - timedelta(hours=1)
    )
    put(folder, "hello", "Hey")
    result = run("apply", folder)
    assert result.exit_code == 1
    assert "1 change written just now did not count" in result.stderr
    assert done("list")["campaigns"][1]["next"] is None


def test_a_topic_that_lost_its_beginning_is_not_taken_for_whole(
    settings: Settings, topic: str, folder: Path
) -> None:
    done("apply", folder, "--shop", "tea")
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap})
    for future in admin.delete_records([TopicPartition(topic, 0, 1)]).values():
        future.result(60)
    result = run("list")
    assert result.exit_code == 78
    assert "offset 0 is not in the log" in result.stderr


def test_without_kafka(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setattr("streams.campaign_topic._ANSWER_SECONDS", 0.5)
    result = run("apply", folder, "--shop", "tea")
    assert result.exit_code == 70, result.output
    assert "does not answer" in result.stderr
    assert "huitou topics create" in result.stderr
