"""`huitou webhook` against a real Kafka and a real HTTP server."""

import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from streams.local.ports import pick
from tests.subscribe.publishing import SECONDS, Triggers, encoded, trigger
from tests.subscribe.receiver import SECRET, Answer, Posted, Receiver
from tests.telemetry.exposed import unlike_catalogue
from tests.waiting import wait_for

pytestmark = pytest.mark.long
OTHER_KEY = b"o" * 32


class Bridge:
    """A `huitou webhook` process; its group is ``webhook-<topic>``. Killed at the end of ``with``."""

    def __init__(self, triggers: Triggers, folder: Path, url: str, *more: str) -> None:
        self.folder = folder
        self.group = f"webhook-{triggers.topic}"
        secrets = folder / "secrets"
        secrets.write_text(f"{SECRET}\nwhsec_{base64.b64encode(OTHER_KEY).decode()}\n")
        self.command = [
            sys.executable, "-m", "streams.cli.main", "webhook", "--url", url, "--json",
            "--secret-file", str(secrets), "--store", f"sqlite:///{folder}/handled.sqlite",
            "--dead-letter-file", str(folder / "dead.jsonl"), "--group", self.group,
            "--first-wait", "0.01", *more,
        ]  # fmt: skip
        self.environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP": triggers.kafka,
            # All that could be said is said.
            "HUITOU_LOG_LEVEL": "debug",
            "HUITOU_TOPIC_PREFIX": triggers.topic.removesuffix("shop.triggers"),
        }

    def __enter__(self) -> "Bridge":
        self.log = self.folder / "log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=subprocess.PIPE, stderr=log
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> dict[str, Any]:
        """Its summary, after SIGTERM."""
        self.process.terminate()
        said, _ = self.process.communicate(timeout=SECONDS)
        assert self.process.returncode == 0, self.log.read_text()
        return json.loads(said)

    def letters(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "dead.jsonl").read_text().splitlines()]


def test_posts_are_signed_and_no_secret_is_logged(triggers: Triggers, tmp_path: Path) -> None:
    made = [trigger(number, f"c{number % 5}") for number in range(20)]
    triggers.publish(*made)

    def answers(posted: Posted, before: int) -> Answer:
        return Answer(500 if posted.id == "t3" and before == 0 else 204)

    with Receiver(answers) as receiver, Bridge(triggers, tmp_path, receiver.url) as bridge:
        triggers.wait_committed(bridge.group, 20)
        assert bridge.end() == {"handled": 20, "repeated": 0, "dead_letters": 0}
    assert {one.id: one.body for one in receiver.posted} == {one.id: encoded(one) for one in made}
    assert sorted(receiver.ids) == sorted([*(one.id for one in made), "t3"])
    for posted in receiver.posted:
        posted.check_signature()
        posted.check_signature(OTHER_KEY)
        assert abs(int(posted.headers["webhook-timestamp"]) - time.time()) < 600
        assert posted.headers["content-type"] == "application/cloudevents+json"
    log = bridge.log.read_text()
    assert "t3: attempt 1 failed" in log
    assert SECRET.removeprefix("whsec_") not in log
    assert "in-the-address" not in log


def test_order_per_customer_under_failures_with_customers_in_parallel(
    triggers: Triggers, tmp_path: Path
) -> None:
    triggers.publish(*(trigger(number, f"c{number % 12}") for number in range(120)))
    crowd = threading.Barrier(4)

    def answers(posted: Posted, before: int) -> Answer:
        if before == 0 and int(posted.id[1:]) < 4:
            # Four customers' first requests are in the server at once, or this fails.
            crowd.wait(SECONDS)
        if hash_of(posted.id) % 3 == 0 and before < 2:
            return Answer(503, {"retry-after": "0"})
        return Answer(200)

    with (
        Receiver(answers) as receiver,
        Bridge(
            triggers, tmp_path, receiver.url, "--in-flight", "4", "--timeout", str(SECONDS)
        ) as bridge,
    ):
        triggers.wait_committed(bridge.group, 120)
        assert bridge.end()["handled"] == 120
    assert receiver.most_at_once == 4
    by_customer: dict[str, list[int]] = defaultdict(list)
    for posted in receiver.posted:
        by_customer[json.loads(posted.body)["subject"]].append(int(posted.id[1:]))
    # A retry repeats the one before it; nothing overtakes it.
    assert all(numbers == sorted(numbers) for numbers in by_customer.values())
    assert len(receiver.posted) > 120


def hash_of(name: str) -> int:
    return sum(name.encode())


def test_what_is_given_up_and_why(triggers: Triggers, tmp_path: Path) -> None:
    statuses = {"t1": 422, "t2": 401, "t3": 302, "t4": 500}
    past = datetime.now(UTC) - timedelta(seconds=1)
    triggers.publish(*(trigger(number) for number in range(6)), trigger(6, expires=past))

    def answers(posted: Posted, before: int) -> Answer:
        return Answer(statuses.get(posted.id, 200), {"location": "/elsewhere"})

    with (
        Receiver(answers) as receiver,
        Bridge(triggers, tmp_path, receiver.url, "--attempts", "3") as bridge,
    ):
        triggers.wait_committed(bridge.group, 7)
        assert bridge.end() == {"handled": 2, "repeated": 0, "dead_letters": 5}
    found = {json.loads(base64.b64decode(one["value"]))["id"]: one for one in bridge.letters()}
    assert {name: (one["reason"], one["attempts"]) for name, one in found.items()} == {
        "t1": ("rejected", 1),
        "t2": ("exhausted", 3),
        "t3": ("exhausted", 3),
        "t4": ("exhausted", 3),
        "t6": ("expired", 0),
    }
    assert receiver.ids == ["t0", "t1", *["t2"] * 3, *["t3"] * 3, *["t4"] * 3, "t5"]
    assert found["t2"]["detail"] == "RetryTrigger: HTTP 401"


def test_retry_after_is_waited_for(triggers: Triggers, tmp_path: Path) -> None:
    moments: list[float] = []

    def answers(posted: Posted, before: int) -> Answer:
        moments.append(time.monotonic())
        return Answer(429, {"retry-after": "2"}) if before == 0 else Answer(200)

    triggers.publish(trigger(1))
    with Receiver(answers) as receiver, Bridge(triggers, tmp_path, receiver.url) as bridge:
        triggers.wait_committed(bridge.group, 1)
        bridge.end()
    assert len(moments) == 2
    # Never sooner than asked; how much later is the machine's affair.
    assert moments[1] - moments[0] >= 1.9


def test_gone_ends_it_and_another_address_gets_what_was_left(
    triggers: Triggers, tmp_path: Path
) -> None:
    triggers.publish(trigger(1))
    with (
        Receiver(lambda *_: Answer(410)) as gone,
        Bridge(triggers, tmp_path, gone.url) as bridge,
    ):
        assert bridge.process.wait(SECONDS) == 78
        assert "410 Gone" in bridge.log.read_text()
    assert triggers.committed(bridge.group) == 0
    with Receiver() as receiver, Bridge(triggers, tmp_path, receiver.url) as bridge:
        triggers.wait_committed(bridge.group, 1)
    assert receiver.ids == ["t1"]


def test_a_killed_bridge_posts_again_with_the_same_id_and_loses_nothing(
    triggers: Triggers, tmp_path: Path
) -> None:
    killed = threading.Event()

    def answers(posted: Posted, before: int) -> Answer:
        if posted.id == "t5" and before == 0:
            killed.wait(SECONDS)
        return Answer(200)

    triggers.publish(*(trigger(number, "c1") for number in range(10)))
    with Receiver(answers) as receiver:
        with Bridge(triggers, tmp_path, receiver.url) as bridge:
            wait_for(lambda: "t5" in receiver.ids, SECONDS, "t5 to be posted")
        killed.set()
        with Bridge(triggers, tmp_path, receiver.url) as bridge:
            triggers.wait_committed(bridge.group, 10)
            bridge.end()
    first, again = [one for one in receiver.posted if one.id == "t5"]
    assert first.body == again.body
    assert set(receiver.ids) == {f"t{number}" for number in range(10)}
    behind = receiver.ids[receiver.ids.index("t5") + 1 :]
    assert behind[behind.index("t5") :] == ["t5", "t6", "t7", "t8", "t9"]


def test_metrics_and_a_receiver_that_is_not_there(triggers: Triggers, tmp_path: Path) -> None:
    import urllib.request

    (port,) = pick(1)
    triggers.publish(trigger(1))
    with Bridge(
        triggers, tmp_path, f"http://127.0.0.1:{port}/hook", "--attempts", "2",
        "--metrics-port", "0",
    ) as bridge:  # fmt: skip
        triggers.wait_committed(bridge.group, 1)
        [address] = [
            line.partition("metrics on ")[2]
            for line in bridge.log.read_text().splitlines()
            if line.startswith("metrics on ")
        ]
        with urllib.request.urlopen(address) as answer:  # noqa: S310
            text = answer.read().decode()
        assert bridge.end()["dead_letters"] == 1
    assert unlike_catalogue("webhook", text) == []
    assert 'subscriber_dead_letters_total{reason="exhausted"} 1.0' in text
    assert 'subscriber_attempts_failed_total{campaign="abandoned-cart"} 1.0' in text
    assert bridge.letters()[0]["detail"].startswith("RetryTrigger: no answer: Client")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--url", "ftp://x"], "not http://HOST"),
        (["--store", "mysql://x"], "sqlite:///PATH"),
        (["--dead-letter-topic", "t"], "one of --dead-letter-topic and --dead-letter-file"),
    ],
)
def test_wrong_use(more: list[str], said: str, triggers: Triggers, tmp_path: Path) -> None:
    with Bridge(triggers, tmp_path, "http://127.0.0.1:1/", *more) as bridge:
        assert bridge.process.wait(SECONDS) == 2
        assert said in bridge.log.read_text()


def test_a_bad_secret_is_wrong_use(triggers: Triggers, tmp_path: Path) -> None:
    bridge = Bridge(triggers, tmp_path, "http://127.0.0.1:1/")
    (tmp_path / "secrets").write_text("whsec_aHVudGVyMg==\n")
    with bridge:
        assert bridge.process.wait(SECONDS) == 2
        log = bridge.log.read_text()
    assert "it needs 24 to 64" in log
    assert "aHVudGVyMg" not in log
