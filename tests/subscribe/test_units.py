"""The parts that need no server: progress, backoff, lanes, reading, signatures, Retry-After."""

import asyncio
import base64
import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.subscribe.lanes import Lanes
from streams.subscribe.progress import Progress
from streams.subscribe.received import Record, Unreadable, read
from streams.subscribe.retry import Retry
from streams.subscribe.signing import SecretError, SignatureError, Signer
from streams.subscribe.webhook import retry_after
from tests.subscribe.publishing import NOW, encoded, trigger

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@given(st.sets(st.integers(0, 200), min_size=1).map(sorted), st.randoms(use_true_random=False))
def test_progress_never_passes_what_is_not_done(offsets: list[int], random) -> None:
    progress = Progress()
    for offset in offsets:
        progress.take(offset)
    order = list(offsets)
    random.shuffle(order)
    done: set[int] = set()
    for offset in order:
        progress.done(offset)
        done.add(offset)
        passed = [one for one in offsets if progress.next is not None and one < progress.next]
        assert set(passed) <= done
        undone = [one for one in offsets if one not in done]
        assert passed == [one for one in offsets if not undone or one < undone[0]]
    assert progress.next == offsets[-1] + 1


def test_backoff_doubles_up_to_its_bound_with_jitter_in_its_upper_half() -> None:
    retry = Retry(attempts=99, first=0.5, most=60.0)
    assert [retry.wait(failed, lambda: 1.0) for failed in (1, 2, 3, 8, 5_000)] == [
        0.5, 1.0, 2.0, 60.0, 60.0,
    ]  # fmt: skip
    assert retry.wait(3, lambda: 0.0) == 1.0
    with pytest.raises(ValueError, match="at least one attempt"):
        Retry(attempts=0)


async def turns(condition: Callable[[], bool]) -> None:
    """Gives the event loop turns until the condition holds; it needs a few, and no time."""
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("a thousand turns of the loop were not enough")


def test_a_lane_keeps_the_order_of_its_key_while_others_go_on() -> None:
    async def scenario() -> None:
        held = asyncio.Event()
        seen: dict[str, list[int]] = defaultdict(list)

        async def work(item: tuple[str, int]) -> None:
            if item == ("a", 0):
                await held.wait()
            seen[item[0]].append(item[1])

        lanes: Lanes[tuple[str, int]] = Lanes(work)
        for number in range(3):
            for key in "ab":
                lanes.put(key.encode(), (key, number))
        await turns(lambda: len(seen["b"]) == 3)
        assert not seen["a"]
        held.set()
        await turns(lambda: len(seen["a"]) == 3)
        assert seen == {"a": [0, 1, 2], "b": [0, 1, 2]}

    asyncio.run(scenario())


def test_what_leaves_a_lane_is_dropped_or_cancelled_and_the_rest_goes_on() -> None:
    async def scenario() -> None:
        never = asyncio.Event()
        cancelled, done = [], []

        async def work(item: int) -> None:
            try:
                if item == 1:
                    await never.wait()
                done.append(item)
            except asyncio.CancelledError:
                cancelled.append(item)
                raise

        lanes: Lanes[int] = Lanes(work)
        for item in (1, 2, 30):
            lanes.put(b"k", item)
        await asyncio.sleep(0)
        assert await lanes.leave(lambda item: item < 10, 0.01) == [2]
        await turns(lambda: bool(done))
        assert (cancelled, done, lanes.failure) == ([1], [30], None)

    asyncio.run(scenario())


def record(value: bytes | None) -> Record:
    return Record("shop.triggers", 0, 7, b"c1", value)


def test_unknown_fields_are_ignored() -> None:
    made = json.loads(encoded(trigger(1)))
    made["data"]["later_field"] = {"a": 1}
    made["later_attribute"] = 1
    received = read(record(json.dumps(made).encode()))
    assert (received.id, received.event) == ("t1", trigger(1))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "shop.trigger.v2"}, "unknown_type"),
        ({"data": {"kind": "prize_drawn"}}, "unknown_kind"),
        ({"data": {"kind": 7}}, "unreadable"),
        ({"data": {"campaign": ""}}, "unreadable"),
    ],
)
def test_what_this_build_does_not_know_says_why(change: dict[str, object], reason: str) -> None:
    made = json.loads(encoded(trigger(1)))
    for name, value in change.items():
        made[name] = {**made[name], **value} if isinstance(value, dict) else value
    with pytest.raises(Unreadable) as raised:
        read(record(json.dumps(made).encode()))
    assert raised.value.reason == reason


@pytest.mark.parametrize("value", [None, b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"type": 1}'])
def test_no_bytes_raise_anything_else(value: bytes | None) -> None:
    with pytest.raises(Unreadable):
        read(record(value))


def test_expired_is_at_the_moment_itself() -> None:
    received = read(record(encoded(trigger(1, expires=NOW))))
    assert received.expired(NOW)
    assert not received.expired(NOW - timedelta(seconds=1))
    assert not read(record(encoded(trigger(1)))).expired(NOW)


@pytest.mark.parametrize(
    ("secret", "name", "timestamp", "body", "signature"),
    [
        # Published with the examples of Standard Webhooks' libraries.
        (SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
         b'{"test": 2432232314}', "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ],
)  # fmt: skip
def test_the_published_signatures(
    secret: str, name: str, timestamp: int, body: bytes, signature: str
) -> None:
    headers = Signer([secret]).headers(name, timestamp, body)
    assert headers == {
        "webhook-id": name,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
    assert Signer([secret]).verify(headers, body, timestamp + 299) == name


def test_the_signature_is_openssls() -> None:
    key = hashlib.sha256(b"any").digest()
    made = Signer(["whsec_" + base64.b64encode(key).decode()]).headers("t1", 1_700_000_000, b"{}")
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key.hex()}", "-binary"],
        input=b"t1.1700000000.{}", capture_output=True, check=True,
    )  # fmt: skip
    assert made["webhook-signature"] == "v1," + base64.b64encode(done.stdout).decode()


def test_receivers_take_either_secret_and_refuse_the_rest(tmp_path: Path) -> None:
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    file = tmp_path / "secrets"
    file.write_text(f"# new one first\n{SECRET}\n\n{other}\n")
    headers = Signer.of_file(file).headers("t1", 1_000, b"{}")
    assert Signer([other]).verify(headers, b"{}", 1_000) == "t1"
    third = Signer(["whsec_" + base64.b64encode(b"x" * 32).decode()])
    for signer, body, now in (
        (third, b"{}", 1_000),
        (Signer([SECRET]), b"{ }", 1_000),
        (Signer([SECRET]), b"{}", 1_301),
        (Signer([SECRET]), b"{}", 699),
    ):
        with pytest.raises(SignatureError):
            signer.verify(headers, body, now)
    with pytest.raises(SignatureError):
        Signer([SECRET]).verify({**headers, "webhook-id": "t2"}, b"{}", 1_000)
    with pytest.raises(SignatureError):
        Signer([SECRET]).verify({}, b"{}", 1_000)


@pytest.mark.parametrize("secret", ["", "plain-text-password", "whsec_!!!", "whsec_c2hvcnQ="])
def test_a_bad_secret_is_refused_and_not_quoted(secret: str) -> None:
    with pytest.raises(SecretError) as raised:
        Signer([secret])
    assert not secret or secret.removeprefix("whsec_") not in str(raised.value)


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after("120", 0) == 120
    assert retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 10) == 50
    assert retry_after("Thu, 01 Jan 1970 00:00:01 GMT", 10) == 0
    assert [retry_after(text, 0) for text in ("", "soon", "-5", "９")] == [0, 0, 0, 0]
    assert retry_after("9" * 5_000, 0) > 0


def test_importing_it_brings_nothing_of_the_worker() -> None:
    code = (
        "import sys, streams.subscribe\n"
        "print(*{name.partition('.')[0] for name in sys.modules} & "
        "{'faust', 'aiohttp', 'redis', 'psycopg', 'pydantic_settings', 'producers'}, "
        "*(name for name in sys.modules if name.startswith(('streams.engine', 'streams.domain'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
