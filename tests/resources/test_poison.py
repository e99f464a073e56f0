"""A bundle of nothing but poison, some of it as large as a body may be, is accounted for to the last."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.catalogue import DEADLETTERS
from schemas.envelope import BODY_BYTES
from streams.engine.draft import COMMIT_BYTES
from tests.engine.harness import Bench, run_cli
from tests.resources.bounds import (
    COMMIT_COPIES,
    FRAGMENTED,
    MB,
    POISON_ENTRY_BYTES,
    RECORD_BYTES,
    Watched,
    publishing,
    records,
)
from tests.resources.load import publish

pytestmark = [pytest.mark.long, pytest.mark.timeout(2_000)]

LARGE, SMALL = 2_500, 10_000
#: Every large one of this customer, so that one partition has them all.
KEY = b"anna"


def poison() -> Iterator[tuple[str, bytes, bytes]]:
    """Bytes that no codec makes smaller, at the limit of a body; and short ones for all partitions."""
    drawing = random.Random(4)
    for number in range(SMALL):
        if number % (SMALL // LARGE) == 0:
            yield "shop.clicks", KEY, drawing.randbytes(BODY_BYTES)
        yield "shop.clicks", b"k%d" % number, b"rubbish %d" % number


def test_a_bundle_of_poison(bench: Bench, tmp_path: Path) -> None:
    settings = bench.settings
    count = publish(settings, poison())
    assert count == LARGE + SMALL
    # All of it is bad: the guard, which has a test of its own, must not pause the topic.
    watched = Watched(settings, tmp_path / "worker.log", HUITOU_POISON_SHARE="1")
    watched.wait_for(lambda: bench.processed() >= count, 600, f"{count} dead letters")
    watched.wait_for(bench.is_published, 300, "the outbox published")
    # The one partition with large bodies is bounded by the bytes of a fetch; all short ones together
    # are few.
    rows = COMMIT_COPIES * COMMIT_BYTES
    most = FRAGMENTED * (
        records(settings, BODY_BYTES, 1)
        + SMALL * RECORD_BYTES
        + rows
        + publishing(POISON_ENTRY_BYTES)
    )
    grown = watched.grown()
    print(f"{watched.before / MB:.0f} MB, grown by at most {grown / MB:.0f} MB of {most / MB:.0f}")
    # Bodies and, in base64, dead letters.
    assert grown < most < LARGE * BODY_BYTES * (1 + 4 / 3), "all at once"
    assert bench.counted("dead_letter") == count
    assert bench.counted("applied") == 0
    letters = bench.read(DEADLETTERS)
    assert len({letter["id"] for letter in letters}) == len(letters) == count
    assert sum(letter["data"]["value_bytes"] == BODY_BYTES for letter in letters) == LARGE  # type: ignore[index,call-overload]
    assert watched.worker.stop() == 0
    verified = run_cli(settings, "verify", "--json", timeout=400)
    assert verified.returncode == 0, verified.stdout + verified.stderr
