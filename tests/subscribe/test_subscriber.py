"""TriggerSubscriber against a real Kafka."""

import asyncio
import base64
import json
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.subscribe import (
    DeadLetterTopic,
    DeadLetterUnavailableError,
    Handler,
    LogUnavailableError,
    ReceivedTrigger,
    RedisStore,
    RejectTrigger,
    Retry,
    SqliteStore,
    StopSubscribing,
    StoreUnavailableError,
    Summary,
)
from tests.subscribe.publishing import SECONDS, Triggers, encoded, trigger
from tests.subscribe.running import Handled, Running
from tests.waiting import wait_for

GROUP = "marketing"


@pytest.fixture
def group(prefix: str) -> str:
    return prefix + GROUP


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def letters(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_each_trigger_is_handled_in_order_and_once_over_two_runs(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    made = [trigger(number, f"c{number % 7}") for number in range(100)]
    triggers.publish(*made)
    handled = Handled()
    with Running(triggers, group, tmp_path, handled) as running:
        wait_for(lambda: len(handled.ids) == 100, SECONDS, "100 triggers")
        triggers.wait_committed(group, 100)
    assert running.summary == Summary(handled=100)
    assert {one.id: one.event for one in handled.received} == {one.id: one for one in made}
    by_customer: dict[str, list[int]] = defaultdict(list)
    for one in handled.received:
        by_customer[one.event.subject].append(int(one.id[1:]))
    assert all(numbers == sorted(numbers) for numbers in by_customer.values())
    triggers.publish(trigger(100), trigger(5, "c5"))
    again = Handled()
    with Running(triggers, group, tmp_path, again) as running:
        triggers.wait_committed(group, 102)
    assert again.ids == ["t100"]
    assert running.summary == Summary(handled=1, repeated=1)


@pytest.mark.long
def test_aborted_triggers_are_not_seen(triggers: Triggers, group: str, tmp_path: Path) -> None:
    triggers.publish_in_transaction(trigger(1), commit=False)
    triggers.publish_in_transaction(trigger(2), commit=True)
    handled = Handled()
    # Who asks for uncommitted records does not get them.
    kafka = {"isolation.level": "read_uncommitted", "enable.auto.commit": True}
    with Running(triggers, group, tmp_path, handled, kafka=kafka):
        wait_for(lambda: handled.ids, SECONDS, "the committed trigger")
    assert handled.ids == ["t2"]


def test_one_that_comes_twice_while_it_is_handled_is_handled_once(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    triggers.publish(*[trigger(1)] * 5)
    handled = Handled()
    with Running(triggers, group, tmp_path, handled) as running:
        triggers.wait_committed(group, 5)
    assert handled.ids == ["t1"]
    assert running.summary == Summary(handled=1, repeated=4)


def test_a_poison_trigger_is_tried_then_put_away_and_its_customer_goes_on(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    dead = f"{triggers.topic}.dead"
    triggers.make(dead)
    tries: Counter[str] = Counter()

    def fail(received: ReceivedTrigger) -> None:
        tries[received.id] += 1
        assert received.attempt == tries[received.id]
        if received.id == "t1":
            raise ZeroDivisionError("poison")
        if received.id == "t2" and received.attempt == 1:
            raise OSError("once")
        if received.id == "t3":
            raise RejectTrigger("no such customer")

    triggers.publish(*(trigger(number) for number in (1, 2, 3, 4)))
    handled = Handled(fail)
    topic = DeadLetterTopic(triggers.kafka, dead)
    with Running(triggers, group, tmp_path, handled, dead_letters=topic) as running:
        triggers.wait_committed(group, 4)
    assert handled.ids == ["t2", "t4"]
    assert tries == {"t1": 3, "t2": 2, "t3": 1, "t4": 1}
    assert running.summary == Summary(handled=2, dead_letters=2)
    found = triggers.read(dead, 2)
    assert [(one.key(), one.value()) for one in found] == [
        (b"c1", encoded(trigger(1))),
        (b"c1", encoded(trigger(3))),
    ]
    headers = [{name: value.decode() for name, value in one.headers()} for one in found]
    place = headers[0].pop("huitou-place")
    assert place.startswith(f"{triggers.topic}/")
    assert place.endswith("/0")
    assert headers[0] == {
        "huitou-reason": "exhausted",
        "huitou-detail": "ZeroDivisionError: poison",
        "huitou-attempts": "3",
    }
    assert headers[1]["huitou-reason"] == "rejected"


@pytest.mark.long
def test_what_cannot_be_handled_is_put_away_and_passed(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    later = json.loads(encoded(trigger(1)))
    later["type"] = "shop.trigger.v2"
    triggers.raw("c1", later)
    triggers.raw("c1", b"\xff{")
    triggers.raw("c1", None)
    past = datetime.now(UTC) - timedelta(seconds=1)
    triggers.publish(trigger(2, expires=past), trigger(3, expires=past + timedelta(days=1)))
    handled = Handled()
    with Running(triggers, group, tmp_path, handled) as running:
        triggers.wait_committed(group, 5)
    assert handled.ids == ["t3"]
    found = letters(running.letters)
    assert [one["reason"] for one in found] == [
        "unknown_type", "unreadable", "unreadable", "expired",
    ]  # fmt: skip
    assert json.loads(base64.b64decode(found[0]["value"])) == later
    assert (found[2]["value"], found[3]["attempts"]) == (None, 0)


@pytest.mark.long
def test_a_handler_that_hangs_is_a_failed_attempt(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    triggers.publish(trigger(1), trigger(2))

    async def hang(received: ReceivedTrigger) -> None:
        if received.id == "t1":
            await asyncio.Event().wait()

    with Running(triggers, group, tmp_path, hang, handler_timeout=0.05) as running:
        triggers.wait_committed(group, 2)
    assert running.summary == Summary(handled=1, dead_letters=1)
    assert letters(running.letters)[0]["detail"] == "TimeoutError"


@pytest.mark.long
def test_a_customer_that_is_retried_does_not_hold_up_others(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    mended = threading.Event()

    def fail(received: ReceivedTrigger) -> None:
        if received.id == "t1" and not mended.is_set():
            raise OSError("not yet")

    triggers.publish(trigger(1, "c1"), trigger(2, "c1"))
    triggers.publish(*(trigger(number, f"c{number}") for number in range(3, 40)))
    handled = Handled(fail)
    retry = Retry(attempts=1_000_000, first=0.01, most=0.02)
    # One slot and a small buffer: a waiting customer takes no slot.
    with Running(triggers, group, tmp_path, handled, retry=retry, in_flight=1):
        wait_for(lambda: len(handled.ids) == 37, SECONDS, "the others")
        assert not {"t1", "t2"} & set(handled.ids)
        mended.set()
        triggers.wait_committed(group, 39)
    assert handled.ids[-2:] == ["t1", "t2"]


@pytest.mark.long
def test_a_full_buffer_stops_fetching_and_goes_on(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    triggers.publish(*(trigger(number, f"c{number % 9}") for number in range(3_000)))
    handled = Handled()
    with Running(triggers, group, tmp_path, handled, buffered=10):
        triggers.wait_committed(group, 3_000)
    assert len(handled.ids) == len(set(handled.ids)) == 3_000


@pytest.mark.long
@pytest.mark.parametrize("where", ["handler", "commit"])
def test_a_killed_subscriber_gets_again_what_it_had_not_committed(
    triggers: Triggers, group: str, tmp_path: Path, where: str
) -> None:
    triggers.publish(*(trigger(number, "c1") for number in range(5)))
    given = [triggers.kafka, triggers.topic, group, str(tmp_path), "t3", where]
    process = subprocess.Popen([sys.executable, "-m", "tests.subscribe.killed", *given])
    try:
        stage = tmp_path / ("begun" if where == "handler" else "remembered")
        wait_for(lambda: "t3" in lines(stage), SECONDS, f"t3 in {stage.name}")
        if where == "handler":
            # Those before it get committed while it is in the handler; it does not.
            wait_for(lambda: triggers.committed(group) >= 3, SECONDS, "the first three committed")
            assert triggers.committed(group) == 3
    finally:
        process.kill()
        process.wait()
    done = lines(tmp_path / "done")
    handled = Handled()
    with Running(triggers, group, tmp_path, handled) as running:
        triggers.wait_committed(group, 5)
    if where == "handler":
        # Begun and not done: handled again, with those behind it.
        assert done == ["t0", "t1", "t2"]
        assert [one for one in handled.ids if one not in done] == ["t3", "t4"]
    else:
        # Done and remembered, and Kafka had not heard of it: not handled again.
        assert "t3" in done
        assert handled.ids == [one for one in ("t4",) if one not in done]
        assert running.summary.repeated >= 1


@pytest.mark.long
def test_two_subscribers_share_and_take_over_in_order(
    triggers: Triggers, group: str, tmp_path: Path, redis_url: str, prefix: str
) -> None:
    seen: list[tuple[str, str, int]] = []
    lock = threading.Lock()

    def note(name: str) -> Handler:
        async def write(received: ReceivedTrigger) -> None:
            # Work that takes its time: some is going on whenever a partition goes.
            await asyncio.sleep(0.02)
            with lock:
                seen.append((name, received.event.subject, int(received.id[1:])))

        return write

    def more(first: int) -> None:
        triggers.publish(*(trigger(first + one, f"c{one % 23}") for one in range(300)))

    def by(name: str) -> int:
        return sum(one == name for one, _, _ in seen)

    def store() -> RedisStore:
        return RedisStore(redis_url, group, prefix=prefix)

    published = 0
    with Running(triggers, group, tmp_path / "a", note("a"), store=store()) as first:
        more(0)
        wait_for(lambda: by("a") > 20, SECONDS, "the first one's triggers")
        with Running(triggers, group, tmp_path / "b", note("b"), store=store()):

            def shared() -> bool:
                nonlocal published
                if len(seen) >= published:
                    published += 300
                    more(published)
                return by("b") > 100

            wait_for(shared, SECONDS, "the second one's triggers")
        published += 300
        more(published)
        triggers.wait_committed(group, published + 300)
    assert first.error is None
    # Ordered leaving: nothing was lost, nothing handled twice, no customer's order broken.
    assert sorted(number for _, _, number in seen) == list(range(published + 300))
    by_customer: dict[str, list[int]] = defaultdict(list)
    for _, customer, number in seen:
        by_customer[customer].append(number)
    assert all(numbers == sorted(numbers) for numbers in by_customer.values())


def test_stopping_lets_what_runs_end_and_commits_it(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    began, ends = threading.Event(), threading.Event()
    done: list[str] = []

    async def slow(received: ReceivedTrigger) -> None:
        began.set()
        await asyncio.to_thread(ends.wait)
        done.append(received.id)

    triggers.publish(trigger(1), trigger(2))
    with Running(triggers, group, tmp_path, slow, drain=SECONDS) as running:
        assert began.wait(SECONDS)
        running.subscriber.stop()
        ends.set()
        running.join()
    # The second may have begun before the first's end was seen; what ended is committed, and no more.
    assert done in (["t1"], ["t1", "t2"])
    assert triggers.committed(group) == len(done)
    assert running.summary == Summary(handled=len(done))


@pytest.mark.long
def test_errors_end_it_and_commit_nothing_unhandled(
    triggers: Triggers, group: str, tmp_path: Path
) -> None:
    class Broken(SqliteStore):
        def remember(self, ids: Sequence[str]) -> None:
            raise StoreUnavailableError("here", "full")

    def stop(received: ReceivedTrigger) -> None:
        raise StopSubscribing("enough")

    def fail(received: ReceivedTrigger) -> None:
        raise OSError("poison")

    triggers.publish(trigger(1))
    broken = Broken(tmp_path / "broken", group)
    for name, more in {
        StoreUnavailableError: {"handler": Handled(), "store": broken},
        StopSubscribing: {"handler": Handled(stop)},
        DeadLetterUnavailableError: {
            "handler": Handled(fail),
            "dead_letters": DeadLetterTopic(triggers.kafka, f"{triggers.topic}.missing"),
        },
    }.items():
        running = Running(triggers, group, tmp_path, **more)  # type: ignore[arg-type]
        with pytest.raises(name), running:
            running.join()
        assert triggers.committed(group) == 0
    triggers.topic += ".missing"
    running = Running(triggers, group, tmp_path, Handled())
    with pytest.raises(LogUnavailableError, match="missing"), running:
        running.join()


@pytest.mark.long
def test_the_example_writes_each_message_once(triggers: Triggers, tmp_path: Path) -> None:
    import sqlite3

    example = Path(__file__).parents[2] / "examples" / "coupon_messages.py"
    outbox = tmp_path / "outbox.sqlite"
    for first in (0, 10):
        triggers.publish(*(trigger(number, f"c{number}") for number in range(first, first + 15)))
        process = subprocess.Popen(
            [sys.executable, str(example), triggers.kafka, str(outbox), triggers.topic],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            triggers.wait_committed(f"coupon-messages-{triggers.topic}", 15 if not first else 30)
            process.terminate()
            said, _ = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        assert process.returncode == 0
        assert said.startswith("Summary(handled=")
    file = sqlite3.connect(outbox)
    rows = file.execute("SELECT * FROM outbox").fetchall()
    file.close()
    assert len(rows) == 25
    assert ("t7", "c7", "10 % off with CODE7, until 2026-05-27") in rows
